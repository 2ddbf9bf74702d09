/**
 * `warpdrive mount` and `warpdrive umount`: flags → configuration → what is to be done.
 */
import { resolve } from "node:path/posix";
import { z } from "zod";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../cache/platform/cli.ts";
import { NO_HEDGE_MEMORY } from "../cache/backend/guard/hedged.ts";
import { openBackend } from "../cache/backend/open.ts";
import { SecretVariables } from "../cache/platform/environment.ts";
import { CommandError, EXIT, type ExitCode } from "../cache/platform/exit.ts";
import { Libc } from "../cache/platform/libc.ts";
import { parseDurationMs } from "../cache/platform/units.ts";
import { isSourceUrl } from "../cache/source_url.ts";
import { mountInBackground } from "./background.ts";
import { runCheck } from "./check.ts";
import { thisMachine } from "./check/machine.ts";
import type { MountConfig } from "./config.ts";
import { loadMountConfig, type MountConfigInputs } from "./config_file.ts";
import { serveMount } from "./serve.ts";
import { mountConfigFromUrl } from "./source_url.ts";
import { unmountCommandLine, unmountDead } from "./umount.ts";

const DEFAULT_CONFIG = "/etc/warpdrive/config.yaml";

const MOUNT_EXAMPLES = `
Examples:
  warpdrive mount file:///srv/data /mnt/data
  AZURE_STORAGE_KEY=… warpdrive mount azblob://ACCOUNT/CONTAINER/train /mnt/train
  warpdrive mount --check --config /etc/warpdrive/config.yaml
  warpdrive mount --background --config /etc/warpdrive/config.yaml

SIGTERM unmounts. While someone uses the mount it goes on serving until they are done, a second
signal comes, or --stop-timeout is over.`;

const MountFlags = z.object({
  config: z.string().optional(),
  check: z.boolean().default(false),
  background: z.boolean().default(false),
  logFile: z.string().optional(),
  stopTimeout: z.string().default("20s"),
});
type MountFlags = z.infer<typeof MountFlags>;

const UmountFlags = z.object({
  config: z.string().optional(),
  dead: z.boolean().default(false),
  lazy: z.boolean().default(false),
});
type UmountFlags = z.infer<typeof UmountFlags>;

/** `warpdrive mount`. */
export const mountCommand: Command = {
  async run(args, context) {
    const parser = createParser("mount", context)
      .usage("[options] [<url> <mountpoint>]")
      .description("Show object stores and directories as one read-only tree.")
      .argument("[url]", "store to mount alone, without a configuration file")
      .argument("[mountpoint]", "empty directory to mount it at")
      .option("--config <file>", `configuration file (default ${DEFAULT_CONFIG})`)
      .option("--check", "look at everything a mount needs, report, and mount nothing")
      .option("--background", "return when the mount is listable, and serve it in the background")
      .option("--log-file <file>", "where a background mount logs")
      .option("--stop-timeout <duration>", "how long users may keep a stopping mount (default 20s)")
      .addHelpText("after", MOUNT_EXAMPLES);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = MountFlags.parse(line.options);
    const stopTimeoutMs = readStopTimeout(flags);
    const secrets = new SecretVariables();
    const config = readConfig(flags, line.operands, secrets, context);
    if (flags.background && !flags.check) {
      return await mountInBackground(config.mountPoint, args, flags.logFile ?? null, context);
    }
    // Programs that are started, such as fusermount3 and az, would inherit them.
    secrets.forgetIn(context.env);
    if (flags.check) return await check(config, context);
    return await serveMount(config, context, stopTimeoutMs);
  },
};

/** `warpdrive umount`. */
export const umountCommand: Command = {
  async run(args, context) {
    const parser = createParser("umount", context)
      .description("End a mount. When it is busy, say who uses it and leave it as it is.")
      .usage("[options] <mountpoint>")
      .argument("[mountpoint]", "where it is mounted")
      .option("--config <file>", "take the mount point of this configuration file")
      .option("--dead", "only if the process that served it has ended; else leave it and succeed")
      .option("--lazy", "take it out of the tree at once; open files live on until closed");
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = UmountFlags.parse(line.options);
    const mountPoint = readMountPoint(flags, line.operands, context);
    if (flags.dead) return await unmountDead(mountPoint, context);
    return await unmountCommandLine(mountPoint, flags.lazy, context);
  },
};

function readMountPoint(
  { config }: UmountFlags,
  [mountPoint]: readonly string[],
  context: CommandContext,
): string {
  if (config !== undefined && mountPoint === undefined) {
    return readConfig({ config }, [], new SecretVariables(), context).mountPoint;
  }
  if (config === undefined && mountPoint !== undefined) return resolve(mountPoint);
  throw new CommandError(
    "usage",
    'Cannot run "warpdrive umount": wanted <mountpoint> or --config',
    'Run "warpdrive umount --help" for its options',
  );
}

function readStopTimeout({ stopTimeout }: MountFlags): number {
  const ms = parseDurationMs(stopTimeout);
  if (ms !== null) return ms;
  throw new CommandError(
    "usage",
    `Cannot read --stop-timeout "${stopTimeout}": wanted a duration such as 20s`,
    null,
  );
}

function readConfig(
  flags: Pick<MountFlags, "config">,
  operands: readonly string[],
  secrets: SecretVariables,
  context: CommandContext,
): MountConfig {
  const libc = Libc.open();
  const inputs: MountConfigInputs = {
    env: context.env,
    readTextFile: (path) => Deno.readTextFileSync(path),
    onSecretVariable: secrets.note,
    user: { uid: libc.effectiveUid(), gid: libc.effectiveGid() },
  };
  const [url, mountPoint] = operands;
  if (url === undefined) {
    return loadMountConfig(flags.config ?? DEFAULT_CONFIG, inputs, context.logger);
  }
  if (flags.config !== undefined || mountPoint === undefined || !isSourceUrl(url)) {
    throw new CommandError(
      "usage",
      `Cannot run "warpdrive mount ${operands.join(" ")}": wanted <url> <mountpoint> or --config`,
      'Run "warpdrive mount --help" for examples',
    );
  }
  return mountConfigFromUrl(url, resolve(mountPoint), inputs);
}

async function check(config: MountConfig, context: CommandContext): Promise<ExitCode> {
  const { clock, random, logger, stdout, signal } = context;
  const libc = Libc.open();
  const metrics = {
    request: () => undefined,
    error: () => undefined,
    bytesRead: () => undefined,
    hedge: () => undefined,
    authRefresh: () => undefined,
  };
  const deps = { clock, random, logger, metrics, libc, hedges: NO_HEDGE_MEMORY };
  const open = async (settings: MountConfig["backends"][number]) =>
    (await openBackend(settings, deps)).backend;
  const machine = thisMachine(context.env);
  return await runCheck(config, { machine, libc, open, clock }, stdout, signal);
}
