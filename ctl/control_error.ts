/** Errors of the control sockets as a client meets them. */
import { z } from "zod";
import { API_VERSION } from "./api.ts";

/** Any JSON object the mount sends: its version, and perhaps an error. Codes may be newer. */
export const ENVELOPE = z.looseObject({
  version: z.number(),
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string().nullable(),
  }).optional(),
});

/** A call that the mount refused, or could not be asked for. */
export class ControlError extends Error {
  override readonly name = "ControlError";

  /** @param code Of `ERROR_STATUS`, of a newer mount, or a {@linkcode ClientErrorCode}. */
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string | null,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

/** Why a mount could not be asked. */
export type ClientErrorCode =
  /** Nothing is there, or nobody listens: no mount runs. */
  | "no_mount"
  /** This user may not use the socket. */
  | "no_permission"
  /** The answer broke off, or is none of this API: the mount ended, or is of another version. */
  | "no_answer";

/** The error that an answer of another version is. */
export function otherVersion(socket: string, version: number): ControlError {
  return new ControlError(
    "unsupported_version",
    `Ask the mount at "${socket}": it answers in version ${version} of the API, this program ` +
      `speaks ${API_VERSION}`,
    'Use the "warpdrive" that the mount was started with, or mount again with this one',
  );
}
