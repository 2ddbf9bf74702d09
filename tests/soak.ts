/**
 * `deno task soak`: a real mount of a real Azurite, through a network that fails, under a mixed
 * load for hours. Compares every byte, watches the process of the mount, writes what it sees to a
 * CSV and ends with a table. Exit code 1 when anything was wrong; Ctrl+C ends it early, in order.
 */
import { systemClock } from "../cache/platform/clock.ts";
import { DataSet } from "./soak/data_set.ts";
import { header, line, progress, summary } from "./soak/journal.ts";
import { Findings, Load } from "./soak/load.ts";
import { readSettings, type SoakSettings } from "./soak/settings.ts";
import { SoakedMount } from "./soak/soaked_mount.ts";
import { faultsOf, type Outcome, type Sample } from "./soak/verdict.ts";
import { WeatherMaker } from "./soak/weather.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { SeededRandom } from "./support/seeded_random.ts";

const SAMPLE_MS = 5_000;
const SAY_EVERY = 12;
/** Longest time to come to rest: a degraded backend is probed, idle files are closed. */
const REST_MS_MAX = 90_000;
const NEVER = new AbortController().signal;
const clock = systemClock;
const encoder = new TextEncoder();

function say(text: string): void {
  Deno.stdout.writeSync(encoder.encode(text));
}

/** Everything of one soak. */
interface Soak {
  readonly settings: SoakSettings;
  readonly mount: SoakedMount;
  readonly weather: WeatherMaker;
  readonly findings: Findings;
  readonly csv: Deno.FsFile;
  readonly startMs: number;
}

/** Looks at the mount and writes it down. */
async function look(
  soak: Soak,
): Promise<{ readonly sample: Sample; readonly corruptions: number }> {
  const { mount, weather, findings, csv, startMs } = soak;
  const nowMs = () => clock.monotonicMs();
  const { sample, metrics } = await mount.look((nowMs() - startMs) / 1_000, nowMs);
  await csv.write(encoder.encode(line(sample, metrics, weather, findings)));
  return { sample, corruptions: metrics.get("warpdrive_cache_corruptions_total") ?? 0 };
}

/** Looks at it every few seconds until `signal` aborts. */
async function watch(soak: Soak, signal: AbortSignal): Promise<Sample[]> {
  const samples: Sample[] = [];
  while (!signal.aborted) {
    const { sample } = await look(soak);
    samples.push(sample);
    if (samples.length % SAY_EVERY === 1) say(progress(sample, soak.weather, soak.findings));
    // A log that nobody reads is forgotten.
    void soak.mount.loggedErrors;
    await clock.sleep(SAMPLE_MS, signal).catch(() => undefined);
  }
  return samples;
}

/** Waits until nothing is under way; how the mount then is. */
async function rest(
  soak: Soak,
  before: Sample,
): Promise<{ readonly sample: Sample; readonly corruptions: number }> {
  const endMs = clock.monotonicMs() + REST_MS_MAX;
  for (;;) {
    const seen = await look(soak);
    const { requestsInFlight, bufferBytes, descriptors } = seen.sample;
    const isAtRest = requestsInFlight === 0 && bufferBytes === 0 &&
      descriptors <= before.descriptors;
    if (isAtRest || clock.monotonicMs() > endMs) return seen;
    await clock.sleep(1_000, NEVER);
  }
}

/** Runs the load; what came of it. */
async function soak(settings: SoakSettings, stop: AbortSignal): Promise<number> {
  say(`Seed ${settings.seed}, samples in ${settings.csv}\n`);
  await using store = await RemoteStore.start();
  const data = new DataSet(await store.container("soak", {}));
  await data.fill(stop);
  const backend = store.backend("soak", "proxied", { timeout: "20s" });
  await using mount = await SoakedMount.start(backend, store.variables);
  say(`Mounted at ${mount.path} by process ${mount.pid}\n`);
  using csv = await Deno.create(settings.csv);
  await csv.write(encoder.encode(header()));
  const random = new SeededRandom(settings.seed);
  const weather = new WeatherMaker(store.proxy, random, clock);
  const findings = new Findings(say);
  const running = { settings, mount, weather, findings, csv, startMs: clock.monotonicMs() };
  const { sample: before } = await look(running);
  const { intensity, durationMs } = settings;
  const root = `${mount.path}/soak`;
  const load = new Load({ root, data, weather, random, clock, findings, intensity });
  const signal = AbortSignal.any([stop, AbortSignal.timeout(durationMs)]);
  const [samples] = await Promise.all([
    watch(running, signal),
    load.run(signal),
    weather.run(signal),
  ]);
  const { sample: after, corruptions } = await rest(running, before);
  const { loggedErrors } = mount;
  const exitCode = await mount.stop();
  const { wrongBytes, unexpectedErrors } = findings;
  const outcome: Outcome = {
    ...{ samples, before, after, wrongBytes, unexpectedErrors, loggedErrors, corruptions },
    exitCode,
  };
  say(`\n${summary(outcome, findings, weather)}\n`);
  const faults = faultsOf(outcome);
  for (const fault of faults) say(`FAILED: ${fault}\n`);
  say(faults.length === 0 ? "The soak passed\n" : `The soak failed: ${faults.length} faults\n`);
  return faults.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, onSignal);
  try {
    const [seed = 1] = crypto.getRandomValues(new Uint32Array(1));
    return await soak(readSettings(Deno.args, seed), stop.signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    Deno.stderr.writeSync(encoder.encode(`${error.message}\n`));
    return 2;
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, onSignal);
  }
}

if (import.meta.main) Deno.exit(await main());
