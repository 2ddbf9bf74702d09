/** `config:` and `auth:` of a backend of type `gcs`. */
import type { GcsSource } from "../backend/gcs/source.ts";
import { parsePrefix } from "../key_prefix.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import {
  absolutePath,
  inlineSecret,
  integer,
  matching,
  refusedKey,
  section,
  serviceUrl,
  setting,
} from "../platform/setting.ts";
import { readCertificates } from "./ca_bundle.ts";
import { readGcsAuth } from "./gcs_auth_config.ts";
import { checkTokenUrl } from "./token_url_config.ts";

/** Names of buckets, those that are domains included. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
const PROJECT = /^[a-z0-9.:-]{1,100}$/;

/** Names per page that the service returns at most. */
const LIST_PAGE_MAX = 1_000;

/** `config:` of a `gcs` backend. */
export const GCS_CONFIG = section({
  root: matching(BUCKET, "a bucket name: at least 3 lowercase letters, digits, dots and dashes"),
  prefix: setting('a prefix of keys, such as "train/v2"', parsePrefix).prefault(""),
  endpoint: serviceUrl("https://storage.googleapis.com")
    .prefault("https://storage.googleapis.com"),
  user_project: matching(PROJECT, 'a project such as "my-project"').optional(),
  ca_bundle: absolutePath().optional(),
  proxy: serviceUrl("http://proxy.example.org:3128").optional(),
  list_chunk: integer(1, LIST_PAGE_MAX).prefault(String(LIST_PAGE_MAX)),
  bucket: refusedKey('the bucket is named by "root"'),
  key: inlineSecret("auth.key_file"),
  credentials: inlineSecret("auth.key_file"),
});

/** Reads the backend at `path`; null when it has problems, which are then reported. */
export function readGcsSource(reader: ConfigReader, path: ConfigPath): GcsSource | null {
  const configPath = [...path, "config"];
  const config = reader.read(GCS_CONFIG, configPath);
  const auth = readGcsAuth(reader, path);
  if (config === null || auth === null) return null;
  const certificates = readCertificates(reader, [...configPath, "ca_bundle"], config.ca_bundle);
  if (certificates === undefined) return null;
  const sendsTokens = auth.method !== "none";
  if (sendsTokens && !checkTokenUrl(reader, [...configPath, "endpoint"], config.endpoint)) {
    return null;
  }
  return {
    type: "gcs",
    bucket: config.root,
    prefix: config.prefix,
    endpoint: config.endpoint,
    userProject: config.user_project ?? null,
    caCertificates: certificates,
    proxy: config.proxy ?? null,
    listPageSize: config.list_chunk,
    auth,
  };
}
