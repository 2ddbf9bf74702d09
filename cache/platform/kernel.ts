/** What the kernel and the system allow, judged from the texts they publish. Pure. */
import { bad, doubtful, type Finding, good } from "./finding.ts";

/** CAP_SYS_ADMIN, linux/capability.h. */
const CAP_SYS_ADMIN = 21;
/** First kernel with FUSE_PASSTHROUGH. */
const PASSTHROUGH_KERNEL = [6, 9] as const;
/** Each file a user holds open in passthrough, and each connection, is a descriptor of ours. */
const OPEN_FILES_WANTED = 65_536;

/** What happened on opening a device or looking for a program. */
export type Access = "ok" | "missing" | "denied";

/** Whether a process with this `/proc/self/status` may mount without help. */
export function mayMount(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined &&
    ((BigInt(`0x${effective}`) >> BigInt(CAP_SYS_ADMIN)) & 1n) === 1n;
}

/** Judges `/dev/fuse`. */
export function checkDevice(device: Access, privileged: boolean): Finding {
  const subject = "FUSE device";
  switch (device) {
    case "ok":
      return good(subject, "/dev/fuse opens");
    case "missing":
      return bad(
        subject,
        "/dev/fuse does not exist",
        'Run "modprobe fuse", or start the container with --device /dev/fuse',
      );
    case "denied":
      return privileged
        ? bad(
          subject,
          "/dev/fuse may not be opened",
          "Start the container with --device /dev/fuse and --cap-add SYS_ADMIN",
        )
        : good(subject, "/dev/fuse exists; fusermount3 opens it");
  }
}

/** Judges who will call mount(2). `helper` is where fusermount3 was found, or null. */
export function checkPrivilege(privileged: boolean, helper: string | null): Finding {
  const subject = "privilege";
  if (privileged) return good(subject, "CAP_SYS_ADMIN: mounts by itself");
  if (helper !== null) return good(subject, `mounts through ${helper}`);
  return bad(
    subject,
    "no CAP_SYS_ADMIN and no fusermount3 on PATH",
    "Run it as root, or install the package fuse3",
  );
}

/** Judges `allow_other`. `fuseConf` is the text of /etc/fuse.conf, null when there is none. */
export function checkAllowOther(
  allowOther: boolean,
  privileged: boolean,
  fuseConf: string | null,
): Finding {
  const subject = "allow_other";
  if (!allowOther) return good(subject, "off: only the mounting user sees the files");
  if (privileged || /^[ \t]*user_allow_other[ \t]*$/m.test(fuseConf ?? "")) {
    return good(subject, "on: every user sees the files");
  }
  return bad(
    subject,
    "on, and /etc/fuse.conf does not allow it to users",
    'Add the line "user_allow_other" to /etc/fuse.conf, or set allow_other: false',
  );
}

/**
 * Judges whether the kernel will read files of this machine itself; the mount asks it for certain.
 * `keepsFiles`: there are such files, in a local backend or the cache.
 */
export function checkPassthrough(
  wanted: boolean,
  keepsFiles: boolean,
  kernelRelease: string,
  privileged: boolean,
): Finding {
  const subject = "passthrough";
  if (!wanted) return good(subject, "off by fuse.passthrough");
  if (!keepsFiles) return good(subject, "not needed: no backend of type local and no cache");
  const slower = "reads of local and cached files go through the daemon, at less of the speed";
  if (!isAtLeast(kernelRelease, PASSTHROUGH_KERNEL)) {
    const version = PASSTHROUGH_KERNEL.join(".");
    return doubtful(
      subject,
      `kernel ${kernelRelease} is older than ${version}: ${slower}`,
      `Use a kernel of version ${version} or later`,
    );
  }
  if (!privileged) {
    return doubtful(subject, `no CAP_SYS_ADMIN: ${slower}`, "Run it as root for full local speed");
  }
  return good(subject, `possible with kernel ${kernelRelease}`);
}

/** Judges the limit on open files in this `/proc/self/limits`. */
export function checkOpenFiles(limits: string): Finding {
  const subject = "open files";
  const match = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  if (match === undefined) {
    return doubtful(subject, "limit unknown", "Check it with ulimit -Hn");
  }
  const hard = match === "unlimited" ? Infinity : Number(match);
  if (hard >= OPEN_FILES_WANTED) return good(subject, `up to ${match}`);
  return doubtful(
    subject,
    `up to ${match}: enough for few users, wanted ${OPEN_FILES_WANTED}`,
    "Raise LimitNOFILE= of the service, or ulimit -Hn",
  );
}

function isAtLeast(release: string, wanted: readonly [number, number]): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release);
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])];
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}
