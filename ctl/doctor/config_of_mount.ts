/** The configuration a running mount was started with, found by a path below its mount point. */
import { STATUS } from "../api_status.ts";
import { ControlClient } from "../client.ts";
import { type FindDeps, findSocket } from "../find_socket.ts";
import { CommandError } from "../../cache/platform/exit.ts";
import type { Host } from "../../cache/platform/host.ts";

/** What the command line of a mount says of its configuration. */
export type ConfigArgument =
  | { readonly kind: "file"; readonly path: string }
  /** None, so the default file. */
  | { readonly kind: "default" }
  /** One store named by its URL, without a file. */
  | { readonly kind: "url" };

/**
 * The file that the mount of `path` reads, by the command line of its process.
 *
 * @throws {CommandError} when no mount answers there, or it has no file to be found.
 */
export async function configOfMount(
  path: string,
  defaultFile: string,
  host: Host,
  deps: FindDeps,
  signal: AbortSignal,
): Promise<string> {
  const pid = await processOfMount(path, deps, signal);
  const words = await host.text(`/proc/${pid}/cmdline`);
  // A process of another user, or of another container.
  if (words === null) throw notFound(path, `the command line of process ${pid} cannot be read`);
  const argument = configArgument(words);
  switch (argument.kind) {
    case "default":
      return defaultFile;
    case "url":
      throw notFound(path, "it was mounted from a URL, without a configuration");
    case "file":
      if (argument.path.startsWith("/")) return argument.path;
      throw notFound(path, `it was given as "${argument.path}", relative to another directory`);
  }
}

async function processOfMount(path: string, deps: FindDeps, signal: AbortSignal): Promise<number> {
  try {
    const client = new ControlClient(await findSocket({ kind: "path", path }, deps));
    return (await client.call(STATUS, {}, signal)).mount.pid;
  } catch (cause) {
    signal.throwIfAborted();
    throw notFound(path, "no mount answers there", cause);
  }
}

/** Reads `words`, the text of /proc/PID/cmdline: NUL behind every word. */
export function configArgument(words: string): ConfigArgument {
  const args = words.split("\0");
  for (const [index, word] of args.entries()) {
    if (/^--?config$/.test(word)) return { kind: "file", path: args[index + 1] ?? "" };
    const written = /^--?config=(.*)$/.exec(word)?.[1];
    if (written !== undefined) return { kind: "file", path: written };
  }
  // Run from source, the words of the runtime may hold URLs, too: those before "mount".
  const own = args.slice(args.indexOf("mount") + 1);
  return own.some((word) => /^[a-z]+:\/\//.test(word)) ? { kind: "url" } : { kind: "default" };
}

function notFound(path: string, reason: string, cause: unknown = null): CommandError {
  return new CommandError(
    "failed",
    `Cannot find the configuration of the mount of "${path}": ${reason}`,
    "Name it: warpdrive ctl doctor --config FILE",
    cause === null ? {} : { cause },
  );
}
