/** The demo, as a newcomer runs it. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { basename } from "node:path/posix";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { TextLineStream } from "../cache/platform/text_lines.ts";
import { installAzurite } from "./support/azurite.ts";
import { installed } from "./support/command.ts";
import { ROOT } from "./support/mounted.ts";
import { OrdinaryUser, USER_ID } from "./support/ordinary_user.ts";
import { createPlace } from "./support/place.ts";

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

  get output(): string {
    return this.lines.join("\n");
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

  /** Fails when a mount, a file or a process of it is still there. */
  leavesNothing(): void {
    deepEqual(this.mounts(), []);
    deepEqual([...Deno.readDirSync(this.temporary)].map(({ name }) => name), []);
    deepEqual(processesOf(this.temporary), []);
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

/** Command lines of processes with `directory` among their arguments or in their environment. */
function processesOf(directory: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name))
    .flatMap(({ name }) => {
      const command = contentsOf(`/proc/${name}/cmdline`);
      const belongs = `${command}\0${contentsOf(`/proc/${name}/environ`)}`.includes(directory);
      return belongs ? [command.replaceAll("\0", " ")] : [];
    });
}

/** A file of /proc; empty when its process is gone or another user's. */
function contentsOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** The cells of the row of the comparison table that begins with `title`. */
function rowOf(output: string, title: string): string[] {
  const [, table = ""] = output.split("Cold against warm");
  const row = table.split("\n").find((line) => line.trim().startsWith(title)) ?? "";
  return row.trim().split(/ {2,}/).slice(1);
}

/** What every run that went well has said, whoever ran it. */
function assertShown(output: string): void {
  deepEqual(rowOf(output, "Backend data fetched")[1], "0 B", output);
  deepEqual(rowOf(output, "Seen on the links")[1], "0 B", output);
  deepEqual(rowOf(output, "Cache misses")[1], "0", output);
  deepEqual(rowOf(output, "Cache hit rate")[1], "100.0 %", output);
  const [coldLoss, warmLoss, verdict] = rowOf(output, "Loss of the last step");
  equal(coldLoss, warmLoss);
  equal(verdict, "identical");
  ok(Number.parseFloat(rowOf(output, "Backend data fetched")[0] ?? "0") > 0, "the cold epoch");
  equal(output.match(/\[ ok \]/g)?.length, 6, output);
  match(output, /all 20 as they were stored/);
  match(output, /datasets-cac\/train\/ +10 shards\n +shard-000000\.tar {2}shard-000002\.tar {2}/);
  match(output, /datasets-wus3\/train\/ +10 shards\n +shard-000001\.tar {2}shard-000003\.tar {2}/);
  const [, governance = ""] = output.split("Governance, on the live mount");
  deepEqual(governance.match(/.*\S…$/gm), null, "no evidence is cut");
  match(output, /All 6 capabilities shown/);
  ok(!output.includes("FAILED"), output);
  ok(!output.includes("\x1b"), "plain text where it is no terminal");
}

/**
 * Lends an ordinary user what root has installed: Azurite, and packages of npm, of which some have
 * files that only their owner may read.
 */
const PREPARE = `
set -e
place=$1 mine=$2 azurite=$3 user=$4
lend() {
  mkdir -p "$2" "$mine/$3/upper" "$mine/$3/work"
  mount -t overlay -o "lowerdir=$1,upperdir=$mine/$3/upper,workdir=$mine/$3/work" overlay "$2"
  find "$2" ! -type l ! -perm -o+r -exec chmod a+rX {} +
}
mkdir -p "$mine/temporary"
lend "$azurite" "$mine/cache/warpdrive-tests/$(basename "$azurite")" azurite
lend "$place/cache" "$place/cache" packages
chown "$user" "$mine" "$mine/cache" "$mine/temporary"
`;

Deno.test("demo --quick shows all six capabilities and leaves nothing", async () => {
  await using demo = await Demo.start(["--quick"]);
  const code = await demo.ended();
  equal(code, 0, demo.output);
  assertShown(demo.output);
  if (ROOT) match(demo.output, /\$ unshare --net warpdrive forge/);
  demo.leavesNothing();
});

for (
  const [sentence, moment] of [
    ["while it makes the shards", /forge dataset make/],
    ["while it trains", /^ +10 .*\d/],
    ["while it asks the mount about itself", /ctl status/],
  ] as const
) {
  Deno.test(`the demo stops when it is interrupted ${sentence}, and leaves nothing`, async () => {
    await using demo = await Demo.start(["--quick"]);
    await demo.reach(moment);
    demo.interrupt();
    equal(await demo.ended(), 130, demo.output);
    match(demo.output, /Stopped by SIGINT: unmounted, and everything is removed/);
    demo.leavesNothing();
  });
}

Deno.test("the demo stays mounted with --keep, for the scripts for a real machine", async () => {
  await using demo = await Demo.start(["--quick", "--keep"]);
  await demo.reach(/stays mounted until/);
  await demo.reach(/METRICS=/);
  equal(demo.mounts().length, 1, demo.output);
  const cold = await runScript(demo, "01_cold.sh");
  match(cold, /step=60 .*\n(.*\n)*cache +hits /);
  const warm = await runScript(demo, "02_warm.sh");
  match(warm, /step=60 .*\n(.*\n)*cache +hits /);
  const fetched = (output: string) =>
    [...output.matchAll(/^(datasets-\S+ +\S+ MiB)/gm)].map(String);
  equal(fetched(cold).length, 2, cold);
  deepEqual(fetched(warm), fetched(cold), "the warm epoch took nothing from the backends");
  demo.interrupt();
  equal(await demo.ended(), 0, demo.output);
  demo.leavesNothing();
});

/** Runs a script on the mount of `demo`, which it has to find in its output; what it printed. */
async function runScript(demo: Demo, name: string): Promise<string> {
  const [, mountPoint = ""] = /ls -lR (\S+)/.exec(demo.output) ?? [];
  const [, metrics = ""] = /METRICS=(\S+)/.exec(demo.output) ?? [];
  const programs = await Deno.makeTempDir();
  try {
    const program = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --quiet --no-check main.ts "$@"\n`;
    await Deno.writeTextFile(`${programs}/warpdrive`, program, { mode: 0o755 });
    const { success, stdout, stderr } = await new Deno.Command(`infra/demo/${name}`, {
      args: ["--steps", "60"],
      cwd: REPOSITORY,
      env: {
        MOUNT_POINT: mountPoint,
        METRICS: metrics,
        PATH: `${programs}:${Deno.env.get("PATH")}`,
      },
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stdout);
    ok(success, said + new TextDecoder().decode(stderr));
    return said;
  } finally {
    await Deno.remove(programs, { recursive: true });
  }
}

Deno.test({
  name: "shellcheck finds nothing in the scripts of the demo",
  ignore: !installed("shellcheck"),
  fn: async () => {
    const scripts = Array.from(Deno.readDirSync(`${REPOSITORY}/infra/demo`), ({ name }) => name)
      .filter((name) => name.endsWith(".sh"));
    equal(scripts.length, 3);
    const { stdout } = await new Deno.Command("shellcheck", {
      args: scripts,
      cwd: `${REPOSITORY}/infra/demo`,
    }).output();
    equal(new TextDecoder().decode(stdout), "");
  },
});

Deno.test("the demo says what the machine lacks", async () => {
  await using demo = await Demo.start([], { PATH: "/nowhere" });
  equal(await demo.ended(), 1);
  for (const program of ["npm", "openssl", "sha256sum"]) {
    match(demo.output, new RegExp(`${program} is not installed: `));
  }
  demo.leavesNothing();
});

Deno.test("the demo refuses arguments that it does not know", async () => {
  await using demo = await Demo.start(["--kep"]);
  equal(await demo.ended(), 2);
  match(demo.output, /Cannot run the demo with "--kep"[^]*Hint: Run "deno task demo --help"/);
});

Deno.test({
  name: "an ordinary user sees the same demo",
  ignore: !ROOT || !installed("fusermount3") || !installed("unshare"),
  fn: async () => {
    await using place = await createPlace();
    await using user = await OrdinaryUser.enter(place);
    const program = await installAzurite(new AbortController().signal);
    const [azurite = ""] = program.split("/node_modules/");
    const mine = `${place.root}/mine`;
    const words = [place.root, mine, azurite, `${USER_ID}`];
    const prepared = await user.runAsRoot("sh", "-c", PREPARE, "sh", ...words);
    equal(prepared.code, 0, prepared.stderr);
    const { code, stdout, stderr } = await user.run(
      ...["env", `TMPDIR=${mine}/temporary`, `XDG_CACHE_HOME=${mine}/cache`],
      ...[`${place.root}/deno/${basename(Deno.execPath())}`, "run", "--no-check", "-A"],
      ...[`${place.root}/repository/infra/demo/demo.ts`, "--quick"],
    );
    equal(code, 0, stdout + stderr);
    assertShown(stdout);
    match(stdout, /as\s+an\s+ordinary\s+user/);
    deepEqual([...Deno.readDirSync(`${mine}/temporary`)].map((entry) => entry.name), []);
  },
});
