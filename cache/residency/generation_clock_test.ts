import { deepEqual, equal } from "node:assert/strict";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { dataSet, epochs, type TraceRead } from "../../tests/trace_workloads.ts";
import { GenerationClock } from "./generation_clock.ts";
import { FORGOTTEN, type Past, Uses, withUses } from "./generation_history.ts";

/** Objects with their pasts, as an owner of the clock keeps them. */
class Objects {
  readonly #pasts = new Map<number, { past: Past; generation: number }>();

  constructor(readonly clock: GenerationClock) {}

  past(key: number): Past {
    const { past, generation } = this.#pasts.get(key) ?? { past: FORGOTTEN, generation: 0 };
    return this.clock.now(past, generation);
  }

  /** Uses each object; answers with the places in `reads` after which a generation ended. */
  use(reads: readonly TraceRead[]): number[] {
    return reads.flatMap(({ key, sizeBytes }, place) => {
      const generation = this.clock.generation;
      const past = this.clock.accessed(this.past(key), sizeBytes, true);
      this.#pasts.set(key, { past, generation });
      return this.clock.endIfOver() === null ? [] : [place];
    });
  }
}

Deno.test("a generation ends soon after an epoch, from the third on", async () => {
  await withSeed(1, (random) => {
    const objects = new Objects(new GenerationClock(400));
    objects.use(epochs(dataSet(0, 1_000), 2, random));
    const ends = objects.use(epochs(dataSet(0, 1_000), 3, random));
    deepEqual(ends.map((place) => Math.floor(place / 100)), [0, 10, 20]);
  });
});

Deno.test("the first generation ends once half of the data was used twice", async () => {
  await withSeed(2, (random) => {
    const objects = new Objects(new GenerationClock(400));
    const [end] = objects.use(epochs(dataSet(0, 1_000), 2, random));
    equal(end, 1_500);
  });
});

Deno.test("a new data set begins a generation of its own", async () => {
  await withSeed(3, (random) => {
    const objects = new Objects(new GenerationClock(400));
    objects.use(epochs(dataSet(0, 1_000), 3, random));
    const [end] = objects.use(dataSet(5_000, 1_000));
    equal(Math.floor((end ?? 0) / 100), 0);
    objects.use(dataSet(5_000, 200));
    // The old was used in the generation before the last, the new one in the last only.
    equal(objects.past(7) >> 3 & 0xc0, 0x40);
    equal(objects.past(5_900) >> 3 & 0xc0, 0x80);
  });
});

Deno.test("a scan after a hot set leaves no more than one end of a generation behind", () => {
  const objects = new Objects(new GenerationClock(400));
  for (let pass = 0; pass < 4; pass += 1) objects.use(dataSet(0, 200));
  equal(objects.use(dataSet(5_000, 20_000)).length, 1);
});

Deno.test("objects too small to matter end nothing", () => {
  const objects = new Objects(new GenerationClock(1_000));
  for (let pass = 0; pass < 50; pass += 1) equal(objects.use(dataSet(0, 100)).length, 0);
});

Deno.test("a use that goes on counts once and marks the object as used", () => {
  const clock = new GenerationClock(400);
  const first = clock.accessed(FORGOTTEN, 1, true);
  equal(clock.accessed(first, 1, false), first);
  equal(clock.accessed(FORGOTTEN, 1, false), withUses(FORGOTTEN, Uses.once));
});

Deno.test("a past from long ago is forgotten", async () => {
  await withSeed(4, (random) => {
    const objects = new Objects(new GenerationClock(400));
    objects.use(dataSet(9_000, 1));
    objects.use(epochs(dataSet(0, 1_000), 12, random));
    equal(objects.past(9_000), FORGOTTEN);
  });
});
