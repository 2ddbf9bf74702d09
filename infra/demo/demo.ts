/**
 * `deno task demo [--keep]`: WarpDrive on this machine, from nothing to two stores in one tree and
 * back to nothing. Every byte read is compared with what was stored; exit code 1 when one differs.
 */
import { CommandError, EXIT, hintOf } from "../../cache/platform/exit.ts";
import { listenForInterrupts } from "../../cache/platform/interrupts.ts";
import { describeError } from "../../cache/platform/log.ts";
import { startAzurite } from "../../tests/support/azurite.ts";
import { freePort } from "../../tests/support/free_port.ts";
import { missing, thisMachine } from "../tools/needs.ts";
import { untilAborted } from "./abort.ts";
import { isMounted, startMount } from "./mount_process.ts";
import { Screen } from "./screen.ts";
import { fillContainer, fillDirectory } from "./stores.ts";
import { AZURE, configText, KEY_VARIABLE, LOCAL, type Scene } from "./scene.ts";
import { showHealth, showMetrics, showPassthrough, showReads, showTree } from "./tour.ts";

const SEED = "warpdrive demo 1";
const STOP_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
/** More than a healthy run takes by far: a mount that hangs must not hang the demo. */
const RUN_MS_MAX = 5 * 60_000;

/** What the machine lacks for the demo, each with how to get it. */
function lacking(): string[] {
  const fuse = missing("fuse", thisMachine);
  const programs = ["node", "npm"].filter((program) => !thisMachine.hasProgram(program));
  return [
    ...(fuse === null ? [] : [fuse]),
    ...programs.map((program) =>
      `${program} is not installed: Azurite, the emulator of Azure, needs Node.js with npm`
    ),
  ];
}

/** Builds the scene, walks through it, and takes everything away again, whatever happens. */
async function play(screen: Screen, keep: boolean, signal: AbortSignal): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const started = performance.now();
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-demo-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));

  screen.step("Two stores with data in them");
  screen.say(
    "Azurite is Microsoft's emulator of Azure Blob Storage: the real protocol, on this machine. " +
      "(The first run installs it.)",
  );
  const azurite = stack.use(await startAzurite());
  signal.throwIfAborted();
  const container = await azurite.container("images");
  const scene: Scene = {
    root: `${directory}/source`,
    mountPoint: `${directory}/mnt`,
    config: `${directory}/config.yaml`,
    metrics: `http://127.0.0.1:${freePort()}`,
    endpoint: azurite.endpoint,
    account: azurite.account,
    originals: new Map([
      [AZURE, await fillContainer(container, SEED, signal)],
      [LOCAL, await fillDirectory(`${directory}/source`, SEED, signal)],
    ]),
  };
  for (const [backend, originals] of scene.originals) {
    const bytes = [...originals.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    screen.show([`${backend}: ${originals.size} files, ${(bytes / 1e6).toFixed(1)} MB`]);
  }

  screen.step("One mount over both");
  await Deno.mkdir(scene.mountPoint);
  await Deno.writeTextFile(scene.config, configText(scene));
  screen.show([`$ warpdrive mount --config ${scene.config}`, ""]);
  screen.show(configText(scene).trimEnd().split("\n"));
  const mount = stack.use(
    await startMount(scene.config, scene.mountPoint, { [KEY_VARIABLE]: azurite.key }, signal),
  );

  await showTree(screen, scene, signal);
  const same = await showReads(screen, scene, signal);
  await showPassthrough(screen, scene, signal);
  await showMetrics(screen, scene, signal);
  const healthy = await showHealth(screen, scene, signal);
  if (keep) await lookAround(screen, scene, signal);

  screen.step("Away again");
  const code = await mount.stop();
  const clean = code === EXIT.done && !await isMounted(scene.mountPoint);
  screen.say(clean ? "Unmounted." : `FAILED to unmount: exit code ${code}.`);
  await stack.disposeAsync();
  screen.say("Azurite is stopped and all files are removed.");
  const good = same && healthy && clean;
  const took = ((performance.now() - started) / 1_000).toFixed(1);
  screen.say(good ? `All went well, in ${took} s.` : "The demo FAILED: see above.");
  return good;
}

/** Leaves everything running until somebody stops it. */
async function lookAround(screen: Screen, scene: Scene, signal: AbortSignal): Promise<void> {
  screen.step("Yours to look around");
  screen.say("It stays mounted until you press Ctrl+C here. In another terminal:");
  screen.show([
    `ls -lR ${scene.mountPoint}`,
    `tar tf ${scene.mountPoint}/${AZURE}/train/shard-000000.tar | head`,
    `getfattr -n user.warpdrive.etag ${scene.mountPoint}/${AZURE}/labels/000.json`,
    `curl ${scene.metrics}/metrics`,
  ]);
  const stopped = untilAborted(new Promise<never>(() => {}), signal);
  await stopped.catch((reason: unknown) => {
    if (reason !== signal.reason) throw reason;
  });
}

async function main(args: readonly string[]): Promise<number> {
  const encoder = new TextEncoder();
  const write = (line: string) => Deno.stdout.writeSync(encoder.encode(`${line}\n`));
  const screen = new Screen(write);
  const unknown = args.filter((argument) => argument !== "--keep");
  if (unknown.length > 0) {
    write(`Cannot run the demo with "${unknown.join(" ")}": wanted nothing, or --keep`);
    return EXIT.usage;
  }
  const lacks = lacking();
  if (lacks.length > 0) {
    write("The demo cannot run on this machine:");
    for (const lack of lacks) screen.say(`- ${lack}`);
    return EXIT.failed;
  }
  using interrupts = listenForInterrupts(STOP_SIGNALS, () => Deno.exit(EXIT.interrupted));
  const keep = args.includes("--keep");
  const tooLong = new CommandError(
    "failed",
    `Run the demo: not done after ${RUN_MS_MAX / 60_000} minutes`,
    "Report it, with the lines above",
  );
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(tooLong), RUN_MS_MAX);
  try {
    const signal = keep ? interrupts.signal : AbortSignal.any([interrupts.signal, limit.signal]);
    return await play(screen, keep, signal) ? EXIT.done : EXIT.failed;
  } catch (error) {
    write("");
    if (error === interrupts.signal.reason) {
      write(`${describeError(error)}: unmounted, and everything is removed`);
      return EXIT.interrupted;
    }
    // Taking the scene down may fail too, after what went wrong in it.
    const both = error instanceof SuppressedError ? [error.suppressed, error.error] : [error];
    for (const one of both) write(`FAILED: ${describeError(one)}`);
    const hint = both.map(hintOf).find((text) => text !== null);
    if (hint !== undefined) write(`Hint: ${hint}`);
    return EXIT.failed;
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
