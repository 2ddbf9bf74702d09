/** A real mount of the program, for one test. */
import { createPlace, type Place, unmountAll } from "./place.ts";
import { Program } from "./program.ts";
import { freePort } from "./free_port.ts";

/** After so long a test is taken to hang unless it says: its mount is ended, so its calls fail. */
const TEST_MS_MAX = 120_000;

/** On a machine that is busy with other things a disk seems to hang: no bug of the program. */
const STARVED = /no answer from the disk within|the disk has not answered for long/;

/** What is mounted. */
export interface MountSettings {
  /** Sections of the configuration; by default one local backend, `data`, shows the source. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Environment of the program. */
  readonly variables?: Readonly<Record<string, string>>;
  /** More arguments of `warpdrive mount`. */
  readonly args?: readonly string[];
  /** Longest time the test may take, in milliseconds. */
  readonly testMsMax?: number;
  /** Fills the source before it is mounted. */
  readonly fill?: (source: string) => Promise<void>;
}

/** Health as `/healthz` and `/livez` tell it. */
export interface Health {
  /** HTTP status. */
  readonly code: number;
  readonly status: string;
  /** Status of each check, by name. */
  readonly checks: ReadonlyMap<string, string>;
}

/** A mount that is served. */
export class Mounted implements AsyncDisposable {
  readonly place: Place;
  readonly program: Program;
  /** Whether the kernel reads local files by itself. */
  readonly passthrough: boolean;
  readonly #origin: string;
  readonly #watchdog: Watchdog;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    place: Place,
    program: Program,
    passthrough: boolean,
    origin: string,
    testMsMax: number,
    owned: AsyncDisposableStack,
  ) {
    this.place = place;
    this.program = program;
    this.passthrough = passthrough;
    this.#origin = origin;
    this.#watchdog = new Watchdog(place.mountPoint, testMsMax);
    this.#owned = owned;
  }

  /** Mounts at `place` and waits until it is listable. Disposing it disposes `beneath` too. */
  static async start(
    place: Place,
    settings: MountSettings,
    beneath: AsyncDisposableStack = new AsyncDisposableStack(),
  ): Promise<Mounted> {
    await using owned = beneath;
    const port = freePort();
    const config = await place.configure({
      mount_point: place.mountPoint,
      metrics: { addr: `127.0.0.1:${port}` },
      control: { path: `${place.root}/control` },
      backends: [{ name: "data", type: "local", config: { root: place.source } }],
      ...settings.config,
    });
    const args = ["mount", "--config", config, ...settings.args ?? []];
    const program = owned.use(Program.start(args, settings.variables));
    owned.defer(() => unmountAll(place.mountPoint));
    const { fields } = await program.ready();
    const passthrough = fields["passthrough"] === true;
    const origin = `http://127.0.0.1:${port}`;
    const testMsMax = settings.testMsMax ?? TEST_MS_MAX;
    return new Mounted(place, program, passthrough, origin, testMsMax, owned.move());
  }

  /** The mount point. */
  get path(): string {
    return this.place.mountPoint;
  }

  /** The directory that stands for the source. */
  get data(): string {
    return `${this.path}/data`;
  }

  /** Where a page is over HTTP. */
  url(name: string): string {
    return `${this.#origin}/${name}`;
  }

  /** The text of a page over HTTP. */
  async page(name: string): Promise<string> {
    return await (await fetch(this.url(name))).text();
  }

  /** Every sample of `/metrics`: `name{labels}` → value. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const text = await this.page("metrics");
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }));
  }

  async health(page: "healthz" | "livez" = "healthz"): Promise<Health> {
    const response = await fetch(this.url(page));
    const body = await response.json();
    const checks = Object.entries<{ status: string }>(body.checks);
    return {
      code: response.status,
      status: body.status,
      checks: new Map(checks.map(([name, { status }]) => [name, status])),
    };
  }

  /** Sends `signal` and waits for the end; the exit code. */
  async stop(signal: Deno.Signal): Promise<number> {
    this.program.signal(signal);
    return await this.program.exit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const bugs = this.program.log.filter((line) =>
      line.level === "error" && !STARVED.test(JSON.stringify(line.fields))
    );
    await this.#owned.disposeAsync();
    await this.#watchdog.end();
    if (bugs.length > 0) throw new Error(`The program logged errors:\n${this.program.logText}`);
  }
}

/** Ends a mount whose test does not end, so that what waits for an answer fails. */
class Watchdog {
  readonly #timer;
  readonly #msMax: number;
  #ending: Promise<void> | null = null;

  constructor(mountPoint: string, msMax: number) {
    this.#msMax = msMax;
    this.#timer = setTimeout(() => {
      this.#ending = unmountAll(mountPoint);
    }, msMax);
  }

  /** Throws when it had to act. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#ending === null) return;
    await this.#ending;
    throw new Error(`The mount hung, or its test took more than ${this.#msMax / 1000} s`);
  }
}

/** Runs one step of a test; its log is shown when it fails. */
export type Step = (
  sentence: string,
  body: () => Promise<void>,
  condition?: "always" | "as root",
) => Promise<void>;

/** Whether what only root may do can be tested. */
export const ROOT = Deno.uid() === 0;

/** A mount in a place of its own, which disposing takes away too. */
export async function mount(settings: MountSettings): Promise<Mounted> {
  await using owned = new AsyncDisposableStack();
  const place = owned.use(await createPlace());
  await settings.fill?.(place.source);
  return await Mounted.start(place, settings, owned.move());
}

/** A test whose steps share one mount. */
export function mountTest(
  title: string,
  settings: MountSettings,
  body: (mounted: Mounted, step: Step) => Promise<void>,
): void {
  Deno.test(title, async (test) => {
    await using mounted = await mount(settings);
    let failed = false;
    const step: Step = async (sentence, run, condition = "always") => {
      const ignore = condition === "as root" && !ROOT;
      // False for a step that was left out, too.
      const passed = await test.step({ name: sentence, ignore, fn: run });
      failed ||= !passed && !ignore;
    };
    try {
      await body(mounted, step);
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      if (failed) showLog(mounted);
    }
  });
}

function showLog({ path, program }: Mounted): void {
  const text = `Log of the mount at ${path}:\n${program.logText}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
