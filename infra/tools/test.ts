/**
 * `deno task test [SUITE…]`: runs the suites, adds up their results and ends with one line,
 * `N passed, N failed`. Exit code 1 when anything failed. Under CI=true a suite whose needs are not
 * met fails instead of being skipped. The suite `long` runs only when it is named.
 */
import { missing, thisMachine } from "./needs.ts";
import { SharedSteps } from "./shared_steps.ts";
import { REPOSITORY, repositoryFiles } from "./source_tree.ts";
import { LONG_SUITE, type Step, type Suite, SUITES, testFilesOf } from "./suites.ts";
import { add, NOTHING, type Tally, tallyOf } from "./tally.ts";

/** Seeds random tests; see `tests/support/seeded_random.ts`. */
const SEED_VARIABLE = "WARPDRIVE_TEST_SEED";

const encoder = new TextEncoder();

function say(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Copies `stream` to our output and returns its text. */
async function relay(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    Deno.stdout.writeSync(chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

interface Outcome {
  readonly output: string;
  readonly succeeded: boolean;
  /** The signal that ended it; null when it ended by itself. */
  readonly signal: Deno.Signal | null;
}

/** Runs this Deno with `args` for `suite`; the output is shown and returned. */
async function deno(args: readonly string[], suite: Suite): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: REPOSITORY,
    env: { NO_COLOR: "1", ...suite.variables, ...seedOf(suite) },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(suite.stepMsMax),
  }).spawn();
  const [output, errors, status] = await Promise.all([
    relay(child.stdout),
    relay(child.stderr),
    child.status,
  ]);
  if (status.signal !== null) say(`Ended by ${status.signal}: deno ${args.join(" ")}`);
  return { output: output + errors, succeeded: status.success, signal: status.signal };
}

/** The long form of the tests is another one each time; who wants the same again gives the seed. */
function seedOf(suite: Suite): Record<string, string> {
  if (suite !== LONG_SUITE || Deno.env.has(SEED_VARIABLE)) return {};
  const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
  say(`Seed: repeat with ${SEED_VARIABLE}=${seed}`);
  return { [SEED_VARIABLE]: String(seed) };
}

/**
 * Runs a step, once more if it died of SIGSEGV: `deno lint` with a plugin does so about once in 300
 * runs (2.9.6, at exit, after its findings), which says nothing about what it looked at.
 */
async function runStep(step: Step, suite: Suite): Promise<boolean> {
  const first = await deno(step.args, suite);
  const { succeeded } = first.signal === "SIGSEGV" ? await deno(step.args, suite) : first;
  say(`${step.title} ... ${succeeded ? "ok" : "FAILED"}`);
  return succeeded;
}

async function runSuite(
  suite: Suite,
  files: readonly string[],
  strict: boolean,
  steps: SharedSteps,
): Promise<Tally> {
  say(`\n== ${suite.name}: ${suite.title}`);
  const lacks = suite.needs.map((need) => missing(need, thisMachine)).filter((text) =>
    text !== null
  );
  if (lacks.length > 0) {
    for (const text of lacks) say(`${strict ? "Missing" : "Skipped"}: ${text}`);
    return { passed: 0, failed: strict ? 1 : 0, ignored: strict ? 0 : 1 };
  }
  let tally = NOTHING;
  for (const step of suite.steps) {
    const result = await steps.run(step, (own) => runStep(own, suite));
    const [passed, failed] = [result === "ok" ? 1 : 0, result === "failed" ? 1 : 0];
    tally = add(tally, { passed, failed, ignored: 0 });
    if (result === "failed" && step.required) return tally;
  }
  const tests = testFilesOf(suite, files);
  if (tests.length === 0) return tally;
  const args = ["test", "-A", "--no-check", ...suite.flags, ...tests];
  const { output, succeeded } = await deno(args, suite);
  return add(tally, tallyOf(output, succeeded));
}

function selectSuites(names: readonly string[]): readonly Suite[] | null {
  if (names.length === 0) return SUITES;
  const chosen = [...SUITES, LONG_SUITE].filter((suite) => names.includes(suite.name));
  return chosen.length === new Set(names).size ? chosen : null;
}

async function main(names: readonly string[], strict: boolean): Promise<number> {
  const suites = selectSuites(names);
  if (suites === null) {
    say(`Run suites "${names.join(" ")}": wanted ${SUITES.map((suite) => suite.name).join(", ")}`);
    return 2;
  }
  const files = repositoryFiles();
  say(`Suites: ${suites.map((suite) => suite.name).join(", ")}`);
  let total = NOTHING;
  const steps = new SharedSteps();
  for (const suite of suites) total = add(total, await runSuite(suite, files, strict, steps));
  // Declared gaps (a capability a provider does not have, with its reason) are no failures; a
  // machine that lacks what a suite needs was counted as one above.
  if (total.ignored > 0) say(`\n${total.ignored} skipped, see "ignored" above`);
  say(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args, Deno.env.get("CI") === "true"));
