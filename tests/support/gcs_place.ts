/** Cloud Storage backends on a server of the tests. */
import { GcsBackend } from "../../cache/backend/gcs/backend.ts";
import type { GcsSource } from "../../cache/backend/gcs/source.ts";
import { systemClock } from "../../cache/platform/clock.ts";

/** The bucket `bucket` of the service at `endpoint`, without credentials. */
export function gcsSourceAt(endpoint: string, bucket: string): GcsSource {
  return {
    type: "gcs",
    bucket,
    prefix: "",
    endpoint,
    userProject: null,
    caCertificates: null,
    proxy: null,
    listPageSize: 1_000,
    auth: { method: "none" },
  };
}

/** The bare provider at `source`. */
export function openGcs(
  source: GcsSource,
  onRenewal: (status: string) => void = () => {},
): GcsBackend {
  return GcsBackend.open("gcs", source, { clock: systemClock, random: () => 0, onRenewal });
}
