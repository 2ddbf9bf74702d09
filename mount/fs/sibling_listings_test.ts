import { deepEqual, equal } from "node:assert/strict";
import { FileSystemFixture, SETTINGS } from "../../tests/support/file_system.ts";

const DIRECTORIES = Array.from({ length: 20 }, (_, index) => `d${String(index).padStart(2, "0")}`);

/** A file system over twenty directories of one file each, whose root has been listed. */
async function walked() {
  const at = new FileSystemFixture({ ...SETTINGS, pageSize: 100 });
  at.seed(...DIRECTORIES.map((name) => `${name}/file`));
  const { node } = await at.find("data");
  deepEqual(await at.names(node), DIRECTORIES);
  const open = async (name: string) => {
    const entry = await at.find(`data/${name}`);
    equal((await at.names(entry.node)).length, 1);
    await settled();
  };
  return { open, lists: () => at.calls("list") };
}

/** Lets listings that were begun ahead arrive. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

Deno.test("SiblingListings lists the next directories of a walk ahead", async () => {
  const { open, lists } = await walked();
  const root = lists();
  for (const name of DIRECTORIES.slice(0, 2)) await open(name);
  // The second in a row shows that it is a walk: four more are listed.
  equal(lists() - root, 6);
  await open("d02");
  equal(lists() - root, 7);
  for (const name of DIRECTORIES.slice(3)) await open(name);
  equal(lists() - root, DIRECTORIES.length);
});

Deno.test("SiblingListings lists nothing ahead for directories opened in no order", async () => {
  const { open, lists } = await walked();
  const root = lists();
  const order = ["d07", "d03", "d11", "d05", "d19", "d00"];
  for (const name of order) await open(name);
  equal(lists() - root, order.length);
});
