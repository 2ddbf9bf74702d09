/** The members of a synthetic shard: a function of the seed and the shard's number alone. */
import { Xoshiro128 } from "../../cache/platform/random.ts";
import type { MakeJob } from "./jobs.ts";
import { sampleKey } from "./names.ts";
import type { ShardMember } from "./shard_file.ts";
import { SyntheticJpegs } from "./synthetic_jpeg.ts";

/** Images with their labels, one after the other. Every shard has random numbers of its own. */
export function* syntheticMembers(job: MakeJob): Generator<ShardMember> {
  const { seed, shard, samples, images } = job;
  const random = Xoshiro128.seeded(seed, shard);
  const jpegs = new SyntheticJpegs(images);
  const encoder = new TextEncoder();
  for (let index = 0; index < samples; index += 1) {
    const key = sampleKey(shard * samples + index);
    const label = random.below(images.classes);
    yield { name: `${key}.jpg`, bytes: jpegs.draw(label, random) };
    yield { name: `${key}.cls`, bytes: encoder.encode(String(label)) };
  }
}
