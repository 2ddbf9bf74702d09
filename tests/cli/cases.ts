/** Command lines, and exactly what they print and exit with. */
import { CTL_COMMANDS } from "../../ctl/command.ts";
import { CTL_CHANGE_CASES } from "./ctl_change_cases.ts";
import { CTL_WARM_CASES } from "./ctl_warm_cases.ts";
import { FORGE_CASES } from "./forge_cases.ts";

/** One command line. What is not named is empty. */
export interface CliCase {
  readonly title: string;
  readonly args: readonly string[];
  /** Text of `config.yaml` in the directory it runs in. */
  readonly config?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly code: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

const CHECK = ["mount", "--check", "--config", "config.yaml"];

const HELP = `Usage: warpdrive [options] <command> [arguments]

Object stores as one read-only POSIX tree.

Options:
  --log-level <level>  debug, info, warn or error (default: "info")
  --debug              log at level debug, and print stack traces
  -V, --version        show the version
  -h, --help           show this help

Commands:
  mount                show object stores and directories as one read-only tree
  umount               end a mount, or say who keeps it busy
  ctl                  look after mounts and their caches
  forge                train from tar shards
  bench                measure how fast a directory reads
  version              say which version this is, and what it was built for
  help [command]       show the help of a command

Examples:
  warpdrive mount file:///srv/data /mnt/data
  warpdrive mount azblob://ACCOUNT/CONTAINER/train /mnt/train
  warpdrive mount --check --config /etc/warpdrive/config.yaml
  warpdrive mount --config /etc/warpdrive/config.yaml
  warpdrive umount /mnt/data

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.
`;

/** What a wrong configuration prints: the problems, counted, and the hint. */
function problems(...lines: readonly string[]): string {
  const count = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
  return [
    `Cannot use configuration "config.yaml": ${count}`,
    ...lines.map((line) => `  config.yaml:${line}`),
    'Hint: Correct the file and check it with "warpdrive mount --check --config FILE"',
    "",
  ].join("\n");
}

const USAGE_CASES: readonly CliCase[] = [
  { title: "shows its help", args: ["--help"], code: 0, stdout: HELP },
  { title: "shows its help when asked for it in a word", args: ["help"], code: 0, stdout: HELP },
  {
    title: "wants a command",
    args: [],
    code: 2,
    stderr: `Cannot run "warpdrive": it needs a command
Hint: Run "warpdrive --help" for the commands
`,
  },
  {
    title: "suggests the command behind a slip",
    args: ["mout", "--check"],
    code: 2,
    stderr: `Cannot run "warpdrive mout": there is no such command
Hint: Did you mean "mount"?
`,
  },
  {
    title: "refuses an unknown flag before the command",
    args: ["--colour", "mount"],
    code: 2,
    stderr: `Cannot run "warpdrive": unknown option "--colour"
Hint: Run "warpdrive --help" for its options
`,
  },
  {
    title: "suggests the flag behind a slip",
    args: ["mount", "--confg", "config.yaml"],
    code: 2,
    stderr: `Cannot run "warpdrive mount": unknown option "--confg"
Hint: Did you mean --config? Run "warpdrive mount --help" for its options
`,
  },
  {
    title: "refuses an unknown log level",
    args: ["mount", "--log-level", "loud"],
    code: 2,
    stderr: `Cannot use log level "loud": it is none of debug, info, warn, error
Hint: Run it again with --log-level info
`,
  },
  {
    title: "refuses to measure with wrong flags, and says all that is wrong",
    args: ["bench", "-readers", "0", "--checksum", "--pattern", "random"],
    code: 2,
    stderr: `Cannot run "warpdrive bench": --readers "0": wanted a whole number from 1 to 1024; \
--checksum: wanted a pattern that reads whole files, not random
Hint: Run "warpdrive bench --help" for its options
`,
  },
  {
    title: "refuses to train with what is no number, and says where",
    args: ["forge", "-steps", "none", "-train-root", "/data"],
    code: 2,
    stderr:
      `Cannot run "warpdrive forge": --steps "none": wanted a whole number from 1 to 1000000000
Hint: Run "warpdrive forge --help" for its options
`,
  },
];

const CTL_HELP = `Usage: warpdrive ctl [options] <command> [arguments]

Look after mounts and their caches.

Options:
  -h, --help      show this help

Commands:
${CTL_COMMANDS.map(({ name, summary }) => `  ${name.padEnd(14)}  ${summary}`).join("\n")}
  help [command]  show the help of a command

Examples:
  warpdrive ctl doctor --config /etc/warpdrive/config.yaml
  warpdrive ctl status
  warpdrive ctl usage /mnt/data --by team --format csv
  warpdrive ctl explain /mnt/data/train/shard-000017.tar

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 interrupted.
`;

const CTL_CASES: readonly CliCase[] = [
  { title: "shows the commands of ctl", args: ["ctl", "--help"], code: 0, stdout: CTL_HELP },
  {
    title: "shows the commands of ctl in a word",
    args: ["ctl", "help"],
    code: 0,
    stdout: CTL_HELP,
  },
  {
    title: "wants a command of ctl",
    args: ["ctl"],
    code: 2,
    stderr: `Cannot run "warpdrive ctl": it needs a command
Hint: Run "warpdrive ctl --help" for the commands
`,
  },
  {
    title: "suggests the command of ctl behind a slip",
    args: ["ctl", "docter"],
    code: 2,
    stderr: `Cannot run "warpdrive ctl docter": there is no such command
Hint: Did you mean "doctor"?
`,
  },
  {
    title: "refuses a format it does not have",
    args: ["ctl", "doctor", "--format", "xml"],
    code: 2,
    stderr: `Cannot print as "xml": wanted table, json or csv
Hint: Run it again with --format table
`,
  },
];

const URL_CASES: readonly CliCase[] = [
  {
    title: "refuses a URL with a host",
    args: ["mount", "file://srv/data", "/mnt"],
    code: 2,
    stderr: `Cannot mount "file://srv/data": it names the host "srv": ` +
      `wanted three slashes and an absolute path
Hint: Did you mean file:///srv/data?
`,
  },
  {
    title: "refuses a URL with a credential, and does not print it",
    args: ["mount", "azblob://account/data?sig=hunter2", "/mnt"],
    code: 2,
    stderr: `Cannot mount "azblob://account/data?***": it carries credentials or a query, ` +
      `which other users could see in the process list
Hint: Put the credentials into AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN
`,
  },
];

/** A file with a mistake in most of its sections, and what every command that reads it says. */
const MISTAKEN = {
  config: `mount_point: data
alow_other: true
fuse:
  attr_timeout: soon
  max_background: 8
  congestion_threshold: 9
  pasthrough: true
cache: {path: /nvme, evict_low_water: .9, evict_high_water: .8}
cach: {path: /nvme}
teams: {x: {user: [ada]}}
backends:
- name: a
  type: local
  config: {root: "\${NOWHERE}"}
- name: a
  type: azureblob
  mount_path: ../b
  config: {acount: x, root: data}
  auth: {method: static, account_key: hunter2}
- {name: c, type: gcs, config: {root: Data}}
metrics: {addr: nine, adr: ":1"}
metrics: {}
`,
  code: 2,
  stderr: problems(
    '1:1: mount_point: "data": wanted an absolute path',
    '2:1: alow_other: unknown key, did you mean "allow_other"?',
    '4:3: fuse.attr_timeout: "soon": wanted a duration such as "60s", or "0"',
    '6:3: fuse.congestion_threshold: "9": wanted at most fuse.max_background, which is 8',
    '7:3: fuse.pasthrough: unknown key, did you mean "passthrough"?',
    '8:22: cache.evict_low_water: ".9": wanted less than evict_high_water, which is 0.8',
    '9:1: cach: unknown key, did you mean "cache"?',
    '10:13: teams.x.user: unknown key, did you mean "users"?',
    '14:12: backends[0].config.root: "${NOWHERE}": environment variable NOWHERE is not set',
    '15:3: backends[1].name: "a": taken by backends[0].name on line 12, wanted another',
    '17:3: backends[1].mount_path: "../b": wanted a path below the mount point, such as ' +
      '"train", without "." or ".."',
    "18:3: backends[1].config.account: missing: wanted a storage account name: " +
      "3 to 24 lowercase letters and digits",
    '18:12: backends[1].config.acount: unknown key, did you mean "account"?',
    "19:26: backends[1].auth.account_key: ***: secrets do not belong in this file: " +
      "remove it and give account_key_env or account_key_file",
    '20:33: backends[2].config.root: "Data": wanted a bucket name: at least 3 lowercase ' +
      "letters, digits, dots and dashes",
    '21:11: metrics.addr: "nine": wanted an address such as "127.0.0.1:9090" or ":9090"',
    '21:23: metrics.adr: unknown key, did you mean "addr"?',
    "22:1: metrics: given twice, first on line 21: keep one of them",
  ),
};

const CONFIG_CASES: readonly CliCase[] = [
  {
    title: "says that the configuration is not there",
    args: CHECK,
    code: 2,
    stderr: `Cannot read configuration "config.yaml": No such file or directory (os error 2): ` +
      `readfile 'config.yaml'
Hint: Give the path of a readable file with --config
`,
  },
  {
    title: "takes the founding documents' single dash",
    args: ["mount", "-check", "-config", "config.yaml"],
    config: "",
    code: 2,
    stderr: problems("1:1: wanted a mapping of keys to values, such as mount_point: /mnt/data"),
  },
  {
    title: "explains what is not YAML",
    args: CHECK,
    config: "mount_point: /mnt/wd\nbackends:\n\t- name: a\n",
    code: 2,
    stderr: problems("3:1: not YAML: a tab cannot indent a line, use spaces"),
  },
  {
    title: "reports every problem of a configuration at once",
    args: CHECK,
    ...MISTAKEN,
  },
  {
    title: "lets the doctor refuse what the mount refuses, in its words",
    args: ["ctl", "doctor", "--config", "config.yaml"],
    ...MISTAKEN,
  },
  {
    title: "takes secrets from variables and keeps them to itself",
    args: CHECK,
    config: `mount_point: /mnt/wd
backends:
- name: a
  type: azureblob
  config: {account: acc, root: data}
  auth: {method: static, account_key_env: KEY}
`,
    variables: { KEY: "hunter2" },
    code: 2,
    stderr: problems(
      '6:26: backends[0].auth.account_key_env: "KEY": ' +
        "holds no account key: wanted base64 text, as the portal shows it",
    ),
  },
];

/** All cases. */
export const CLI_CASES: readonly CliCase[] = [
  ...USAGE_CASES,
  ...CTL_CASES,
  ...CTL_CHANGE_CASES,
  ...CTL_WARM_CASES,
  ...FORGE_CASES,
  ...URL_CASES,
  ...CONFIG_CASES,
];
