/** Readers of the soak, and who rewrites what they read. Every byte they get is compared. */
import { errnoName } from "../../cache/platform/errno.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { within } from "../../cache/platform/within.ts";
import { run } from "../support/command.ts";
import type { SeededRandom } from "../support/seeded_random.ts";
import type { DataSet, Directory, ExpectedFile } from "./data_set.ts";
import type { WeatherMaker } from "./weather.ts";

/** Nothing takes longer, whatever the weather: it hangs. */
const OPERATION_MS_MAX = 120_000;
/** Complaints of one kind that are kept. */
const COMPLAINTS_MAX = 50;
const RANDOM_READS = 30;
const SEQUENTIAL_BYTES = 256 * 1024;
const MAPPED_READER = new URL("./mapped_reader.ts", import.meta.url).pathname;
const TIMED_READER = new URL("../support/timed_reader.ts", import.meta.url).pathname;

/** How many of each there are, and how long each rests after an operation, on average. */
export interface Intensity {
  readonly sequential: number;
  readonly random: number;
  readonly small: number;
  readonly pauseMs: number;
  /** Of those that are programs of their own, and of the one that writes. */
  readonly rarePauseMs: number;
}

/** What `--load` stands for. */
export const LOADS: Readonly<Record<string, Intensity>> = {
  low: { sequential: 1, random: 1, small: 1, pauseMs: 1_000, rarePauseMs: 15_000 },
  medium: { sequential: 3, random: 4, small: 2, pauseMs: 50, rarePauseMs: 3_000 },
  high: { sequential: 8, random: 16, small: 4, pauseMs: 0, rarePauseMs: 1_000 },
};

/** What the readers met. */
export class Findings {
  readonly wrongBytes: string[] = [];
  readonly unexpectedErrors: string[] = [];
  /** Operations by kind, and errors that were to be expected by name. */
  readonly counts = new Map<string, number>();
  bytes = 0;
  readonly #say: (line: string) => void;

  /** `say` is told at once of what is wrong. */
  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Something is wrong, of which `complaints` keeps a few. */
  complain(complaints: string[], text: string): void {
    this.#say(`WRONG: ${text}\n`);
    if (complaints.length < COMPLAINTS_MAX) complaints.push(text);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

/** Bytes that no version has. */
class WrongBytes extends Error {}

/** What the load works with. */
export interface LoadDeps {
  readonly root: string;
  readonly data: DataSet;
  readonly weather: WeatherMaker;
  readonly random: SeededRandom;
  readonly clock: Clock;
  readonly findings: Findings;
  readonly intensity: Intensity;
}

/** Keeps a mount busy. */
export class Load {
  readonly #deps: LoadDeps;

  constructor(deps: LoadDeps) {
    this.#deps = deps;
  }

  /** Reads and writes until `signal` aborts and what was begun has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { sequential, random, small, pauseMs, rarePauseMs } = this.#deps.intensity;
    const many = (count: number, what: string, work: () => Promise<void>) =>
      Array.from({ length: count }, () => this.#repeat(what, pauseMs, work, signal));
    const rare = (what: string, work: () => Promise<void>) =>
      this.#repeat(what, rarePauseMs, work, signal);
    await Promise.all([
      ...many(sequential, "sequential", () => this.#readWhole("shards")),
      ...many(random, "random", () => this.#readHereAndThere("shards")),
      ...many(small, "small", () => this.#readDirectory()),
      ...many(1, "changing", () => this.#readWhole("changing")),
      ...many(1, "changing at random", () => this.#readHereAndThere("changing")),
      rare("find", () => this.#find()),
      rare("mapped", () => this.#readBy("mapped", MAPPED_READER)),
      rare("interrupted", () => this.#readBy("interrupted", TIMED_READER)),
      rare("rewrite", () => this.#rewrite()),
    ]);
  }

  async #repeat(
    what: string,
    pauseMs: number,
    work: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random } = this.#deps;
    while (!signal.aborted) {
      await this.#attempt(what, work);
      await clock.sleep(2 * pauseMs * random.next(), signal).catch(() => undefined);
    }
  }

  /** Does `work` and judges how it ended. */
  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    const { clock, findings, weather } = this.#deps;
    const startMs = clock.monotonicMs();
    const late = () => new Error(`no answer within ${OPERATION_MS_MAX / 1_000} s`);
    try {
      await within(work(), OPERATION_MS_MAX, clock, late);
      findings.count(what);
    } catch (error) {
      const text = `${what} at ${new Date(clock.wallMs()).toISOString()}, ` +
        `${weather.current}: ${error}`;
      if (error instanceof WrongBytes) findings.complain(findings.wrongBytes, text);
      else if (this.#isExpected(what, codeOf(error), startMs)) findings.count(codeOf(error));
      else findings.complain(findings.unexpectedErrors, text);
    }
  }

  #isExpected(what: string, code: string, startMs: number): boolean {
    // The version that is open may be gone from the store and not be cached.
    if (code === "ESTALE") return what.startsWith("changing");
    return (code === "EIO" || code === "ETIMEDOUT") && this.#deps.weather.mayFail(startMs);
  }

  async #readWhole(directory: Directory): Promise<void> {
    const key = this.#deps.random.pick(this.#deps.data.keys(directory));
    await this.#openFile(key, async (file, expected, sizeBytes) => {
      const buffer = new Uint8Array(SEQUENTIAL_BYTES);
      for (let offset = 0; offset < sizeBytes;) {
        const read = await file.read(buffer);
        this.#compare(key, expected, buffer.subarray(0, read ?? 0), offset);
        offset += read ?? 0;
      }
    });
  }

  async #readHereAndThere(directory: Directory): Promise<void> {
    const { data, random } = this.#deps;
    const key = random.pick(data.keys(directory));
    await this.#openFile(key, async (file, expected, sizeBytes) => {
      for (let reads = 0; reads < RANDOM_READS; reads += 1) {
        const offset = random.below(sizeBytes);
        await file.seek(offset, Deno.SeekMode.Start);
        const buffer = new Uint8Array(1 + random.below(65_536));
        const read = await file.read(buffer);
        this.#compare(key, expected, buffer.subarray(0, read ?? 0), offset);
      }
    });
  }

  /** The files of one directory in their order. */
  async #readDirectory(): Promise<void> {
    const { data, root, random, findings } = this.#deps;
    const some = random.pick(data.keys("small"));
    const directory = some.slice(0, some.lastIndexOf("/"));
    for (const key of data.keys("small").filter((each) => each.startsWith(`${directory}/`))) {
      const bytes = await Deno.readFile(`${root}/${key}`);
      const expected = data.expect(key);
      if (!expected.hasSize(bytes.length)) throw new WrongBytes(`${key} has ${bytes.length} bytes`);
      this.#compare(key, expected, bytes, 0);
      findings.count("small file");
    }
  }

  async #openFile(
    key: string,
    read: (file: Deno.FsFile, expected: ExpectedFile, sizeBytes: number) => Promise<void>,
  ): Promise<void> {
    const { data, root } = this.#deps;
    using file = await Deno.open(`${root}/${key}`);
    const { size } = await file.stat();
    // Asked for afterwards, so that the version that was opened is among them.
    const expected = data.expect(key);
    if (!expected.hasSize(size)) throw new WrongBytes(`${key} has ${size} bytes`);
    await read(file, expected, size);
  }

  #compare(key: string, expected: ExpectedFile, bytes: Uint8Array, offset: number): void {
    this.#deps.findings.bytes += bytes.length;
    if (bytes.length === 0) throw new WrongBytes(`${key} ends at ${offset}`);
    if (!expected.has(bytes, offset)) {
      throw new WrongBytes(`${key}, ${bytes.length} bytes at ${offset}`);
    }
  }

  async #find(): Promise<void> {
    const { data, root } = this.#deps;
    const { code, stdout, stderr } = await run("find", root, "-type", "f");
    if (code !== 0) throw new Error(stderr);
    const wanted = (["shards", "small", "changing"] as const)
      .reduce((sum, directory) => sum + data.keys(directory).length, 0);
    const found = stdout.trimEnd().split("\n").length;
    if (found !== wanted) throw new WrongBytes(`find sees ${found} files of ${wanted}`);
  }

  /** Has a shard read by a program that prints its SHA-256. */
  async #readBy(what: string, program: string): Promise<void> {
    const { data, root, random } = this.#deps;
    const key = random.pick(data.keys("shards"));
    const { code, stdout, stderr } = await run(
      Deno.execPath(),
      ...["run", "--allow-all", "--no-check", "--quiet", program, `${root}/${key}`],
    );
    // A mapping whose bytes cannot be had ends its process (128 + SIGBUS).
    if (code === 135) throw new Error("os error 5");
    if (code !== 0) throw new Error(`${what}: exit code ${code}: ${stderr}`);
    if (!data.sums(key).some((sum) => stdout.includes(sum))) throw new WrongBytes(key);
  }

  async #rewrite(): Promise<void> {
    const { data, random } = this.#deps;
    await data.write(random.pick(data.keys("changing")), "changing", random.next());
  }
}

/** The errno a failed system call or program told of, by name; else `unknown`. */
function codeOf(error: unknown): string {
  const text = String(error);
  const number = /os error (\d+)|errno (\d+)/.exec(text);
  if (number !== null) return errnoName(Number(number[1] ?? number[2]));
  if (text.includes("Input/output error")) return "EIO";
  if (text.includes("Connection timed out")) return "ETIMEDOUT";
  return "unknown";
}
