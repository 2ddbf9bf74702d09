/** `warpdrive ctl doctor`: looks at everything a mount needs, and says what to do. */
import { z } from "zod";
import { NO_HEDGE_MEMORY } from "../../cache/backend/hedged.ts";
import type { BackendMetrics } from "../../cache/backend/metered.ts";
import { openBackend } from "../../cache/backend/open.ts";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import type { Environment } from "../../cache/platform/environment.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { nothingFailed } from "../../cache/platform/finding.ts";
import { thisHost } from "../../cache/platform/host.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { allChecks, type DoctorDeps } from "../doctor/all_checks.ts";
import type { Check, Diagnosis } from "../doctor/check.ts";
import { loadDoctorConfig } from "../doctor/doctor_config.ts";
import { thisNetwork } from "../doctor/network.ts";
import { CheckProgress } from "../doctor/progress.ts";
import { printDiagnoses } from "../doctor/report.ts";
import { runChecks } from "../doctor/run_checks.ts";
import { FORMAT_OPTION, parseFormat } from "../output/format.ts";

const DEFAULT_CONFIG = "/etc/warpdrive/config.yaml";

const DoctorFlags = z.object({
  config: z.string().default(DEFAULT_CONFIG),
  quick: z.boolean().default(false),
  format: z.string(),
});

/** `warpdrive ctl doctor`. */
export const doctorCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl doctor", context)
      .description("Look at everything a mount needs, and say what to do.")
      .option("--config <file>", `configuration file (default ${DEFAULT_CONFIG})`)
      .option("--quick", "leave out what takes long: the speed of the cache's disk")
      .option(...FORMAT_OPTION)
      .addHelpText("after", "\nIt exits with 0 when nothing failed, otherwise with 1.");
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = DoctorFlags.parse(line.options);
    const format = parseFormat(flags.format);
    const { env, stdout } = context;
    const libc = Libc.open();
    const config = loadDoctorConfig(
      flags.config,
      { env, readTextFile: (path) => Deno.readTextFileSync(path) },
      libc.effectiveUid() === 0,
    );
    const rounds = allChecks(config, depsOf(context, libc), flags.quick);
    const diagnoses = await runRounds(rounds, context);
    printDiagnoses(diagnoses, format, stdout);
    return nothingFailed(diagnoses.map(({ finding }) => finding)) ? EXIT.done : EXIT.failed;
  },
};

function depsOf({ clock, random, logger, env }: CommandContext, libc: Libc): DoctorDeps {
  const backendDeps = { clock, random, logger, metrics: UNCOUNTED, libc, hedges: NO_HEDGE_MEMORY };
  return {
    host: thisHost(env),
    libc,
    clock,
    env,
    network: thisNetwork(clock, extraAuthorities(env)),
    open: async (settings) => (await openBackend(settings, backendDeps)).backend,
  };
}

/** What `fetch` and the SDKs trust besides what the program comes with. */
function extraAuthorities(env: Environment): readonly string[] {
  const file = env.get("NODE_EXTRA_CA_CERTS");
  if (file === undefined) return [];
  try {
    return [Deno.readTextFileSync(file)];
  } catch {
    // The runtime goes on without it too; a certificate it was for then is not trusted.
    return [];
  }
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
