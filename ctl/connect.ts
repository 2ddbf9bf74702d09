/**
 * How a command line says which mount it means, and how a command gets to it:
 *
 * ```ts
 * for (const [flag, meaning] of MOUNT_OPTIONS) parser.option(flag, meaning);
 * const flags = z.object({ ...MOUNT_FLAGS, format: z.string() }).parse(line.options);
 * const path = operand === undefined ? null : await realPath(operand, clock);
 * const client = await connectMount(whereabouts(flags, path), context);
 * const status = await ask(client, STATUS, {}, context);
 * ```
 */
import { basename, dirname, join, resolve } from "node:path/posix";
import { z } from "zod";
import type { CommandContext } from "../cache/platform/cli.ts";
import type { Clock } from "../cache/platform/clock.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import { within } from "../cache/platform/within.ts";
import type { Endpoint } from "./api.ts";
import { controlBases } from "./api_sockets.ts";
import { ControlClient } from "./client.ts";
import { ControlError } from "./control_error.ts";
import { findSocket, type Whereabouts } from "./find_socket.ts";

/** The options, each for `Parser.option`. */
export const MOUNT_OPTIONS = [
  ["--config <file>", "the mount of this configuration"],
  ["--socket <path>", "a control socket of the mount, or the directory of both"],
] as const;

/** Their values, for the schema of a command's options. */
export const MOUNT_FLAGS = {
  config: z.string().optional(),
  socket: z.string().optional(),
};

/** Longest wait for an answer that needs no long work: a mount that is stopped never gives one. */
const ANSWER_MS_MAX = 60_000;
/** Longest wait for a file system to follow the links of a path. */
const PATH_MS_MAX = 5_000;

/**
 * Which mount is meant: the one named by a flag, the one above `path`, or the only one.
 *
 * @param path Absolute; null where the command line names none.
 * @throws {CommandError} `usage` when it is named twice.
 */
export function whereabouts(
  { config, socket }: {
    readonly config?: string | undefined;
    readonly socket?: string | undefined;
  },
  path: string | null,
): Whereabouts {
  if (config !== undefined && socket !== undefined) {
    throw new CommandError(
      "usage",
      `Cannot choose between --config "${config}" and --socket "${socket}": wanted one of them`,
      "Name the mount once",
    );
  }
  if (socket !== undefined) return { kind: "socket", path: resolve(socket) };
  if (config !== undefined) return { kind: "config", file: config };
  return path === null ? { kind: "only" } : { kind: "path", path };
}

/**
 * A client of the mount that `where` means, by the socket that can do more for this user. Nothing
 * has been asked yet.
 *
 * @throws {CommandError} when no mount is found, or several are.
 */
export async function connectMount(
  where: Whereabouts,
  { env, clock }: Pick<CommandContext, "env" | "clock">,
): Promise<ControlClient> {
  const readTextFile = (path: string) => Deno.readTextFileSync(path);
  const deps = { env, readTextFile, libc: Libc.open(), clock, bases: controlBases(env) };
  return new ControlClient(await findSocket(where, deps));
}

/**
 * Does a call that is answered at once.
 *
 * @throws {ControlError} when the mount refuses it, cannot be asked, or does not answer in time.
 */
export async function ask<Request extends z.ZodType, Answer extends z.ZodType>(
  client: ControlClient,
  endpoint: Endpoint & {
    readonly form: "single";
    readonly request: Request;
    readonly answer: Answer;
  },
  request: z.input<Request>,
  { clock, signal }: Pick<CommandContext, "clock" | "signal">,
): Promise<z.output<Answer>> {
  const over = new AbortController();
  const call = client.call(endpoint, request, AbortSignal.any([signal, over.signal]));
  try {
    return await within(call, ANSWER_MS_MAX, clock, () =>
      new ControlError(
        "no_answer",
        `Ask the mount at "${client.socket}": no answer within ${ANSWER_MS_MAX / 1_000}s`,
        'Look at it with "warpdrive ctl doctor", and at its log',
      ));
  } finally {
    over.abort();
  }
}

/** Whether `error`, of finding or asking a mount, says that none runs. */
export function isNoMount(error: unknown): boolean {
  if (error instanceof ControlError) return error.code === "no_mount";
  return error instanceof CommandError && error.code === "failed";
}

/** `path` without links, as mounts know it; what is not there of it, as it is written. */
export async function realPath(path: string, clock: Clock): Promise<string> {
  const following = followed(resolve(path));
  return await within(following, PATH_MS_MAX, clock, () =>
    new CommandError(
      "failed",
      `Cannot look at "${path}": no answer within ${PATH_MS_MAX / 1_000}s`,
      "Name the mount with --socket or --config",
    ));
}

async function followed(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    // Gone from its store, or below a mount that is not there: still named by what is above it.
    return path === "/" ? path : join(await followed(dirname(path)), basename(path));
  }
}
