/** The only place where an error becomes an errno and a log level. */
import { BackendError, type BackendErrorCode } from "../../cache/backend/backend.ts";
import { unreachable } from "../../cache/platform/assert.ts";
import { ERRNO, SystemError } from "../../cache/platform/errno.ts";
import { QueueFullError } from "../../cache/platform/limit.ts";
import type { LogLevel } from "../../cache/platform/log.ts";

/** What a caller and the log are told. */
export interface Verdict {
  readonly errno: number;
  readonly level: LogLevel;
}

/** The verdict on `error`; null for an error nobody foresaw, which is a bug. */
export function verdictOn(error: unknown): Verdict | null {
  if (error instanceof BackendError) return backendVerdict(error.code);
  // The caller was let go, and whatever this says reaches nobody.
  if (error instanceof DOMException && error.name === "AbortError") {
    return { errno: ERRNO.EINTR, level: "debug" };
  }
  if (error instanceof SystemError) return { errno: error.errno, level: "warn" };
  if (error instanceof QueueFullError) return { errno: ERRNO.EAGAIN, level: "warn" };
  return null;
}

function backendVerdict(code: BackendErrorCode): Verdict {
  switch (code) {
    // A name that is absent is no error of a backend: this is a container that does not exist.
    // ENOENT would make readdir(3) show an empty directory.
    case "not_found":
      return { errno: ERRNO.EIO, level: "warn" };
    case "changed":
      return { errno: ERRNO.ESTALE, level: "info" };
    case "denied":
      return { errno: ERRNO.EACCES, level: "warn" };
    case "throttled":
    case "unavailable":
      return { errno: ERRNO.EIO, level: "warn" };
    case "timeout":
      return { errno: ERRNO.ETIMEDOUT, level: "warn" };
    // Said once when the backend became degraded; each refused call adds nothing.
    case "degraded":
      return { errno: ERRNO.EIO, level: "debug" };
    case "invalid":
      return { errno: ERRNO.EINVAL, level: "warn" };
    default:
      return unreachable(code);
  }
}
