/** Where a Cloud Storage backend is. */
import type { Source } from "../settings.ts";

/** The `gcs` variant of a source. */
export type GcsSource = Extract<Source, { type: "gcs" }>;
