/** What the bytes of files are compared with: a list of checksums, or what their store knows. */
import { join } from "node:path/posix";
import { CommandError } from "../../cache/platform/exit.ts";
import { type Manifest, MANIFEST_NAMES, parseManifest } from "./manifest.ts";
import type { Checksum, DigestName } from "./digest.ts";
import type { BenchFile } from "./pattern.ts";
import type { FileDigest } from "./read_messages.ts";
import type { BenchSettings } from "./settings.ts";
import { type AttributeReader, storeChecksums, storeDigests } from "./store_checksums.ts";

/** Where checksums come from, and of which kinds they are. */
export type Reference =
  & { readonly digests: readonly DigestName[] }
  & ({ readonly kind: "list"; readonly manifest: Manifest } | { readonly kind: "store" });

/**
 * The list that was named, or one in the directory, or the store behind `files`.
 *
 * @throws {CommandError} when there is none of them.
 */
export async function findReference(
  { dir, manifest: named }: Pick<BenchSettings, "dir" | "manifest">,
  files: readonly BenchFile[],
  attributes: AttributeReader,
): Promise<Reference> {
  const candidates = named === undefined ? MANIFEST_NAMES.map((name) => join(dir, name)) : [named];
  const manifest = readFirst(candidates);
  if (manifest !== null) return { kind: "list", digests: [manifest.digest], manifest };
  const digests = named === undefined ? await storeDigests(files, attributes) : [];
  if (digests.length > 0) return { kind: "store", digests };
  const store = named === undefined ? ", and no store that keeps checksums" : "";
  throw new CommandError(
    "failed",
    `Cannot verify "${dir}": there is no ${candidates.join(", ")}${store}`,
    'Make one with "sha256sum FILE… > SHA256SUMS", or name it with --manifest',
  );
}

/** What is to be expected of the files that were `read` whole, by their paths. */
export async function expectedDigests(
  reference: Reference,
  read: readonly FileDigest[],
  attributes: AttributeReader,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Checksum>> {
  if (reference.kind === "list") return reference.manifest.expected;
  return await storeChecksums(read.map(({ path }) => path), reference.digests, attributes, signal);
}

function readFirst(candidates: readonly string[]): Manifest | null {
  for (const path of candidates) {
    try {
      return parseManifest(path, Deno.readTextFileSync(path));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}
