/** The `backends:` section of a configuration file. */
import type { BackendSettings, Source } from "../backend/settings.ts";
import { readAzureSource } from "./azure_config.ts";
import type { PlacedBackend } from "../operations/cached_places.ts";
import { BACKEND_SECTION } from "./cache_config.ts";
import { NAME_BYTES_MAX } from "../backend/backend.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import { readGcsSource } from "./gcs_config.ts";
import { readS3Source } from "./s3_config.ts";
import { absolutePath, choice, list, refusedKey, section } from "../platform/setting.ts";
import { z } from "zod";

/** More than anyone mounts; bounds what one file can make the program open. */
const BACKENDS_MAX = 1_000;

/** `config:` of a `local` backend. */
export const LOCAL_CONFIG = section({
  root: absolutePath(),
  path: refusedKey('the directory is named by "root"'),
});

/** `auth:` of a `local` backend, which needs none. */
export const LOCAL_AUTH = section({ method: choice(["none"]).prefault("none") });

/** Reads `backends:`; entries with problems, which are then reported, are left out. */
export function readBackends(reader: ConfigReader): readonly BackendSettings[] {
  const path = ["backends"];
  reader.read(list(z.unknown(), BACKENDS_MAX), path);
  const positions = reader.keys(path).filter((key) => typeof key === "number");
  if (positions.length === 0) reader.report(path, "wanted at least one backend");
  const backends = positions.flatMap((position) => readBackend(reader, [...path, position]) ?? []);
  reportRepeats(reader, positions);
  return backends;
}

/** Where backends appear and of which type they are; how to get into their stores is not read. */
export function readPlacedBackends(reader: ConfigReader): readonly PlacedBackend[] {
  return reader.keys(["backends"]).flatMap((position) => {
    const path = ["backends", position];
    const name = reader.read(BACKEND_SECTION.shape.name, [...path, "name"]);
    const type = reader.read(BACKEND_SECTION.shape.type, [...path, "type"]);
    const mountPath = readMountPath(reader, path);
    if (name === null || type === null || mountPath === null) return [];
    return [{ name, mountPath, source: { type } }];
  });
}

function readBackend(reader: ConfigReader, path: ConfigPath): BackendSettings | null {
  const written = reader.read(BACKEND_SECTION, path);
  const mountPath = readMountPath(reader, path);
  const source = readSource(reader, path);
  if (written === null || mountPath === null || source === null) return null;
  return {
    name: written.name,
    mountPath,
    timeoutMs: written.timeout,
    requestsMax: written.max_requests,
    source,
  };
}

/** Where the store is. Read even when the rest of the backend is wrong, to report all at once. */
function readSource(reader: ConfigReader, path: ConfigPath): Source | null {
  const type = reader.read(BACKEND_SECTION.shape.type, [...path, "type"]);
  switch (type) {
    case null:
      return null;
    case "azureblob":
      return readAzureSource(reader, path);
    case "local":
      return readLocalSource(reader, path);
    case "s3":
      return readS3Source(reader, path);
    case "gcs":
      return readGcsSource(reader, path);
  }
}

function readLocalSource(reader: ConfigReader, path: ConfigPath): Source | null {
  const config = reader.read(LOCAL_CONFIG, [...path, "config"]);
  const auth = reader.read(LOCAL_AUTH.optional(), [...path, "auth"]);
  return config === null || auth === null ? null : { type: "local", root: config.root };
}

/** Where the backend appears: its name unless `mount_path` says otherwise. */
function readMountPath(reader: ConfigReader, path: ConfigPath): string | null {
  const { name, mount_path: mountPath } = BACKEND_SECTION.shape;
  const at = [...path, "mount_path"];
  if (!reader.has(at)) return reader.read(name, [...path, "name"]);
  const written = reader.read(mountPath, at);
  if (written === null || written === undefined) return null;
  const relative = parseMountPath(written);
  if (relative === null) {
    reader.report(at, 'wanted a path below the mount point, such as "train", without "." or ".."');
  }
  return relative;
}

/** `written` without leading and trailing slashes, or null when it is no path below a directory. */
export function parseMountPath(written: string): string | null {
  const relative = written.replace(/^\/+|\/+$/g, "");
  const encoder = new TextEncoder();
  const usable = relative.split("/").every((name) =>
    name !== "" && name !== "." && name !== ".." && !name.includes("\0") &&
    encoder.encode(name).length <= NAME_BYTES_MAX
  );
  return usable ? relative : null;
}

/** Names label metrics and errors, and paths lead to one backend: each may be used once. */
function reportRepeats(reader: ConfigReader, positions: ConfigPath): void {
  const names = new Map<string, ConfigPath>();
  const mountPaths = new Map<string, ConfigPath>();
  for (const position of positions) {
    const path = ["backends", position];
    const namePath = [...path, "name"];
    const mountPathPath = reader.has([...path, "mount_path"]) ? [...path, "mount_path"] : namePath;
    const name = reader.read(BACKEND_SECTION.shape.name, namePath);
    if (name !== null) reportRepeat(reader, names, name, namePath);
    const mountPath = readMountPath(reader, path);
    if (mountPath !== null) reportRepeat(reader, mountPaths, mountPath, mountPathPath);
  }
}

function reportRepeat(
  reader: ConfigReader,
  seen: Map<string, ConfigPath>,
  value: string,
  path: ConfigPath,
): void {
  const first = seen.get(value);
  if (first === undefined) seen.set(value, path);
  else reader.report(path, `taken by ${reader.describe(first)}, wanted another`);
}
