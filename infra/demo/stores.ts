/** Fills the two stores of the demo and remembers what every file must look like afterwards. */
import type { ContainerClient } from "@azure/storage-blob";
import { dirname } from "node:path/posix";
import { demoFiles, type Share } from "./data_set.ts";
import { type Original, originalOf, type Originals } from "./reading.ts";

const AZURE_SHARE: Share = { shards: 3, samplesPerShard: 150, smallFiles: 36 };
const LOCAL_SHARE: Share = { shards: 1, samplesPerShard: 120, smallFiles: 12 };

/** Uploads the container's share. */
export async function fillContainer(
  container: ContainerClient,
  seed: string,
  signal: AbortSignal,
): Promise<Originals> {
  const originals = new Map<string, Original>();
  for await (const { path, bytes } of demoFiles(`${seed}/azure`, AZURE_SHARE)) {
    await container.getBlockBlobClient(path).uploadData(bytes, { abortSignal: signal });
    originals.set(path, originalOf(bytes));
  }
  return originals;
}

/** Writes the local directory's share below `root`. */
export async function fillDirectory(
  root: string,
  seed: string,
  signal: AbortSignal,
): Promise<Originals> {
  const originals = new Map<string, Original>();
  for await (const { path, bytes } of demoFiles(`${seed}/local`, LOCAL_SHARE)) {
    signal.throwIfAborted();
    await Deno.mkdir(dirname(`${root}/${path}`), { recursive: true });
    await Deno.writeFile(`${root}/${path}`, bytes);
    originals.set(path, originalOf(bytes));
  }
  return originals;
}
