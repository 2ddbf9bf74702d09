/** Command lines of `ctl warm` that are wrong, and what they are told. */
import type { CliCase } from "./cases.ts";

const EXAMPLES = 'Run "warpdrive ctl warm --help" for examples';

/** A mistake, and its two lines. */
function mistake(title: string, args: readonly string[], message: string, hint: string): CliCase {
  return { title, args: ["ctl", "warm", ...args], code: 2, stderr: `${message}\nHint: ${hint}\n` };
}

export const CTL_WARM_CASES: readonly CliCase[] = [
  mistake(
    "warms nothing for want of a path",
    [],
    "Cannot warm: no path is given",
    'Give paths below a mount; "warpdrive ctl warm --help" has examples',
  ),
  mistake(
    "warms paths or a list, not both",
    ["/mnt/data", "-f", "list"],
    "Cannot warm with paths and --files-from: wanted one of them",
    EXAMPLES,
  ),
  mistake(
    "checks here and now",
    ["--check", "--detach", "/mnt/data"],
    "Cannot warm with --check and --detach: wanted one of them",
    EXAMPLES,
  ),
  mistake(
    "says how a limit of new bytes is written",
    ["-max-size", "much", "/mnt/data"],
    'Cannot warm with --max-size "much": wanted a size such as "500GB", or 0',
    "0 is no limit",
  ),
  mistake(
    "says how many files may be on their way at once",
    ["--workers", "1000", "/mnt/data"],
    'Cannot warm with --workers "1000": wanted a number from 1 to 256',
    "32 suit most stores",
  ),
  mistake(
    "says which list of paths it cannot read",
    ["-f", "/not/there"],
    'Cannot read the list "/not/there": No such file or directory (os error 2): ' +
      "open '/not/there'",
    'Give a readable file with one path per line, or "-f -" for standard input',
  ),
  {
    title: "warms only with a mount",
    args: ["ctl", "warm", "/not/there"],
    code: 1,
    stderr: "Cannot warm without a running mount: Cannot find a mount above " +
      `"/not/there": no directory above it is the root of one
Hint: Give a path below a live mount, or name one with --socket; "mount" lists what is mounted
`,
  },
];
