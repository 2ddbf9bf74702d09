/** S3 backends on a server of the tests. */
import { S3Backend } from "../../cache/backend/s3/backend.ts";
import type { S3Source } from "../../cache/backend/s3/source.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Secret } from "../../cache/platform/secret.ts";
import type { Versitygw } from "./versitygw.ts";

/** The bucket `bucket` of `server`, read with its keys. */
export function s3SourceAt(server: Versitygw, bucket: string): S3Source {
  return {
    type: "s3",
    bucket,
    prefix: "",
    endpoint: server.endpoint,
    region: "us-east-1",
    pathStyle: true,
    requesterPays: false,
    caCertificates: null,
    proxy: null,
    listPageSize: 1_000,
    auth: {
      method: "static",
      accessKeyId: new Secret(server.accessKeyId),
      secretAccessKey: new Secret(server.secretAccessKey),
      sessionToken: null,
    },
  };
}

/** The bare provider at `source`. */
export function openS3(source: S3Source): S3Backend {
  return S3Backend.open("s3", source, { clock: systemClock, random: () => 0, onRenewal: () => {} });
}
