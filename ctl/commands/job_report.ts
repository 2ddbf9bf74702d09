/** `warpdrive ctl job-report`: keeps what a scheduler says of a job. */
import { z } from "zod";
import { JOBS_MAX } from "../../cache/index/jobs.ts";
import {
  type Command,
  type CommandContext,
  createParser,
  parseArguments,
} from "../../cache/platform/cli.ts";
import { CommandError, EXIT } from "../../cache/platform/exit.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { type Job, JOB_LIST, JOB_REPORT, jobAnswer, type JobReportRequest } from "../api_jobs.ts";
import { ask, MOUNT_FLAGS, MOUNT_OPTIONS } from "../connect.ts";
import type { Column } from "../output/column.ts";
import { FORMAT_OPTION, parseFormat, printRecord, printRows } from "../output/format.ts";
import { reachCache, type ReachedCache } from "../reach_cache.ts";

const HELP = `
Examples:
  warpdrive ctl job-report --job-id 4711 --user ada --status COMPLETED
  warpdrive ctl job-report --job-id "$SLURM_JOB_ID" --user "$SLURM_JOB_USER" \\
    --status "$SLURM_JOB_EXIT_CODE"
  warpdrive ctl job-report --list --format json
Reports are kept on this node, the last one of each of the latest 10,000 jobs. They go to a
control plane once one is configured.`;

const Flags = z.object({
  ...MOUNT_FLAGS,
  jobId: z.string().optional(),
  user: z.string().optional(),
  status: z.string().optional(),
  list: z.boolean().default(false),
  format: z.string(),
});

const COLUMNS: readonly Column<Job>[] = [
  { key: "job_id", header: "JOB", kind: "text", value: ({ job_id: id }) => id },
  { key: "user", header: "USER", kind: "text", value: ({ user }) => user },
  { key: "status", header: "STATUS", kind: "text", value: ({ status }) => status },
  { key: "reported", header: "REPORTED", kind: "time", value: (job) => Date.parse(job.reported) },
];

/** `warpdrive ctl job-report`. */
export const jobReportCommand: Command = {
  async run(args, context) {
    const parser = createParser("ctl job-report", context)
      .description("Keep what a scheduler says of a job, or list what was kept.")
      .option("--job-id <id>", "the job, as the scheduler calls it")
      .option("--user <name>", "whose job it is")
      .option("--status <text>", "how it went: an exit code or a state")
      .option("--list", "list what was reported, the last first");
    for (const [flag, meaning] of MOUNT_OPTIONS) parser.option(flag, meaning);
    parser.option(...FORMAT_OPTION).addHelpText("after", HELP);
    const line = parseArguments(parser, args);
    if (line.kind === "help") return EXIT.done;
    const flags = Flags.parse(line.options);
    const format = parseFormat(flags.format);
    const { config, socket, list } = flags;
    const request = list ? null : reportOf(flags);
    await using reached = await reachCache(
      { name: "job-report", config, socket, paths: [] },
      context,
    );
    if (request === null) {
      printRows(await jobs(reached, context), COLUMNS, format, context.stdout);
    } else {
      printRecord(await report(request, reached, context), COLUMNS, format, context.stdout);
    }
    return EXIT.done;
  },
};

async function jobs({ by }: ReachedCache, context: CommandContext): Promise<readonly Job[]> {
  if (by.kind === "mount") return (await ask(by.client, JOB_LIST, {}, context)).jobs;
  return (await by.cache.operations.jobs(JOBS_MAX)).map(jobAnswer);
}

async function report(
  request: JobReportRequest,
  { by }: ReachedCache,
  context: CommandContext,
): Promise<Job> {
  if (by.kind === "mount") return (await ask(by.client, JOB_REPORT, request, context)).job;
  const { job_id: jobId, user, status } = request;
  const uid = Libc.open().effectiveUid();
  const kept = { jobId, user, status, uid, reportedMs: context.clock.wallMs() };
  await by.cache.operations.reportJob(kept);
  return jobAnswer(kept);
}

/** The report of a command line, checked as the mount will check it. */
function reportOf({ jobId, user, status }: z.output<typeof Flags>): JobReportRequest {
  const parsed = JOB_REPORT.request.safeParse({ job_id: jobId, user, status });
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path }) => `--${path.join(".").replace("_", "-")}`);
  throw unclear(`${[...new Set(wrong)].join(", ")} is missing, empty or too long`);
}

function unclear(state: string): CommandError {
  return new CommandError(
    "usage",
    `Cannot report a job: ${state}, wanted --job-id, --user and --status, or --list`,
    'Run "warpdrive ctl job-report --help" for examples',
  );
}
