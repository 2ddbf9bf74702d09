/** Shards to train from: tar archives of samples whose images are random bytes. */
import { Buffer } from "node:buffer";
import { createCipheriv, createHash } from "node:crypto";
import { pack } from "tar-stream";

/** What is written. */
export interface ShardShape {
  readonly shards: number;
  readonly samples: number;
  readonly imageBytes: number;
}

/** Writes shards below `directory`, the same ones for the same seed; their names. */
export async function writeShardFiles(
  directory: string,
  { shards, samples, imageBytes }: ShardShape,
  seed: string,
  signal: AbortSignal,
): Promise<string[]> {
  const digest = createHash("sha256").update(seed).digest();
  const cipher = createCipheriv("aes-128-ctr", digest.subarray(0, 16), digest.subarray(16));
  const zeros = Buffer.alloc(imageBytes);
  const names: string[] = [];
  for (let shard = 0; shard < shards; shard += 1) {
    signal.throwIfAborted();
    const tar = pack();
    for (let sample = 0; sample < samples; sample += 1) {
      const key = `${shard}-${String(sample).padStart(6, "0")}`;
      tar.entry({ name: `${key}.jpg` }, cipher.update(zeros));
      tar.entry({ name: `${key}.cls` }, String((shard + sample) % 10));
    }
    tar.finalize();
    const name = `shard-${String(shard).padStart(6, "0")}.tar`;
    await using file = await Deno.open(`${directory}/${name}`, { write: true, create: true });
    for await (const part of tar) if (part instanceof Uint8Array) await writeAll(file, part);
    names.push(name);
  }
  return names;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
}
