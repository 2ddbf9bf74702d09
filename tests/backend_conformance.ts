/**
 * One suite for every provider: what `cache/backend/backend.ts` obliges a backend to, and for those
 * across a network what they make of it. What a provider or its server cannot do is declared, with
 * its reason, and the cases that need it are not for it.
 */
import { ok } from "node:assert/strict";
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

/** What holds for every backend. */
const CONTRACT_CASES = [...LISTING_CASES, ...READING_CASES, ...WRITING_CASES];
/** What holds for those across a network besides. */
const NETWORK_CASES = [...FAULT_CASES, ...SERVICE_CASES];

/** Registers what holds for every backend for `conformer`. */
export function testConformance(conformer: Conformer): void {
  declare(conformer, CONTRACT_CASES);
  registerContract(conformer);
}

/** Registers everything for a store across a network, which runs as long as the tests of a file. */
export function testStore({ name, lacks, start }: StoreKind): void {
  declare({ name, lacks }, [...CONTRACT_CASES, ...NETWORK_CASES]);
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
    registerContract({ name: below, lacks, open: () => store().empty(prefix) });
  }
  register(name, lacks, NETWORK_CASES, (run) => run(store()));
}

/** Registers, for each thing that cannot be done, that some case would need it. */
function declare(
  { name, lacks }: Pick<Conformer, "name" | "lacks">,
  cases: readonly Pick<Case, 0 | 1>[],
): void {
  for (const [capability, why] of Object.entries(lacks)) {
    Deno.test(`${name} declares that it lacks ${capability}: ${why}`, () => {
      ok(
        cases.some(({ 1: needs }) => needs.some((need) => need === capability)),
        "No case needs it",
      );
    });
  }
}

function registerContract({ name, lacks, open }: Conformer): void {
  register(name, lacks, CONTRACT_CASES, async (run) => {
    await using fixture = await open();
    await run(fixture);
  });
}

/** Registers those of `cases` that need nothing lacking; `give` gives each what it runs on. */
function register<T>(
  name: string,
  lacks: Conformer["lacks"],
  cases: readonly Case<T>[],
  give: (run: (on: T) => Promise<void>) => Promise<void>,
): void {
  for (const [sentence, needs, run] of cases) {
    if (needs.some((need) => need in lacks)) continue;
    Deno.test(`${name} ${sentence}`, () => give(run));
  }
}
