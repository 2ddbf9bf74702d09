import { deepEqual, rejects } from "node:assert/strict";
import { MemoryBackend } from "../cache/backend/memory.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { collectedLog } from "../tests/support/collected_log.ts";
import { FakeClock } from "../tests/support/fake_clock.ts";
import { NamesPlace } from "../tests/support/known_names.ts";
import { failing, ScriptedBackend } from "../tests/support/scripted_backend.ts";
import { Offline } from "./fs/offline.ts";
import { probeVolumes, type WhenSilent } from "./probe.ts";

const { signal } = new AbortController();

/** Probes a store that fails with `code`; what was logged. */
async function probe(
  place: NamesPlace,
  code: Parameters<typeof failing>[0],
  whenSilent: WhenSilent,
): Promise<unknown[]> {
  const clock = new FakeClock();
  const { logger, records } = collectedLog();
  const backend = new ScriptedBackend(
    new MemoryBackend("train", { pageSize: 10, pieceBytes: 1 }, clock),
  );
  backend.steps.push(failing(code));
  const names = place.names(clock);
  const offline = new Offline({
    ...{ backend: "train", names, clock, logger, signal },
    offlineTtlMs: 1_000,
  });
  const volume = { name: "train", backend, offline };
  await probeVolumes([volume], whenSilent, clock, logger, signal);
  return records.map(({ message }) => message);
}

Deno.test("probeVolumes refuses a URL that does not answer, unless it is known", async () => {
  await using place = await NamesPlace.open();
  deepEqual(await probe(place, "unavailable", "warn"), [
    "A backend does not answer: its paths fail until it does",
  ]);
  await rejects(probe(place, "unavailable", "refuse"), CommandError);
  place.index.putListing("train", "", { fetchedMs: 0, complete: true, entries: [] });
  for (const whenSilent of ["warn", "refuse"] as const) {
    deepEqual(await probe(place, "unavailable", whenSilent), [
      "Answer from what is known: the store does not answer",
      "A backend does not answer: what is known of it serves until it does",
    ]);
  }
});

Deno.test("probeVolumes refuses what is a mistake, whatever is known", async () => {
  await using place = await NamesPlace.open();
  place.index.putListing("train", "", { fetchedMs: 0, complete: true, entries: [] });
  await rejects(probe(place, "denied", "warn"), CommandError);
  await rejects(probe(place, "not_found", "refuse"), CommandError);
});

Deno.test("probeVolumes lets one backend that is refused keep no other from mounting", async () => {
  const clock = new FakeClock();
  const volumeOf = (name: string, ...codes: Parameters<typeof failing>[0][]) => {
    const memory = new MemoryBackend(name, { pageSize: 10, pieceBytes: 1 }, clock);
    const backend = new ScriptedBackend(memory);
    backend.steps.push(...codes.map((code) => failing(code)));
    return { name, backend, offline: null };
  };
  const { logger, records } = collectedLog();
  const tenants = [volumeOf("expired", "denied"), volumeOf("good")];
  await probeVolumes(tenants, "warn", clock, logger, signal);
  deepEqual(records.map(({ message }) => message), [
    "A store refuses a backend: its paths are EACCES until it does not",
  ]);
  // Where nothing else can be had, or somebody waits for just this one, it is an error.
  const refused = [volumeOf("a", "denied"), volumeOf("b", "denied"), volumeOf("c", "timeout")];
  await rejects(probeVolumes(refused, "warn", clock, logger, signal), /"a"[^]*"b"/);
  const named = [volumeOf("a", "denied"), volumeOf("good")];
  await rejects(probeVolumes(named, "refuse", clock, logger, signal), /"a"/);
  // That there is no such container is a mistake in any company.
  const mistaken = [volumeOf("a", "not_found"), volumeOf("good")];
  await rejects(probeVolumes(mistaken, "warn", clock, logger, signal), /"a"/);
});
