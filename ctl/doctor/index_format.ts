/** Whether this release can use the index of the cache; read from the head of its file alone. */
import { APPLICATION_ID, FORMAT_VERSION } from "../../cache/index/schema.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import { bad, doubtful, type Finding, good } from "../../cache/platform/finding.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";

const SUBJECT = "cache index";
/** Offsets of the database header, sqlite.org/fileformat2.html. */
const HEADER_BYTES = 100;
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;
const MAGIC = "SQLite format 3\0";

/** The check of `index.sqlite`. `head` gives its first bytes; null when there is no such file. */
export function indexFormat(head: (bytes: number) => Promise<Uint8Array | null>): Check {
  return {
    name: "index_format",
    subject: SUBJECT,
    deadlineMs: LOCAL_DEADLINE_MS,
    run: async () => judgeHeader(await head(HEADER_BYTES)),
  };
}

function judgeHeader(head: Uint8Array | null): Finding {
  if (head === null || head.length === 0) {
    return good(SUBJECT, "none yet that this user could read");
  }
  const magic = new TextDecoder("latin1").decode(head.subarray(0, MAGIC.length));
  if (head.length < HEADER_BYTES || magic !== MAGIC) {
    return doubtful(SUBJECT, "it is damaged", "Nothing to do: the next start begins a new one");
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint32(USER_VERSION_AT);
  const application = view.getUint32(APPLICATION_ID_AT);
  // Until the log of the database has been written back, as late as at the end of a mount.
  if (application === 0) return good(SUBJECT, "its format is in its log, not in its head yet");
  if (application !== APPLICATION_ID) {
    return doubtful(
      SUBJECT,
      "it is a database of another program",
      "Give cache.path a directory of its own, or the next start begins a new index",
    );
  }
  if (version > FORMAT_VERSION) {
    return bad(
      SUBJECT,
      `a newer release wrote it: format ${version}, and this one knows ${FORMAT_VERSION}`,
      "Use that release, or another cache.path",
    );
  }
  return good(SUBJECT, `format ${version}, which this release uses`);
}

/** The first `bytes` of the file at `path`; null when there is none that this user could read. */
export async function readHead(path: string, bytes: number): Promise<Uint8Array | null> {
  try {
    using file = await Deno.open(path, { read: true });
    const head = new Uint8Array(bytes);
    const length = await file.read(head);
    return head.subarray(0, length ?? 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (error instanceof Deno.errors.PermissionDenied) return null;
    throw new CommandError(
      "failed",
      `Cannot read ${JSON.stringify(path)}`,
      "Check the disk of cache.path",
      { cause: error },
    );
  }
}
