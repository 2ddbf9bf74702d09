/** Every sentence of mount/SEMANTICS.md, tried on real mounts of real stores. */
import { deepEqual, equal } from "node:assert/strict";
import { ROOT } from "./support/mounted.ts";
import { DIRECTORIES } from "./semantics/directories.ts";
import { FAILURES } from "./semantics/failures.ts";
import { LOCAL_FILES } from "./semantics/local_files.ts";
import { OBJECTS } from "./semantics/objects.ts";
import { OUTAGES } from "./semantics/outages.ts";
import { READ_ONLY } from "./semantics/read_only.ts";
import { VERSIONS } from "./semantics/versions.ts";
import { type Sentence, World } from "./semantics/world.ts";

const DOCUMENT = new URL("../mount/SEMANTICS.md", import.meta.url);

/** The groups in the order of the document. */
const GROUPS = [VERSIONS, LOCAL_FILES, OBJECTS, DIRECTORIES, READ_ONLY, FAILURES, OUTAGES];

/** Every sentence with the number its place gives it. */
const NUMBERED = GROUPS.flatMap((sentences, group) =>
  sentences.map((sentence, index): readonly [string, Sentence] => [
    `${group + 1}.${index + 1}`,
    sentence,
  ])
);

/** The sentences that the document lists, with their numbers. */
function listedIn(document: string): string[] {
  const items = document.matchAll(/^- \*\*(\d+\.\d+)\*\* ([^]*?)(?=\n\n|\n- |\n*$(?![^]))/gm);
  return [...items].map(([, number, text]) => `${number} ${text?.replaceAll(/\s+/g, " ")}`);
}

Deno.test("SEMANTICS.md lists the sentences that are tested, and no others", async () => {
  const tested = NUMBERED.map(([number, { text }]) => `${number} ${text}`);
  deepEqual(listedIn(await Deno.readTextFile(DOCUMENT)), tested);
  equal(new Set(NUMBERED.map(([, { text }]) => text)).size, tested.length);
});

Deno.test("The mount keeps what SEMANTICS.md promises", async (test) => {
  await using world = await World.start();
  for (const [number, { text, needs, check }] of NUMBERED) {
    const ignore = (needs === "root" && !ROOT) ||
      (needs === "passthrough" && !world.usual.passthrough);
    await test.step({ name: `${number} ${text}`, ignore, fn: () => check(world) });
  }
});
