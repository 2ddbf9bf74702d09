/** Where an S3 backend is. */
import type { Source } from "../settings.ts";

/** The `s3` variant of a source. */
export type S3Source = Extract<Source, { type: "s3" }>;
