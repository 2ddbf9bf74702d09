/**
 * `warpdrive mount <url> <mountpoint>`: one store, without a configuration file.
 *
 * The store's root appears at the mount point itself, not in a directory below it, because that is
 * what a URL names.
 */
import { parseSourceUrl, refusedUrl } from "../cache/source_url.ts";
import type { MountConfig } from "./config.ts";
import { type MountConfigInputs, parseMountConfig } from "./config_file.ts";

/**
 * The configuration that mounts `url` at `mountPoint`, an absolute path.
 *
 * @throws {CommandError} `usage` when the URL or a credential in the environment is no good.
 */
export function mountConfigFromUrl(
  url: string,
  mountPoint: string,
  inputs: MountConfigInputs,
): MountConfig {
  const source = { url, action: "mount" };
  const backend = parseSourceUrl(source, inputs.env);
  // Goes through the file's own checks, so that both forms accept and refuse the same things.
  const outcome = parseMountConfig(
    JSON.stringify({ mount_point: mountPoint, backends: [backend] }),
    inputs,
  );
  if (!outcome.ok) throw refusedUrl(source, outcome.problems);
  return {
    ...outcome.config,
    origin: "url",
    backends: outcome.config.backends.map((settings) => ({ ...settings, mountPath: "" })),
  };
}
