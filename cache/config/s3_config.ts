/** `config:` and `auth:` of a backend of type `s3`. */
import type { S3Source } from "../backend/s3/source.ts";
import { parsePrefix } from "../key_prefix.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import {
  absolutePath,
  flag,
  inlineSecret,
  integer,
  matching,
  refusedKey,
  section,
  serviceUrl,
  setting,
} from "../platform/setting.ts";
import { readCertificates } from "./ca_bundle.ts";
import { readS3Auth } from "./s3_auth_config.ts";

/** Names of buckets, those from before 2018 and of other stores included. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;

/** Keys per page that S3 returns at most. */
const LIST_PAGE_MAX = 1_000;

/** Where the AWS tools find a region, too. */
const REGION_VARIABLES = ["AWS_REGION", "AWS_DEFAULT_REGION"] as const;
const REGION_DEFAULT = "us-east-1";

/** `config:` of an `s3` backend. */
export const S3_CONFIG = section({
  root: matching(BUCKET, "a bucket name: letters, digits, dots and dashes, at least 2"),
  prefix: setting('a prefix of keys, such as "train/v2"', parsePrefix).prefault(""),
  region: matching(/^[A-Za-z0-9-]{1,64}$/, 'a region such as "eu-central-1"').optional(),
  endpoint: serviceUrl("https://s3.eu-central-1.amazonaws.com").optional(),
  path_style: flag().optional(),
  requester_pays: flag().prefault("false"),
  ca_bundle: absolutePath().optional(),
  proxy: serviceUrl("http://proxy.example.org:3128").optional(),
  list_chunk: integer(1, LIST_PAGE_MAX).prefault(String(LIST_PAGE_MAX)),
  bucket: refusedKey('the bucket is named by "root"'),
  access_key_id: inlineSecret("auth.access_key_id_env or auth.access_key_id_file"),
  secret_access_key: inlineSecret("auth.secret_access_key_env or auth.secret_access_key_file"),
});

/** Reads the backend at `path`; null when it has problems, which are then reported. */
export function readS3Source(reader: ConfigReader, path: ConfigPath): S3Source | null {
  const configPath = [...path, "config"];
  const config = reader.read(S3_CONFIG, configPath);
  const auth = readS3Auth(reader, path);
  if (config === null || auth === null) return null;
  const certificates = readCertificates(reader, [...configPath, "ca_bundle"], config.ca_bundle);
  if (certificates === undefined) return null;
  const { env } = reader.inputs;
  const region = config.region ?? (REGION_VARIABLES.map((name) => env.get(name)).find(Boolean) ??
    REGION_DEFAULT);
  return {
    type: "s3",
    bucket: config.root,
    prefix: config.prefix,
    endpoint: config.endpoint ?? defaultS3Endpoint(region),
    region,
    // Few of the stores that are compatible have a host name for every bucket.
    pathStyle: config.path_style ?? config.endpoint !== undefined,
    requesterPays: config.requester_pays,
    caCertificates: certificates,
    proxy: config.proxy ?? null,
    listPageSize: config.list_chunk,
    auth,
  };
}

/** The S3 service of AWS in `region`. */
export function defaultS3Endpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}
