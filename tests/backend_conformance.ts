/**
 * One suite for every provider: what `cache/backend/backend.ts` obliges a backend to, and for those
 * across a network what they make of it. What a provider cannot do is declared, with its reason,
 * and shows as an ignored test.
 */
import type { Capability, Case, Fixture } from "./conformance/case.ts";
import { FAULT_CASES } from "./conformance/faults.ts";
import { LISTING_CASES } from "./conformance/listing.ts";
import { READING_CASES } from "./conformance/reading.ts";
import { SERVICE_CASES } from "./conformance/service.ts";
import { WRITING_CASES } from "./conformance/writing.ts";
import type { StoreKind, TestedStore } from "./stores/tested_store.ts";

/** A provider with what the suite needs to know of it. */
export interface Conformer {
  readonly name: string;
  /** Capabilities it lacks, each with the reason. */
  readonly lacks: Readonly<Partial<Record<Capability, string>>>;
  open(): Promise<Fixture>;
}

/** Registers what holds for every backend for `conformer`. */
export function testConformance({ name, lacks, open }: Conformer): void {
  register(name, lacks, [...LISTING_CASES, ...READING_CASES, ...WRITING_CASES], async (run) => {
    await using fixture = await open();
    await run(fixture);
  });
}

/** Registers everything for a store across a network, which runs as long as the tests of a file. */
export function testStore({ name, lacks, start }: StoreKind): void {
  let running: TestedStore | null = null;
  Deno.test.beforeAll(async () => {
    running = await start();
  });
  Deno.test.afterAll(async () => {
    await running?.[Symbol.asyncDispose]();
  });
  const store = (): TestedStore => {
    if (running === null) throw new Error("The store has not been started");
    running.proxy.heal();
    running.proxy.seen.length = 0;
    return running;
  };
  for (const prefix of ["", "some prefix/below"]) {
    const below = prefix === "" ? name : `${name} below a prefix`;
    testConformance({ name: below, lacks, open: () => store().empty(prefix) });
  }
  register(name, lacks, [...FAULT_CASES, ...SERVICE_CASES], (run) => run(store()));
}

/** Registers `cases`; `give` gives each what it runs on. */
function register<T>(
  name: string,
  lacks: Conformer["lacks"],
  cases: readonly Case<T>[],
  give: (run: (on: T) => Promise<void>) => Promise<void>,
): void {
  for (const [sentence, needs, run] of cases) {
    const missing = needs.flatMap((need) => lacks[need] ?? []);
    Deno.test({
      name: `${name} ${sentence}` + missing.map((why) => ` [cannot: ${why}]`).join(""),
      ignore: missing.length > 0,
      fn: () => give(run),
    });
  }
}
