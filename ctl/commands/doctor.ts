/** `warpdrive ctl doctor`: looks at everything a mount needs, and says what to do. */
import { resolve } from "node:path/posix";
import { z } from "zod";
import { NO_HEDGE_MEMORY } from "../../cache/backend/guard/hedged.ts";
import type { BackendMetrics } from "../../cache/backend/guard/metered.ts";
import { openBackend } from "../../cache/backend/open.ts";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import { type Environment, SecretVariables } from "../../cache/platform/environment.ts";
import type { ConfigInputs } from "../../cache/platform/config_reader.ts";
import { CommandError, EXIT, type ExitCode } from "../../cache/platform/exit.ts";
import { nothingFailed } from "../../cache/platform/finding.ts";
import { thisHost } from "../../cache/platform/host.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { controlBases } from "../api_sockets.ts";
import { allChecks, type DoctorDeps } from "../doctor/all_checks.ts";
import type { Check, Diagnosis } from "../doctor/check.ts";
import { configOfMount } from "../doctor/config_of_mount.ts";
import type { LoadMountConfig } from "../doctor/doctor_config.ts";
import { thisNetwork } from "../doctor/network.ts";
import { CheckProgress } from "../doctor/progress.ts";
import { printDiagnoses } from "../doctor/report.ts";
import { runChecks } from "../doctor/run_checks.ts";
import { FORMAT_OPTION, parseFormat } from "../output/format.ts";

const HELP = `
Examples:
  warpdrive ctl doctor --config /etc/warpdrive/config.yaml
  warpdrive ctl doctor /mnt/data
  warpdrive ctl doctor --quick --format json

It needs no mount and disturbs none. Exit code 0 when nothing failed, otherwise 1.`;

const DEFAULT_CONFIG = "/etc/warpdrive/config.yaml";

const DoctorFlags = z.object({
  config: z.string().optional(),
  quick: z.boolean().default(false),
  format: z.string(),
});

/** `warpdrive ctl doctor`, which has files read by `loadConfig`. */
export function doctorCommand(loadConfig: LoadMountConfig): Command {
  return { run: (args, context) => runDoctor(args, loadConfig, context) };
}

async function runDoctor(
  args: readonly string[],
  loadConfig: LoadMountConfig,
  context: CommandContext,
): Promise<ExitCode> {
  const parser = createParser("ctl doctor", context)
    .description("Look at everything a mount needs, and say what to do.")
    .argument("[path]", "anything below a running mount, whose configuration is then used")
    .option("--config <file>", `configuration file (default ${DEFAULT_CONFIG})`)
    .option("--quick", "leave out what takes long: the speed of the cache's disk")
    .option(...FORMAT_OPTION)
    .addHelpText("after", HELP);
  const line = parseArguments(parser, args);
  if (line.kind === "help") return EXIT.done;
  const flags = DoctorFlags.parse(line.options);
  const format = parseFormat(flags.format);
  const { env, stdout, logger } = context;
  const libc = Libc.open();
  const file = await configFile(flags, line.operands[0], libc, context);
  const secrets = new SecretVariables();
  const user = { uid: libc.effectiveUid(), gid: libc.effectiveGid() };
  const inputs = { ...inputsOf(env), onSecretVariable: secrets.note, user };
  const config = await loadConfig(file, inputs, logger);
  // Programs that are started, such as az, would inherit them.
  secrets.forgetIn(env);
  const rounds = allChecks(config, depsOf(context, libc), flags.quick);
  const diagnoses = await runRounds(rounds, context);
  printDiagnoses(diagnoses, format, stdout);
  return nothingFailed(diagnoses.map(({ finding }) => finding)) ? EXIT.done : EXIT.failed;
}

/** The configuration named outright, that of the mount of `path`, or the default one. */
async function configFile(
  flags: z.infer<typeof DoctorFlags>,
  path: string | undefined,
  libc: Libc,
  { env, clock, signal }: CommandContext,
): Promise<string> {
  if (path === undefined) return flags.config ?? DEFAULT_CONFIG;
  if (flags.config !== undefined) {
    throw new CommandError(
      "usage",
      `Cannot look at "${path}" with --config: wanted one of them`,
      'Run "warpdrive ctl doctor --help" for examples',
    );
  }
  const deps = { ...inputsOf(env), libc, clock, bases: controlBases(env) };
  return await configOfMount(resolve(path), DEFAULT_CONFIG, thisHost(env), deps, signal);
}

function inputsOf(env: Environment): ConfigInputs {
  return { env, readTextFile: (path) => Deno.readTextFileSync(path) };
}

function depsOf({ clock, random, logger, env }: CommandContext, libc: Libc): DoctorDeps {
  const backendDeps = { clock, random, logger, metrics: UNCOUNTED, libc, hedges: NO_HEDGE_MEMORY };
  return {
    host: thisHost(env),
    libc,
    clock,
    env,
    network: (client) => thisNetwork(clock, client),
    open: async (settings) => (await openBackend(settings, backendDeps)).backend,
  };
}

const UNCOUNTED: BackendMetrics = {
  request: () => undefined,
  error: () => undefined,
  bytesRead: () => undefined,
  hedge: () => undefined,
  authRefresh: () => undefined,
};

async function runRounds(
  rounds: readonly (readonly Check[])[],
  { clock, stderr, signal }: CommandContext,
): Promise<readonly Diagnosis[]> {
  using progress = new CheckProgress(stderr, rounds.flat().length);
  const diagnoses: Diagnosis[] = [];
  for (const checks of rounds) {
    diagnoses.push(...await runChecks(checks, clock, progress, signal));
  }
  return diagnoses;
}
