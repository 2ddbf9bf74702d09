/** The durable steps at which a cache can be killed. */
import { DURABLE_STEPS, type DurableStep } from "../../cache/disk/durable_step.ts";

/** Those that a cache takes; it only unlinks what it evicts. */
export const CRASH_STEPS: readonly DurableStep[] = DURABLE_STEPS.filter((step) =>
  step !== "punch data"
);

/** Whether `text` names one. */
export function isDurableStep(text: string): text is DurableStep {
  return DURABLE_STEPS.some((step) => step === text);
}
