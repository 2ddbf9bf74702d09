/** `warpdrive umount --dead`: what a service manager runs behind a mount, however it ended. */
import { deepEqual, equal, match } from "node:assert/strict";
import { runProgram } from "./cli/run_program.ts";
import { mount } from "./support/mounted.ts";
import { createPlace, mountsBelow, type Place } from "./support/place.ts";

const NOTHING_SAID = { code: 0, stdout: "", stderr: "" };

async function umountDead(place: Place): Promise<unknown> {
  return await runProgram(["umount", "--dead", "--config", `${place.root}/config.yaml`], {}, {});
}

Deno.test("umount --dead takes away a mount whose process was killed", async () => {
  await using mounted = await mount({});
  mounted.program.signal("SIGKILL");
  await mounted.program.exit();
  equal((await mountsBelow(mounted.place.root)).length, 1);
  deepEqual(await umountDead(mounted.place), NOTHING_SAID);
  deepEqual(await mountsBelow(mounted.place.root), []);
});

Deno.test("umount --dead leaves a mount alone that answers", async () => {
  await using mounted = await mount({
    fill: (source) => Deno.writeTextFile(`${source}/file`, "content"),
  });
  deepEqual(await umountDead(mounted.place), NOTHING_SAID);
  equal(await Deno.readTextFile(`${mounted.data}/file`), "content");
});

Deno.test("umount --dead has nothing to say where nothing is mounted", async () => {
  await using place = await createPlace();
  const backends = [{ name: "data", type: "local", config: { root: place.source } }];
  await place.configure({ mount_point: place.mountPoint, backends });
  deepEqual(await umountDead(place), NOTHING_SAID);
});

Deno.test("umount wants a mount point or a configuration, and not both", async () => {
  for (const args of [["umount"], ["umount", "/mnt", "--config", "config.yaml"]]) {
    const { code, stderr } = await runProgram(args, {}, {});
    equal(code, 2);
    match(stderr, /wanted <mountpoint> or --config\nHint: /);
  }
});
