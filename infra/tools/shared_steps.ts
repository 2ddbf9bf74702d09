/** Steps that several suites begin with, such as building the program. */
import type { Step } from "./suites.ts";

/** What came of a step. */
export type StepResult = "ok" | "failed" | "done before";

/** The steps of one run of the tests. */
export class SharedSteps {
  readonly #succeeded = new Set<string>();

  /** Runs `step` by `run`, unless the same one has succeeded already. */
  async run(step: Step, run: (step: Step) => Promise<boolean>): Promise<StepResult> {
    const command = JSON.stringify(step.args);
    if (this.#succeeded.has(command)) return "done before";
    if (!await run(step)) return "failed";
    this.#succeeded.add(command);
    return "ok";
  }
}
