/**
 * A list of checksums, as `sha256sum` and its kin write it: a line per file, `DIGEST  PATH`, paths
 * relative to the directory of the list.
 */
import { dirname, join } from "node:path/posix";
import { CommandError } from "../../cache/platform/exit.ts";
import type { Checksum, DigestName } from "./digest.ts";
import type { FileDigest } from "./read_messages.ts";

/** Names under which a list is found in the directory it is about. */
export const MANIFEST_NAMES = ["SHA512SUMS", "SHA256SUMS", "SHA1SUMS", "MD5SUMS"];

const DIGEST_BY_LENGTH: ReadonlyMap<number, DigestName> = new Map([
  [32, "md5"],
  [40, "sha1"],
  [64, "sha256"],
  [128, "sha512"],
]);
/** As `sha256sum` does it: a leading backslash says that the name is escaped. */
const LINE = /^(\\?)([0-9a-f]{32,128}) [ *](.+)$/;

/** Checksums of files by their paths, all of one kind. */
export interface Manifest {
  readonly digest: DigestName;
  readonly expected: ReadonlyMap<string, Checksum>;
}

/**
 * Reads the list in the file `path` with the contents `text`.
 *
 * @throws {CommandError} naming the first line that is none.
 */
export function parseManifest(path: string, text: string): Manifest {
  const expected = new Map<string, Checksum>();
  const kinds = new Set<DigestName>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const [, escaped, hex = "", name = ""] = LINE.exec(line) ?? [];
    const digest = DIGEST_BY_LENGTH.get(hex.length);
    if (digest === undefined) throw wrong(path, `line ${index + 1} is no checksum and path`);
    kinds.add(digest);
    expected.set(join(dirname(path), escaped === "" ? name : unescaped(name)), { digest, hex });
  }
  const [digest, second] = kinds;
  if (digest === undefined) throw wrong(path, "it is empty");
  if (second !== undefined) throw wrong(path, `it mixes ${[...kinds].join(" and ")}`);
  return { digest, expected };
}

/** What came of comparing files with a list. */
export interface Verdict {
  readonly matched: number;
  /** Files with other bytes than were expected. */
  readonly different: readonly string[];
  /** Files of which nothing is known. */
  readonly unknown: number;
}

/**
 * Compares what readers read with what is `expected`, each file by the kind of checksum that is; a
 * file that was read twice counts once.
 */
export function compare(
  expected: ReadonlyMap<string, Checksum>,
  digests: readonly FileDigest[],
): Verdict {
  const matched = new Set<string>();
  const different = new Set<string>();
  const read = new Set<string>();
  for (const { path, digest, hex } of digests) {
    read.add(path);
    const wanted = expected.get(path);
    if (wanted?.digest === digest) (wanted.hex === hex ? matched : different).add(path);
  }
  const unknown = read.difference(matched.union(different)).size;
  return { matched: matched.size, different: [...different].sort(), unknown };
}

function unescaped(name: string): string {
  return name.replace(/\\([\\nr])/g, (_, letter: string) => {
    return letter === "n" ? "\n" : letter === "r" ? "\r" : "\\";
  });
}

function wrong(path: string, what: string): CommandError {
  return new CommandError(
    "failed",
    `Cannot verify against "${path}": ${what}`,
    'Make the list with "sha256sum FILE… > SHA256SUMS"',
  );
}
