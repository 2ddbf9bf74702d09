/**
 * The moments between which a crash leaves the cache's disk in different states, in the order in
 * which an object version passes them. Crash tests end the process at each.
 */

/** Names of the steps. Each is announced just before it is taken. */
export const DURABLE_STEPS = [
  "insert object",
  "create file",
  "size file",
  "write data",
  "commit blocks",
  "pin objects",
  "punch data",
  "remove object",
  "unlink file",
] as const;

export type DurableStep = (typeof DURABLE_STEPS)[number];

/** Is told of a step about to be taken; what it throws stops the operation there. */
export type StepHook = (step: DurableStep) => void;

/** For a process that is to go on. */
export const noStepHook: StepHook = () => {};
