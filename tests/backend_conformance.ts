/**
 * One suite for every provider: what `cache/backend/backend.ts` obliges a backend to. What a
 * provider cannot do is declared, with its reason, and shows as an ignored test.
 */
import type { Capability, Fixture } from "./conformance/case.ts";
import { LISTING_CASES } from "./conformance/listing.ts";
import { READING_CASES } from "./conformance/reading.ts";
import { WRITING_CASES } from "./conformance/writing.ts";

/** A provider with what the suite needs to know of it. */
export interface Conformer {
  readonly name: string;
  /** Capabilities it lacks, each with the reason. */
  readonly lacks: Readonly<Partial<Record<Capability, string>>>;
  open(): Promise<Fixture>;
}

/** Registers the suite for `conformer`. */
export function testConformance(conformer: Conformer): void {
  for (const [sentence, needs, run] of [...LISTING_CASES, ...READING_CASES, ...WRITING_CASES]) {
    const missing = needs.flatMap((need) => conformer.lacks[need] ?? []);
    Deno.test({
      name: `${conformer.name} ${sentence}` + missing.map((why) => ` [cannot: ${why}]`).join(""),
      ignore: missing.length > 0,
      async fn() {
        await using fixture = await conformer.open();
        await run(fixture);
      },
    });
  }
}
