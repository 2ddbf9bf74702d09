/** The mount that is soaked: a process of its own, looked at from outside. */
import { programWords } from "../cli/run_program.ts";
import { freePort } from "../support/free_port.ts";
import { createPlace, type Place, unmountAll } from "../support/place.ts";
import { Program } from "../support/program.ts";
import { DATA_BYTES } from "./data_set.ts";
import type { Sample } from "./verdict.ts";

/** Longest wait for its metrics. */
const METRICS_MS_MAX = 60_000;

/** All metrics of one moment, `name{labels}` → value. */
export type Metrics = ReadonlyMap<string, number>;

/** A mount with a cache that is smaller than what is read. */
export class SoakedMount implements AsyncDisposable {
  readonly path: string;
  readonly #program: Program;
  readonly #metricsUrl: string;
  readonly #owned: AsyncDisposableStack;
  readonly #loggedErrors: string[] = [];

  private constructor(
    place: Place,
    program: Program,
    metricsUrl: string,
    owned: AsyncDisposableStack,
  ) {
    this.path = place.mountPoint;
    this.#program = program;
    this.#metricsUrl = metricsUrl;
    this.#owned = owned;
  }

  /** Mounts `backend`, whose program sees `variables`. */
  static async start(
    backend: Readonly<Record<string, unknown>>,
    variables: Readonly<Record<string, string>>,
  ): Promise<SoakedMount> {
    await using owned = new AsyncDisposableStack();
    const place = owned.use(await createPlace());
    const port = freePort();
    const config = await place.configure({
      mount_point: place.mountPoint,
      metrics: { addr: `127.0.0.1:${port}` },
      cache: {
        path: `${place.root}/cache`,
        max_size: String(Math.floor(DATA_BYTES / 2)),
        block_size: "1MiB",
        memory: "64MiB",
        stale_ttl: "2s",
      },
      backends: [backend],
    });
    const [first, ...words] = programWords();
    // A session of its own: Ctrl+C is for the soak, which ends the mount in order.
    const command = new Deno.Command("setsid", {
      args: [first, ...words, "mount", "--config", config],
      cwd: "/",
      env: { NO_COLOR: "1", ...variables },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const program = owned.use(Program.follow(command));
    owned.defer(() => unmountAll(place.mountPoint));
    await program.ready();
    return new SoakedMount(place, program, `http://127.0.0.1:${port}/metrics`, owned.move());
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Its log at level error so far; the rest is forgotten. */
  get loggedErrors(): readonly string[] {
    for (const { level, fields } of this.#program.log.splice(0)) {
      if (level === "error") this.#loggedErrors.push(JSON.stringify(fields));
    }
    return this.#loggedErrors;
  }

  /** Looks at it, `seconds` after the load began. */
  async look(
    seconds: number,
    nowMs: () => number,
  ): Promise<{ readonly sample: Sample; readonly metrics: Metrics }> {
    const startMs = nowMs();
    const response = await fetch(this.#metricsUrl, { signal: AbortSignal.timeout(METRICS_MS_MAX) });
    const metrics = parseMetrics(await response.text());
    const answerMs = nowMs() - startMs;
    const of = (name: string) => metrics.get(name) ?? NaN;
    const sample: Sample = {
      seconds,
      residentBytes: of("process_resident_memory_bytes"),
      descriptors: of("process_open_fds"),
      requestsInFlight: of("warpdrive_fuse_requests_in_flight"),
      bufferBytes: of("warpdrive_buffers_taken_bytes"),
      answerMs,
    };
    return { sample, metrics };
  }

  /** Unmounts it in order; its exit code. */
  async stop(): Promise<number> {
    this.#program.signal("SIGTERM");
    return await this.#program.exit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

function parseMetrics(text: string): Metrics {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const space = line.lastIndexOf(" ");
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}
