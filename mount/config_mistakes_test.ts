/** What a person reads about each mistake in a configuration file. */
import { deepEqual } from "node:assert/strict";
import { formatProblem } from "../cache/platform/config_problem.ts";
import { type MountConfigInputs, parseMountConfig } from "./config_file.ts";

/** Would be a secret. */
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==";

const SESSION = { XDG_RUNTIME_DIR: "/run/user/1000" };
const VARIABLES: Readonly<Record<string, string>> = {
  KEY,
  NOT_A_KEY: "hunter2",
  EMPTY: " ",
  ...SESSION,
};

const INPUTS: MountConfigInputs = {
  env: { get: (name) => VARIABLES[name] },
  readTextFile() {
    throw new Deno.errors.NotFound("No such file");
  },
  user: { uid: 1000, gid: 100 },
};

function problemsOf(text: string): string[] {
  const outcome = parseMountConfig(text, INPUTS);
  return outcome.ok ? [] : outcome.problems.map((problem) => formatProblem("f", problem));
}

const MINIMAL = "mount_point: /mnt/wd\nbackends:\n- {name: a, type: local, config: {root: /srv}}\n";

function azure(config: string, auth: string): string {
  return `mount_point: /mnt/wd
backends:
- name: b
  type: azureblob
  config: {account: acc, root: data${config}}
${auth === "" ? "" : `  auth: {${auth}}\n`}`;
}

/** A configuration with one mistake, and the problem reported for it. */
const MISTAKES: readonly (readonly [title: string, text: string, problem: string])[] = [
  [
    "an empty file",
    "",
    "f:1:1: wanted a mapping of keys to values, such as mount_point: /mnt/data",
  ],
  [
    "a file that is a list",
    "- a\n",
    "f:1:1: wanted a mapping of keys to values, such as mount_point: /mnt/data",
  ],
  [
    "an unknown key",
    `alow_other: true\n${MINIMAL}`,
    'f:1:1: alow_other: unknown key, did you mean "allow_other"?',
  ],
  [
    "an unknown key of a section",
    `metrics: {adr: ":1"}\n${MINIMAL}`,
    'f:1:11: metrics.adr: unknown key, did you mean "addr"?',
  ],
  [
    "an unknown key that resembles nothing",
    `metrics: {colour: red}\n${MINIMAL}`,
    "f:1:11: metrics.colour: unknown key, known here: enabled, addr",
  ],
  [
    "a value of the wrong form",
    `fuse: {max_read_ahead: much}\n${MINIMAL}`,
    'f:1:8: fuse.max_read_ahead: "much": wanted a size such as "1MiB", or "0"',
  ],
  [
    "a congestion threshold above max_background",
    `fuse: {max_background: 8, congestion_threshold: 9}\n${MINIMAL}`,
    'f:1:27: fuse.congestion_threshold: "9": wanted at most fuse.max_background, which is 8',
  ],
  [
    "a relative mount point",
    MINIMAL.replace("/mnt/wd", "mnt"),
    'f:1:1: mount_point: "mnt": wanted an absolute path',
  ],
  [
    "the root as a mount point",
    MINIMAL.replace("/mnt/wd", "/"),
    'f:1:1: mount_point: "/": wanted a directory of its own, not the root of the system',
  ],
  [
    "no mount point",
    MINIMAL.replace("mount_point: /mnt/wd\n", ""),
    "f:1:1: mount_point: missing: wanted an absolute path",
  ],
  [
    "no backends",
    "mount_point: /mnt/wd\nbackends: []\n",
    "f:2:1: backends: wanted at least one backend",
  ],
  [
    "a bucket under another name",
    "mount_point: /mnt/wd\nbackends:\n- {name: a, type: gcs, config: {bucket: x, root: abc}}\n",
    'f:3:33: backends[0].config.bucket: "x": the bucket is named by "root"',
  ],
  [
    "a name that is taken",
    `${MINIMAL}- {name: a, type: local, mount_path: b, config: {root: /srv}}\n`,
    'f:4:4: backends[1].name: "a": taken by backends[0].name on line 3, wanted another',
  ],
  [
    "a mount path that is taken",
    `${MINIMAL}- {name: b, type: local, mount_path: /a/, config: {root: /srv}}\n`,
    'f:4:26: backends[1].mount_path: "/a/": taken by backends[0].name on line 3, wanted another',
  ],
  [
    "a mount path that leaves the mount",
    `${MINIMAL}- {name: b, type: local, mount_path: ../b, config: {root: /srv}}\n`,
    'f:4:26: backends[1].mount_path: "../b": wanted a path below the mount point, ' +
    'such as "train", without "." or ".."',
  ],
  [
    "a local root above the mount point",
    MINIMAL.replace("/srv", "/mnt"),
    'f:3:35: backends[0].config.root: "/mnt": contains the mount point "/mnt/wd", ' +
    "so reading it would enter the mount: wanted a root outside",
  ],
  [
    "a local root below the mount point",
    MINIMAL.replace("/srv", "/mnt/wd/x"),
    'f:3:35: backends[0].config.root: "/mnt/wd/x": lies under the mount point "/mnt/wd", ' +
    "which would hide it: wanted a root outside",
  ],
  [
    "a cache below the mount point",
    `cache: {path: /mnt/wd/cache}\n${MINIMAL}`,
    'f:1:9: cache.path: "/mnt/wd/cache": wanted a path outside the mount point "/mnt/wd"',
  ],
  [
    "a log below the mount point",
    `telemetry: {file_path: /mnt/wd/log}\n${MINIMAL}`,
    'f:1:13: telemetry.file_path: "/mnt/wd/log": wanted a path outside the mount point "/mnt/wd"',
  ],
  [
    "control sockets below the mount point",
    `control: {path: /mnt/wd/sockets}\n${MINIMAL}`,
    'f:1:11: control.path: "/mnt/wd/sockets": wanted a path outside the mount point "/mnt/wd"',
  ],
  [
    "a mount point that would hide the control sockets",
    `control: {name: x}\n${MINIMAL.replace("/mnt/wd", "/run/user/1000")}`,
    'f:2:1: mount_point: "/run/user/1000": would hide the control sockets in ' +
    '"/run/user/1000/warpdrive/x": wanted another, or control.path elsewhere',
  ],
  [
    "control sockets with too long a path",
    `control: {path: /${"x".repeat(96)}}\n${MINIMAL}`,
    `f:1:11: control.path: "/${"x".repeat(59)}…": a socket in it would have too long a path, ` +
    "wanted at most 96 bytes",
  ],
  [
    "a path and a name of control sockets",
    `control: {path: /srv/sockets, name: x}\n${MINIMAL}`,
    'f:1:31: control.name: "x": part of the default of "path", which is given: keep one',
  ],
  [
    "water marks the wrong way round",
    `cache: {evict_low_water: .9, evict_high_water: .8}\n${MINIMAL}`,
    'f:1:9: cache.evict_low_water: ".9": wanted less than evict_high_water, which is 0.8',
  ],
  [
    "an enabled cache without a path",
    `cache: {enabled: true}\n${MINIMAL}`,
    "f:1:1: cache.path: missing: wanted an absolute path, because the cache is enabled",
  ],
  [
    "a block size that is no power of two",
    `cache: {block_size: 3MB}\n${MINIMAL}`,
    'f:1:9: cache.block_size: "3MB": wanted a power of two from 128KiB to 64MiB',
  ],
  [
    "a variable that is not set",
    MINIMAL.replace("/srv", '"${NOWHERE}/x"'),
    'f:3:35: backends[0].config.root: "${NOWHERE}/x": environment variable NOWHERE is not set',
  ],
  [
    "a shell expression as a variable",
    MINIMAL.replace("/srv", '"${DATA:-/x}"'),
    'f:3:35: backends[0].config.root: "${DATA:-/x}": ' +
    "wanted the name of an environment variable between ${ and }",
  ],
  [
    "an account name in capitals",
    azure("", "").replace("acc,", "Acc,"),
    'f:5:12: backends[0].config.account: "Acc": ' +
    "wanted a storage account name: 3 to 24 lowercase letters and digits",
  ],
  [
    "the container under another name",
    azure(", container: x", ""),
    'f:5:38: backends[0].config.container: "x": the container is named by "root"',
  ],
  [
    "a secret in the file",
    azure("", `method: static, account_key_env: KEY, account_key: "${KEY}"`),
    "f:6:48: backends[0].auth.account_key: ***: secrets do not belong in this file: " +
    "remove it and give account_key_env or account_key_file",
  ],
  [
    "a secret where its variable is wanted",
    azure("", `method: static, account_key_env: "${KEY}"`),
    "f:6:26: backends[0].auth.account_key_env: ***: wanted the name of an environment variable",
  ],
  [
    "a static method without a secret",
    azure("", "method: static"),
    'f:6:10: backends[0].auth.method: "static": ' +
    "needs one of account_key_env, account_key_file, sas_env, sas_file",
  ],
  [
    "two secrets at once",
    azure("", "method: static, account_key_env: KEY, sas_env: SAS"),
    'f:6:48: backends[0].auth.sas_env: "SAS": given beside account_key_env: keep one of them',
  ],
  [
    "a key that its method does not use",
    azure("", "method: none, tenant_id: t"),
    'f:6:24: backends[0].auth.tenant_id: "t": not used by method "none": remove it',
  ],
  [
    "an empty variable",
    azure("", "method: static, account_key_env: EMPTY"),
    'f:6:26: backends[0].auth.account_key_env: "EMPTY": environment variable EMPTY is empty',
  ],
  [
    "a variable that holds no key",
    azure("", "method: static, account_key_env: NOT_A_KEY"),
    'f:6:26: backends[0].auth.account_key_env: "NOT_A_KEY": ' +
    "holds no account key: wanted base64 text, as the portal shows it",
  ],
  [
    "a secret file that is not there",
    azure("", "method: static, account_key_file: /secrets/none"),
    'f:6:26: backends[0].auth.account_key_file: "/secrets/none": ' +
    "the file cannot be read: No such file",
  ],
  [
    "use_msi beside another method",
    azure(", use_msi: true", "method: none"),
    'f:5:38: backends[0].config.use_msi: "true": contradicts auth.method: ' +
    'wanted "managed_identity" there, or no use_msi here',
  ],
  [
    "a token sent in the clear",
    azure(', endpoint: "http://a.example"', ""),
    'f:5:38: backends[0].config.endpoint: "http://a.example": wanted an https URL, ' +
    "because tokens of managed_identity are never sent in the clear",
  ],
];

for (const [title, text, problem] of MISTAKES) {
  Deno.test(`parseMountConfig explains ${title}`, () => deepEqual(problemsOf(text), [problem]));
}

Deno.test("parseMountConfig reports every problem at once, in the order of the file", () => {
  const text = `mount_point: wd
fuse: {attr_timeout: soon, negative_timeot: 5s}
cache: {max_size: 1MB, evict_low_water: 0.95}
backends:
- {name: "a b", type: local, config: {root: "\${NOWHERE}"}}
- {name: c, type: azureblob, config: {account: C, rot: data}, auth: {method: magic}}
- {name: d, type: ftp}
metrics: {addr: nine}
`;
  deepEqual(problemsOf(text).map((line) => line.split(": ").slice(0, 2).join(" ")), [
    "f:1:1 mount_point",
    "f:2:8 fuse.attr_timeout",
    "f:2:28 fuse.negative_timeot",
    "f:3:9 cache.max_size",
    "f:3:24 cache.evict_low_water",
    "f:5:4 backends[0].name",
    "f:5:39 backends[0].config.root",
    "f:6:30 backends[1].config.root",
    "f:6:39 backends[1].config.account",
    "f:6:51 backends[1].config.rot",
    "f:6:70 backends[1].auth.method",
    "f:7:13 backends[2].type",
    "f:8:11 metrics.addr",
  ]);
});
