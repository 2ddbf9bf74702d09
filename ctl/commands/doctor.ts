/** `warpdrive ctl doctor`: looks at everything a mount needs, and says what to do. */
import { z } from "zod";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import { EXIT } from "../../cache/platform/exit.ts";
import { nothingFailed } from "../../cache/platform/finding.ts";
import { thisHost } from "../../cache/platform/host.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { allChecks } from "../doctor/all_checks.ts";
import type { Check, Diagnosis } from "../doctor/check.ts";
import { loadDoctorConfig } from "../doctor/doctor_config.ts";
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
    const checks = allChecks(config, { host: thisHost(env) });
    const diagnoses = await withProgress(checks, context);
    printDiagnoses(diagnoses, format, stdout);
    return nothingFailed(diagnoses.map(({ finding }) => finding)) ? EXIT.done : EXIT.failed;
  },
};

async function withProgress(
  checks: readonly Check[],
  { clock, stderr, signal }: CommandContext,
): Promise<readonly Diagnosis[]> {
  using progress = new CheckProgress(stderr, checks.length);
  return await runChecks(checks, clock, progress, signal);
}
