/** Tar shards to train from, the same bytes for the same numbers. */
import { Buffer } from "node:buffer";
import { pack } from "tar-stream";
import { sampleBytes } from "./sample_bytes.ts";

/** What shards are like. */
export interface ShardShape {
  readonly samples: number;
  /** Of each image, which is random bytes. */
  readonly imageBytes: number;
}

/** `shard-000007.tar` for 7. */
export function shardName(number: number): string {
  return `shard-${String(number).padStart(6, "0")}.tar`;
}

/** An archive of these members, in this order. */
export async function tarOf(
  members: Iterable<readonly [string, Uint8Array | string]>,
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = pack();
  for (const [name, body] of members) {
    packed.entry({ name, mtime: new Date(0) }, typeof body === "string" ? body : Buffer.from(body));
  }
  packed.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of packed) if (part instanceof Uint8Array) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/** Shard `number`: samples with ten classes, which show in the first byte of each image. */
export async function tarShard(
  number: number,
  { samples, imageBytes }: ShardShape,
): Promise<Uint8Array<ArrayBuffer>> {
  return await tarOf(membersOf(number, samples, imageBytes));
}

function* membersOf(number: number, samples: number, imageBytes: number) {
  for (let sample = 0; sample < samples; sample += 1) {
    const key = `${number}-${String(sample).padStart(6, "0")}`;
    const image = sampleBytes(imageBytes, number * 100_000 + sample);
    const label = (number + sample * 7) % 10;
    image[0] = label * 25;
    yield [`${key}.jpg`, image] as const;
    yield [`${key}.cls`, `${label}\n`] as const;
  }
}

/** Writes shards with these numbers into `directory`, which is made. */
export async function writeShards(
  directory: string,
  numbers: readonly number[],
  shape: ShardShape,
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  for (const number of numbers) {
    await Deno.writeFile(`${directory}/${shardName(number)}`, await tarShard(number, shape));
  }
}
