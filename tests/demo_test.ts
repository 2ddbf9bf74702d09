/** The demo, as a newcomer runs it. */
import { deepEqual, equal, match } from "node:assert/strict";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { TextLineStream } from "../cache/platform/text_lines.ts";

/** The demo running in a temporary directory of its own, where everything it makes must be. */
class Demo implements AsyncDisposable {
  readonly temporary: string;
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;

  private constructor(temporary: string, child: Deno.ChildProcess) {
    this.temporary = temporary;
    this.#child = child;
    const text = child.stdout.pipeThrough(new TextDecoderStream());
    this.#reader = text.pipeThrough(new TextLineStream()).getReader();
  }

  static async start(args: readonly string[], env: Record<string, string> = {}): Promise<Demo> {
    const temporary = await Deno.makeTempDir();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", "infra/demo/demo.ts", ...args],
      cwd: REPOSITORY,
      env: { TMPDIR: temporary, NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    return new Demo(temporary, child);
  }

  /** Resolves at the first line that `wanted` matches, or at the end of the output. */
  async reach(wanted: RegExp): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.lines.push(value);
      if (wanted.test(value)) return;
    }
  }

  /** The exit code, once it has ended. */
  async ended(): Promise<number> {
    await this.reach(/(?!)/);
    return (await this.#child.status).code;
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** What it mounted and has not unmounted. */
  mounts(): string[] {
    return Deno.readTextFileSync("/proc/self/mounts").split("\n")
      .filter((line) => line.includes(this.temporary));
  }

  /** Fails when anything of it is still there. */
  leavesNothing(): void {
    deepEqual(this.mounts(), []);
    deepEqual([...Deno.readDirSync(this.temporary)].map(({ name }) => name), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.ended();
    await Deno.remove(this.temporary, { recursive: true });
  }
}

Deno.test("the demo reads both stores back as they were stored, and leaves nothing", async () => {
  await using demo = await Demo.start([]);
  const code = await demo.ended();
  const output = demo.lines.join("\n");
  equal(code, 0, output);
  match(output, /images +first .* identical/);
  // Not "without requests": the kernel may give up pages at any time.
  match(output, /images +second .* identical/);
  match(output, /reference +first .* identical/);
  match(output, /healthz answers 200/);
  match(output, /All went well/);
  demo.leavesNothing();
});

Deno.test("the demo stops in the middle when interrupted, and leaves nothing", async () => {
  await using demo = await Demo.start([]);
  await demo.reach(/One tree/);
  equal(demo.mounts().length, 1);
  demo.interrupt();
  equal(await demo.ended(), 130, demo.lines.join("\n"));
  demo.leavesNothing();
});

Deno.test("the demo stays mounted with --keep until it is interrupted", async () => {
  await using demo = await Demo.start(["--keep"]);
  await demo.reach(/stays mounted until/);
  equal(demo.mounts().length, 1, demo.lines.join("\n"));
  demo.interrupt();
  equal(await demo.ended(), 0, demo.lines.join("\n"));
  demo.leavesNothing();
});

Deno.test("the demo says what the machine lacks", async () => {
  await using demo = await Demo.start([], { PATH: "/nowhere" });
  equal(await demo.ended(), 1);
  match(demo.lines.join("\n"), /npm is not installed: Azurite/);
  demo.leavesNothing();
});

Deno.test("the demo refuses arguments that it does not know", async () => {
  await using demo = await Demo.start(["--kep"]);
  equal(await demo.ended(), 2);
  match(demo.lines.join("\n"), /wanted nothing, or --keep/);
});
