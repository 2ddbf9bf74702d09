/**
 * `deno task bench:stores`: what a read costs beside the answer of its store. The same ranges of
 * the same object, read by each backend and by a bare loop around `fetch`, in turn.
 */
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { runBenchmark, say } from "../bench/benchmark_program.ts";
import { type Outcome, runExperiment } from "../bench/experiment.ts";
import { thisPlace } from "../bench/machine.ts";
import { outcomeLines } from "../bench/mount_report.ts";
import { median } from "../bench/statistics.ts";
import type { Backend } from "../cache/backend/backend.ts";
import { systemClock } from "../cache/platform/clock.ts";
import {
  OBJECT,
  type PublicObject,
  STORE_NAMES,
  type StoreName,
  storePublicObject,
} from "./support/public_object.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const HELP = `deno task bench:stores [options]: measure the reads of each backend against fetch

  --rounds N        measure everything N times (default 15)
  --passes N        read 64 MiB this often in one measurement (default 3)
  --store NAME      azure, s3 or gcs (default all)

It needs Go, which builds two of the servers. Exit code 1 when a backend reaches less than 0.9 of a
loop that keeps what it reads.`;

const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));
/** The wanted share of what a bare loop reaches. */
const SHARE_MIN = 0.9;
const OBJECT_BYTES = 64 * 1024 * 1024;
/** What the cache asks of a store at once. */
const RANGE_BYTES = 4 * 1024 * 1024;
/** As fast as any, see `cache/backend/range_answer.ts`. */
const BUFFER_BYTES = 256 * 1024;
const STREAMS = [1, 4] as const;

interface Options {
  readonly rounds: number;
  readonly passes: number;
  readonly stores: readonly StoreName[];
}

function parseOptions(args: readonly string[]): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "15" },
      passes: { type: "string", default: "3" },
      store: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const stores = STORE_NAMES.filter((name) => name === (values.store ?? name));
  if (stores.length === 0) throw new Error(`Measure "${values.store}": wanted azure, s3 or gcs`);
  return { rounds: Number(values.rounds), passes: Number(values.passes), stores };
}

/** Runs everything; true when every backend is as fast as it should be. */
async function bench(options: Options, signal: AbortSignal): Promise<boolean> {
  const place = await thisPlace(REPOSITORY, REPOSITORY);
  say([
    `${place.processor}, ${place.cores} cores, Linux ${place.kernel}, Deno ${place.deno}, ` +
    `commit ${place.commit}, load ${place.load.toFixed(1)} at the start`,
  ]);
  const outcomes: Outcome[] = [];
  for (const store of options.stores) {
    await using owned = new AsyncDisposableStack();
    const object = await storePublicObject(store, sampleBytes(OBJECT_BYTES, 1), owned);
    const read = await versionedRead(object.backend, signal);
    for (const streams of STREAMS) {
      const outcome = await compare(store, object, read, streams, options, signal);
      say(outcomeLines(outcome));
      outcomes.push(outcome);
    }
  }
  const verdicts = outcomes.map((outcome) => ({ title: outcome.title, share: shareOf(outcome) }));
  say([
    "",
    ...verdicts.map(({ title, share }) =>
      `${share >= SHARE_MIN ? "pass" : "FAIL"}  ${title}: ${share.toFixed(2)}, wanted ${SHARE_MIN}`
    ),
  ]);
  return verdicts.every(({ share }) => share >= SHARE_MIN);
}

/** The median over the rounds: the two of one round had the same neighbours. */
function shareOf({ scores: [loop, own] }: Outcome): number {
  return median(loop?.values.map((value, round) => (own?.values[round] ?? NaN) / value) ?? []);
}

/** Reads the range of `RANGE_BYTES` at an offset into memory that is used again. */
type RangeReader = (offset: number, target: Uint8Array<ArrayBuffer>) => Promise<void>;

async function versionedRead(backend: Backend, signal: AbortSignal): Promise<RangeReader> {
  const entry = await backend.stat(OBJECT, signal);
  if (entry?.kind !== "object") throw new Error(`Cannot read "${OBJECT}": it is not there`);
  const { version } = entry;
  const onFilled = () => {};
  return (offset, target) =>
    backend.read({ path: OBJECT, version, offset, target, onFilled }, signal);
}

async function compare(
  store: StoreName,
  { url }: PublicObject,
  backendRead: RangeReader,
  streams: number,
  { rounds, passes }: Options,
  signal: AbortSignal,
): Promise<Outcome> {
  const measured = (name: string, read: RangeReader) => ({
    name,
    measure: () => gigabytesPerSecond(read, streams, passes),
  });
  const contenders = [
    measured("fetch, bytes kept", (offset, target) => fetchRange(url, offset, target)),
    measured("backend", backendRead),
    measured("fetch, bytes dropped", (offset) => fetchRange(url, offset, null)),
  ];
  // Code is compiled and connections are opened.
  for (const { measure } of contenders) await measure();
  const title = `${store}, ${streams} at once`;
  return await runExperiment({ id: title, title, unit: "GB/s", contenders }, rounds, signal);
}

async function gigabytesPerSecond(
  read: RangeReader,
  streams: number,
  passes: number,
): Promise<number> {
  const reads = OBJECT_BYTES / RANGE_BYTES * passes;
  const startedMs = systemClock.monotonicMs();
  let next = 0;
  const stream = async () => {
    const target = new Uint8Array(RANGE_BYTES);
    while (next < reads) {
      const offset = next * RANGE_BYTES % OBJECT_BYTES;
      next += 1;
      await read(offset, target);
    }
  };
  await Promise.all(Array.from({ length: streams }, stream));
  return reads * RANGE_BYTES / 1e6 / (systemClock.monotonicMs() - startedMs);
}

/** The fastest loop there is: into one small buffer over and over, and from there to `target`. */
async function fetchRange(
  url: string,
  offset: number,
  target: Uint8Array<ArrayBuffer> | null,
): Promise<void> {
  const range = `bytes=${offset}-${offset + RANGE_BYTES - 1}`;
  const response = await fetch(url, { headers: { range } });
  const reader = response.body?.getReader({ mode: "byob" });
  if (response.status !== 206 || reader === undefined) {
    throw new Error(`Fetch "${url}": answered ${response.status} where 206 was wanted`);
  }
  let filledBytes = 0;
  let buffer = new ArrayBuffer(BUFFER_BYTES);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done || value === undefined) break;
    target?.set(value, filledBytes);
    filledBytes += value.length;
    buffer = value.buffer;
  }
  if (filledBytes !== RANGE_BYTES) throw new Error(`Fetch "${url}": got ${filledBytes} bytes`);
}

if (import.meta.main) {
  const program = { help: HELP, parse: parseOptions, run: bench };
  Deno.exit(await runBenchmark(program, Deno.args, Deno.exit));
}
