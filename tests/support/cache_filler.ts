/**
 * Reads through a cache until it is killed: a program of its own, run by the crash tests.
 * Arguments: cache directory, seed, and the durable step that kills it with how often that is to
 * come first, or `none 0`. Says on stdout when it begins to open the cache.
 */
import { isDurableStep } from "./crash_steps.ts";
import { CacheProcess, readAt, readsAs } from "./cache_process.ts";
import { CRASH_CACHE, type CrashObject, crashStore } from "./crash_workload.ts";
import { SeededRandom } from "./seeded_random.ts";

const READERS = 4;
const NEVER = new AbortController().signal;

const [path = "", seed = "0", wanted = "none", count = "0"] = Deno.args;
const fatal = isDurableStep(wanted) ? wanted : null;
let left = Number(count);
const { backend, objects } = crashStore();
Deno.stdout.writeSync(new TextEncoder().encode("open\n"));
const process = await CacheProcess.start(path, backend, {
  ...CRASH_CACHE,
  step(step) {
    if (step !== fatal) return;
    left -= 1;
    if (left <= 0) Deno.kill(Deno.pid, "SIGKILL");
  },
});
await Promise.all(
  Array.from({ length: READERS }, (_, reader) => read(new SeededRandom(Number(seed) + reader))),
);

async function read(random: SeededRandom): Promise<never> {
  for (;;) {
    const { path, entry, content } = random.pick<CrashObject>(objects);
    const object = await process.open(path, entry);
    if (random.below(3) === 0) {
      const offset = random.below(content.length);
      await readAt(object, offset, Math.min(4_096, content.length - offset));
    } else {
      await readsAs(object, content);
    }
    object.close();
    if (random.below(8) === 0) await pinOrNot(path, random.below(2) === 0);
    // The index is committed and victims are let go between two turns of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

async function pinOrNot(path: string, pinned: boolean): Promise<void> {
  const { operations } = process.cache;
  const selector = { kind: "places", places: [{ backend: backend.name, path }] } as const;
  await (pinned ? operations.pin(selector, NEVER) : operations.unpin(selector, NEVER));
}
