/**
 * `deno task demo`: WarpDrive on this machine, from nothing to two regions in one tree, a cold and
 * a warm epoch of training, and back to nothing. Exit code 1 when a capability was not shown.
 */
import { tmpdir } from "node:os";
import { diskSpace } from "../../cache/disk/disk_space.ts";
import { CommandError, EXIT, type ExitCode, hintOf } from "../../cache/platform/exit.ts";
import { listenForInterrupts, stopSignals } from "../../cache/platform/interrupts.ts";
import { describeError } from "../../cache/platform/log.ts";
import { missing, thisMachine } from "../tools/needs.ts";
import { parseOptions, type Scale, USAGE } from "./options.ts";
import { type Play, play } from "./play.ts";
import { lackOfRoom } from "./room.ts";
import { Screen } from "./screen.ts";

/** More than a healthy run takes by far: a mount that hangs must not hang the demo. */
const RUN_MS_MAX = 8 * 60_000;
/** What the demo runs beside Deno, with how to get it. */
const PROGRAMS: readonly (readonly [program: string, why: string])[] = [
  ["npm", "it installs Azurite, the emulator of Azure: install Node.js 20 or later, with npm"],
  ["openssl", "it makes the certificate of the stores: install the package openssl"],
  ["sha256sum", "it compares what was read: install the package coreutils"],
];

/** What the machine lacks for a demo of `scale`, each with how to get it. */
async function lacking(scale: Scale): Promise<string[]> {
  const fuse = await missing("fuse", thisMachine);
  const room = lackOfRoom(scale, tmpdir(), await diskSpace(tmpdir()));
  return [
    ...(room === null ? [] : [room]),
    ...(fuse === null ? [] : [fuse]),
    ...PROGRAMS.filter(([program]) => !thisMachine.hasProgram(program))
      .map(([program, why]) => `${program} is not installed: ${why}`),
  ];
}

async function run(
  options: Play,
  screen: Screen,
  print: (line: string) => void,
): Promise<ExitCode> {
  const lacks = await lacking(options.scale);
  if (lacks.length > 0) {
    print("The demo cannot run on this machine:");
    for (const lack of lacks) screen.say(`- ${lack}`);
    return EXIT.failed;
  }
  const signals = stopSignals(Deno.readTextFileSync("/proc/self/status"));
  using interrupts = listenForInterrupts(signals, () => Deno.exit(EXIT.interrupted));
  const limit = new AbortController();
  const tooLong = new CommandError(
    "failed",
    `Run the demo: not done after ${RUN_MS_MAX / 60_000} minutes`,
    "Report it, with the lines above",
  );
  const timer = setTimeout(() => limit.abort(tooLong), RUN_MS_MAX);
  try {
    const signal = options.keep
      ? interrupts.signal
      : AbortSignal.any([interrupts.signal, limit.signal]);
    return await play(screen, options, signal);
  } catch (error) {
    print("");
    // Ctrl+C reaches the programs of the demo too, which fail of it in their own ways.
    if (interrupts.signal.aborted && !(error instanceof SuppressedError)) {
      print(`${describeError(interrupts.signal.reason)}: unmounted, and everything is removed`);
      return EXIT.interrupted;
    }
    // Taking the scene down may fail too, after what went wrong in it.
    const both = error instanceof SuppressedError ? [error.suppressed, error.error] : [error];
    for (const one of both) report(one, print);
    return EXIT.failed;
  } finally {
    clearTimeout(timer);
  }
}

function report(error: unknown, print: (line: string) => void): void {
  print(`FAILED: ${describeError(error)}`);
  const hint = hintOf(error);
  if (hint !== null) print(`Hint: ${hint}`);
}

async function main(args: readonly string[]): Promise<ExitCode> {
  const encoder = new TextEncoder();
  const print = (line: string) => {
    Deno.stdout.writeSync(encoder.encode(`${line}\n`));
  };
  const styled = Deno.stdout.isTerminal() && !Deno.noColor;
  try {
    const options = parseOptions(args);
    if (options.kind === "play") {
      return await run(options, new Screen({ write: print, styled }), print);
    }
    print(USAGE);
    return EXIT.done;
  } catch (error) {
    report(error, print);
    return error instanceof CommandError && error.code === "usage" ? EXIT.usage : EXIT.failed;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
