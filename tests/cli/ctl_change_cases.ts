/** Command lines of ctl that would change a cache, and what they are told where they are wrong. */
import type { CliCase } from "./cases.ts";

/** A mistake, and its two lines. */
function mistake(title: string, args: readonly string[], message: string, hint: string): CliCase {
  return { title, args: ["ctl", ...args], code: 2, stderr: `${message}\nHint: ${hint}\n` };
}

const EVICT_HINT = 'Run "warpdrive ctl evict --help" for examples';
const JOB_HINT = 'Run "warpdrive ctl job-report --help" for examples';

export const CTL_CHANGE_CASES: readonly CliCase[] = [
  mistake(
    "does not evict everything for want of a path",
    ["evict"],
    "Cannot tell what to evict: nothing is named, wanted paths or --stale",
    EVICT_HINT,
  ),
  mistake(
    "evicts paths or what is stale, not both",
    ["evict", "/mnt/data", "--stale", "30"],
    "Cannot tell what to evict: it names paths and --stale, wanted paths or --stale",
    EVICT_HINT,
  ),
  mistake(
    "takes --min-size for what is stale alone",
    ["evict", "/mnt/data", "--min-size", "1GiB"],
    "Cannot tell what to evict: --min-size goes with --stale, wanted paths or --stale",
    EVICT_HINT,
  ),
  mistake(
    "says how an age is written",
    ["evict", "--stale", "a month"],
    'Cannot read --stale "a month": wanted days, or a time with its unit',
    "Write --stale 30 for thirty days, or --stale 12h",
  ),
  mistake(
    "says how a size is written",
    ["evict", "--stale", "30", "--min-size", "huge"],
    'Cannot read --min-size "huge": wanted a size',
    "Write --min-size 1GiB, or plain bytes",
  ),
  mistake(
    "pins paths and nothing else",
    ["pin"],
    'Cannot run "warpdrive ctl pin": missing required argument "path"',
    'Run "warpdrive ctl pin --help" for its options',
  ),
  mistake(
    "wants one name for a mount",
    ["unpin", "/mnt/data", "--config", "config.yaml", "--socket", "/run/x"],
    'Cannot choose between --config "config.yaml" and --socket "/run/x": wanted one of them',
    "Name the mount once",
  ),
  mistake(
    "wants to know whose job it is, and how it went",
    ["job-report", "--job-id", "4711"],
    "Cannot report a job: --user, --status is missing, empty or too long, " +
      "wanted --job-id, --user and --status, or --list",
    JOB_HINT,
  ),
];
