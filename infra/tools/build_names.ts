/**
 * Makes a bundle say nothing of the machine that made it. The bundler writes where packages lie,
 * seen from the repository, and derives names of chunks from that: the same commit in another
 * folder is another program.
 */
import { createHash } from "node:crypto";

/** The hash in the name of a chunk, behind what it is for. */
const HASH = /(?<=-)[0-9A-Z]{8}(?=\.js\b)/g;

/** Folder that packages seem to lie in. */
export const PACKAGES = "npm/";

/**
 * The same bundle with paths of packages below {@linkcode PACKAGES} and chunks named for what they
 * hold. Sorted by path.
 *
 * @param files Path in the bundle → text.
 * @param packages Folder of the packages as the bundler sees it, with a folder for each registry.
 */
export function stableBundle(
  files: ReadonlyMap<string, string>,
  packages: string,
): Map<string, string> {
  const prefix = new RegExp(`${RegExp.escape(packages)}/[^/\\s"]+/`, "g");
  const texts = new Map(
    [...files].map(([path, text]) => [path, text.replaceAll(prefix, PACKAGES)]),
  );
  const hashes = chunkHashes(texts);
  const renamed = (text: string) => text.replaceAll(HASH, (hash) => hashes.get(hash) ?? hash);
  const stable = new Map([...texts].map(([path, text]) => [renamed(path), renamed(text)]));
  if (stable.size < texts.size) {
    throw new Error("Name the chunks of the bundle: two chunks are the same, wanted all to differ");
  }
  return new Map([...stable].sort(([a], [b]) => a < b ? -1 : 1));
}

/**
 * New hashes of chunks by their old ones. Chunks name one another, in circles, too: a hash is made
 * of the text with the hashes in it replaced by what is known of those chunks, again and again
 * until that tells no more of them apart.
 */
function chunkHashes(texts: ReadonlyMap<string, string>): Map<string, string> {
  const chunks = new Map(
    [...texts].flatMap(([path, text]) => (path.match(HASH) ?? []).map((hash) => [hash, text])),
  );
  let known = new Map([...chunks.keys()].map((hash) => [hash, ""]));
  for (let distinct = 0, before = -1; distinct > before;) {
    before = distinct;
    const last = known;
    known = new Map([...chunks].map(([hash, text]) => {
      const told = text.replaceAll(HASH, (other) => last.get(other) ?? other);
      return [hash, createHash("sha256").update(told).digest("hex").slice(0, 12)];
    }));
    distinct = new Set(known.values()).size;
  }
  return known;
}
