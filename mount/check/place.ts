/** The places a mount needs: its mount point and its address. Pure. */
import type { MetricsSettings } from "../config.ts";
import { type MountEntry, OUR_FILE_SYSTEM_TYPE } from "../../cache/platform/mount_table.ts";
import { bad, doubtful, type Finding, good } from "../../cache/platform/finding.ts";

/** What is at the mount point. */
export type MountPointState =
  | { readonly kind: "directory"; readonly empty: boolean; readonly writable: boolean }
  | { readonly kind: "file" }
  | { readonly kind: "missing" }
  /** Its last mount lost its process: every access fails with ENOTCONN. */
  | { readonly kind: "dead" }
  | { readonly kind: "unreadable"; readonly reason: string };

/** A mount point, and what the mount table has there. */
export interface MountPlace {
  readonly mounted: MountEntry | null;
  readonly state: MountPointState;
}

/** Judges the mount point. */
export function checkMountPoint(
  path: string,
  { mounted, state }: MountPlace,
  privileged: boolean,
): Finding {
  const subject = "mount point";
  const quoted = JSON.stringify(path);
  const ours = mounted?.type === OUR_FILE_SYSTEM_TYPE;
  if (state.kind === "dead") {
    return ours
      ? doubtful(
        subject,
        `${quoted} is a mount whose process is gone`,
        "Nothing to do: it is replaced at the start",
      )
      : bad(
        subject,
        `${quoted} is a dead mount of another program`,
        `Run "umount -l ${path}" as root, or choose another mount_point`,
      );
  }
  if (mounted !== null) {
    return bad(
      subject,
      `${quoted} is already a mount, of type ${mounted.type}`,
      ours
        ? `Run "warpdrive umount ${path}" first, or choose another mount_point`
        : "Choose another mount_point",
    );
  }
  switch (state.kind) {
    case "missing":
      return bad(subject, `${quoted} does not exist`, `Run "mkdir -p ${path}"`);
    case "file":
      return bad(subject, `${quoted} is no directory`, "Choose another mount_point");
    case "unreadable":
      return bad(
        subject,
        `${quoted} cannot be read: ${state.reason}`,
        "Correct its permissions, or choose another mount_point",
      );
    case "directory":
      return checkDirectory(subject, path, state.empty, state.writable || privileged);
  }
}

function checkDirectory(
  subject: string,
  path: string,
  empty: boolean,
  writable: boolean,
): Finding {
  const quoted = JSON.stringify(path);
  if (!empty) {
    return bad(
      subject,
      `${quoted} is not empty: the mount would hide what it holds`,
      "Move its files away, or choose another mount_point",
    );
  }
  // fusermount3 refuses a directory that its caller could not write to.
  return writable ? good(subject, `${quoted} is an empty directory`) : bad(
    subject,
    `${quoted} is not writable, as fusermount3 demands`,
    `Run "chown $USER ${path}" as root, or choose another mount_point`,
  );
}

/** Judges the metrics address. `failure` is why it cannot be listened on, or null. */
export function checkMetrics(metrics: MetricsSettings, failure: string | null): Finding {
  const subject = "metrics";
  if (!metrics.enabled) return good(subject, "off by metrics.enabled");
  const address = `${metrics.hostname}:${metrics.port}`;
  if (failure === null) return good(subject, `${address} is free`);
  return bad(
    subject,
    `${address} cannot be listened on: ${failure}`,
    "Set metrics.addr to another port, or end the process that has it",
  );
}
