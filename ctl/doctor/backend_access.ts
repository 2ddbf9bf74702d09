/** The check of what the credential of a backend allows. */
import { type AccessTrialDeps, tryAccess } from "../../cache/backend/access/access_trial.ts";
import type { Backend } from "../../cache/backend/backend.ts";
import type { BackendSettings } from "../../cache/backend/settings.ts";
import { type Check, NETWORK_DEADLINE_MS } from "./check.ts";

/** A doctor is for a person who waits; shorter than the check, so that its own error shows. */
const TIMEOUT_MS_MAX = 8_000;

/** What the check works with. */
export interface BackendAccessDeps extends AccessTrialDeps {
  /** Opens the backend as the mount would; the check closes it. */
  readonly open: (settings: BackendSettings) => Promise<Backend>;
}

/** The check of access to the backend of `settings`. */
export function backendAccess(settings: BackendSettings, deps: BackendAccessDeps): Check {
  const subject = `backend ${JSON.stringify(settings.name)}`;
  return {
    name: "backend_access",
    subject,
    deadlineMs: NETWORK_DEADLINE_MS,
    async run(signal) {
      const timeoutMs = Math.min(settings.timeoutMs, TIMEOUT_MS_MAX);
      await using backend = await deps.open({ ...settings, timeoutMs });
      return await tryAccess(subject, settings, backend, deps, signal);
    },
  };
}
