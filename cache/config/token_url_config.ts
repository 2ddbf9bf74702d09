/** URLs of a configuration file that tokens, or secrets of which they are made, are sent to. */
import { isPrivateWay } from "../backend/identity/token_url.ts";
import type { ConfigPath } from "../platform/config_problem.ts";
import type { ConfigReader } from "../platform/config_reader.ts";

/** Whether nobody can read along on the way to `url`; where somebody can, reported at `path`. */
export function checkTokenUrl(reader: ConfigReader, path: ConfigPath, url: string): boolean {
  if (isPrivateWay(url)) return true;
  reader.report(path, "wanted an https URL, because tokens are never sent in the clear");
  return false;
}
