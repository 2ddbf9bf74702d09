/**
 * `warpdrive mount --background`: starts the same program again without a terminal, and returns
 * when its log says that the mount is listable.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path/posix";
import type { CommandContext } from "../cache/platform/cli.ts";
import { CommandError, EXIT, type ExitCode } from "../cache/platform/exit.ts";

/** Longest wait for the mount. */
const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
/**
 * Becomes the program that its arguments name. The runtime's node:child_process takes arguments for
 * its own path as those of `node` and rewrites them, in a compiled program, too.
 */
const BECOME = ["-c", 'exec "$@"', "sh"];
/** Log lines shown when it does not come up. */
const LINES_SHOWN = 20;

/** Starts `warpdrive mount` with `args` in the background; `logFile` null is a default place. */
export async function mountInBackground(
  mountPoint: string,
  args: readonly string[],
  logFile: string | null,
  context: CommandContext,
): Promise<ExitCode> {
  const log = logFile ?? defaultLogFile(mountPoint, context);
  const child = start(args.filter((argument) => !/^--?background$/.test(argument)), log, context);
  const endMs = context.clock.monotonicMs() + READY_TIMEOUT_MS;
  while (context.clock.monotonicMs() < endMs && child.exitCode === null) {
    const lines = await readLog(log);
    if (lines.some((line) => isReady(line, child.pid))) {
      context.stdout.write(`Mounted ${mountPoint} (pid ${child.pid}, log ${log})\n`);
      return EXIT.done;
    }
    await context.clock.sleep(POLL_MS, context.signal).catch((error: unknown) => {
      child.kill("SIGTERM");
      throw error;
    });
  }
  child.kill("SIGTERM");
  const shown = (await readLog(log)).slice(-LINES_SHOWN).join("\n");
  throw new CommandError(
    "failed",
    `Cannot mount "${mountPoint}" in the background: ${
      child.exitCode === null ? "it was not listable within 30s" : "it ended"
    }\n${shown}`,
    `The whole log is in ${log}`,
  );
}

function start(args: readonly string[], log: string, context: CommandContext) {
  let fd: number;
  try {
    mkdirSync(dirname(log), { recursive: true });
    fd = openSync(log, "w");
  } catch (cause) {
    throw new CommandError(
      "failed",
      `Cannot write the log "${log}"`,
      "Choose another place with --log-file",
      { cause },
    );
  }
  // The record that says it is ready, which is waited for, has level info.
  const logLevel = context.logLevel === "debug" ? "debug" : "info";
  const level = context.debug ? ["--debug"] : ["--log-level", logLevel];
  try {
    const child = spawn("/bin/sh", [...BECOME, ...context.program, "mount", ...level, ...args], {
      detached: true,
      stdio: ["ignore", fd, fd],
    });
    child.unref();
    return child;
  } finally {
    closeSync(fd);
  }
}

function defaultLogFile(mountPoint: string, { env }: CommandContext): string {
  const name = `${mountPoint.replaceAll("/", "-").replace(/^-+/, "") || "root"}.log`;
  const state = env.get("XDG_STATE_HOME") ?? `${env.get("HOME") ?? ""}/.local/state`;
  return env.get("USER") === "root" || env.get("HOME") === undefined
    ? `/var/log/warpdrive/${name}`
    : `${state}/warpdrive/${name}`;
}

async function readLog(log: string): Promise<readonly string[]> {
  return (await Deno.readTextFile(log)).split("\n").filter((line) => line !== "");
}

function isReady(line: string, pid: number | undefined): boolean {
  try {
    const record: unknown = JSON.parse(line);
    return typeof record === "object" && record !== null && "event" in record &&
      record.event === "ready" && "pid" in record && record.pid === pid;
  } catch {
    // Not a record: something wrote plain text.
    return false;
  }
}
