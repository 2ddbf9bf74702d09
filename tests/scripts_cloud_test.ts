/**
 * The scripts that make, fill and delete a place in Azure. No cloud is touched: a stand-in for `az`
 * answers. `tests/long/az_calls_test.ts` shows that the real one understands the same calls.
 */
import { deepEqual, doesNotMatch, equal, match, notEqual, ok } from "node:assert/strict";
import { type Call, shapeOf } from "./support/az_stand_in.ts";
import { AzureScripts } from "./support/azure_scripts.ts";
import recorded from "./support/az_calls.json" with { type: "json" };

const GROUP = "warpdrive-forge-rg";
const seen = new Map<string, Call>();

Deno.test("Azure", async (test) => {
  await using scripts = await AzureScripts.open();
  for (const [sentence, body] of Object.entries(STEPS)) {
    await test.step(sentence, async () => {
      await body(scripts).finally(() => scripts.fail(/^\b$/));
      for (const call of await scripts.calls()) {
        if (!seen.has(shapeOf(call))) seen.set(shapeOf(call), call);
      }
      await scripts.heal();
    });
  }
  await test.step("Every call has the form of one that the real az has parsed", () => {
    const known = new Set(recorded.map(shapeOf));
    const unknown = [...seen].filter(([shape]) => !known.has(shape)).map(([, call]) => call);
    deepEqual(unknown, [], `New calls: ${JSON.stringify(unknown)}`);
    deepEqual([...known].filter((shape) => !seen.has(shape)), []);
  });
});

const STEPS: Readonly<Record<string, (scripts: AzureScripts) => Promise<void>>> = {
  async "A dry run names what would be made, and asks nobody"(scripts) {
    const { code, stderr } = await scripts.run("01-provision.sh", ["--dry-run"]);
    equal(code, 0, stderr);
    for (const what of ["group create", "storage account create", "vm create", "role assignment"]) {
      match(stderr, new RegExp(`would run: az ${what}`));
    }
    deepEqual(await scripts.calls(), []);
    equal(await scripts.names(), "");
  },

  async "Nothing is made while nobody could reach the machine"(scripts) {
    const { code, stderr } = await scripts.run("01-provision.sh", [], { SSH_FROM: "" });
    equal(code, 1);
    match(stderr, /SSH_FROM is empty\nHint: Set SSH_FROM to your own address/);
    deepEqual(await scripts.calls(), []);
  },

  async "A question that fails is no answer: the script ends before it makes anything"(scripts) {
    await scripts.fail(/^group exists/);
    const { code, stderr } = await scripts.run("01-provision.sh");
    equal(code, 1);
    match(stderr, /Error: "az group exists .*" failed\nHint: /);
    deepEqual(await scripts.creations(), []);
  },

  async "Somebody who is not logged in is told so"(scripts) {
    await scripts.fail(/^account show/);
    const { code, stderr } = await scripts.run("01-provision.sh");
    equal(code, 1);
    match(stderr, /Error: az knows no account\nHint: Run: az login\n/);
  },

  async "A failure says which command failed, and ends the script"(scripts) {
    await scripts.fail(/^vm create/);
    const { code, stderr } = await scripts.run("01-provision.sh");
    equal(code, 1);
    match(stderr, /Error: "az vm create .*" failed with exit code 1\nHint: Mend the cause/);
    equal(Object.keys((await scripts.cloud()).accounts).length, 2);
  },

  async "Run again it makes what is missing, under the same names"(scripts) {
    const names = await scripts.names();
    const { code, stderr } = await scripts.run("01-provision.sh");
    equal(code, 0, stderr);
    equal(await scripts.names(), names);
    doesNotMatch((await scripts.creations()).join("\n"), /group create|account create/);
    const cloud = await scripts.cloud();
    const [a = "", b = ""] = Object.keys(cloud.accounts);
    deepEqual(Object.values(cloud.accounts), [
      { location: "canadacentral", sharedKeys: false },
      { location: "westus3", sharedKeys: false },
    ]);
    match(names, /^STORAGE_ACCOUNT_A=wdforgedatacac[0-9a-f]{6}\nSTORAGE_ACCOUNT_B=wdforgedatawus/);
    deepEqual(cloud.containers, [`${a}/coco2017-wds`, `${b}/coco2017-wds`]);
    deepEqual(cloud.rules, { "warpdrive-forge-vmNSG": "203.0.113.7/32" });
    deepEqual(cloud.roles, [
      `machine Storage Blob Data Reader ${a}`,
      `person Storage Blob Data Contributor ${a}`,
      `machine Storage Blob Data Reader ${b}`,
      `person Storage Blob Data Contributor ${b}`,
    ]);
    match(stderr, /Machine: azureuser@203\.0\.113\.9/);
  },

  async "A further run makes nothing at all"(scripts) {
    const before = await scripts.cloud();
    equal((await scripts.run("01-provision.sh")).code, 0);
    deepEqual(await scripts.creations(), []);
    deepEqual(await scripts.cloud(), before);
  },

  async "From where the machine is reached follows SSH_FROM"(scripts) {
    const other = { SSH_FROM: "198.51.100.0/24" };
    const { code, stderr } = await scripts.run("01-provision.sh", [], other);
    equal(code, 0, stderr);
    deepEqual((await scripts.cloud()).rules, { "warpdrive-forge-vmNSG": other.SSH_FROM });
    equal((await scripts.creations()).length, 1);
  },

  async "A shard that cannot be uploaded is named, and the others are uploaded"(scripts) {
    await scripts.fail(/blob upload .*shard-000002/);
    const { code, stderr } = await scripts.run("02-gen-dataset.sh");
    equal(code, 1);
    match(stderr, /Error: "az storage blob upload .*shard-000002\.tar.*" failed/);
    match(stderr, /Error: some shards were not uploaded/);
    equal(shards((await scripts.cloud()).blobs).length, 4);
  },

  async "Run again it uploads what is missing: even shards to A, odd ones to B"(scripts) {
    const { code, stderr } = await scripts.run("02-gen-dataset.sh");
    equal(code, 0, stderr);
    equal((await scripts.creations()).length, 1);
    const { accounts, blobs } = await scripts.cloud();
    const [a = "", b = ""] = Object.keys(accounts);
    deepEqual(shards(blobs).filter((blob) => blob.startsWith(a)).map(numberOf), [0, 2, 4]);
    deepEqual(shards(blobs).filter((blob) => blob.startsWith(b)).map(numberOf), [1, 3]);
  },

  async "Shards of other settings are not taken for those that are wanted"(scripts) {
    const { code, stderr } = await scripts.run("02-gen-dataset.sh", [], { SAMPLES: "3" });
    equal(code, 1);
    match(
      stderr,
      /Error: ".*shards" has shards of other settings: forge dataset make .*--samples 2/,
    );
    match(stderr, /Hint: Give .* PREFIX another prefix/);
  },

  async "A role that has not arrived is waited for, but not for ever"(scripts) {
    await scripts.fail(/^storage blob list/);
    const { code, stderr } = await scripts.run("02-gen-dataset.sh");
    equal(code, 1);
    match(stderr, /does not let us in yet \(2 of 2\)\nError: .* does not let us in\n/);
  },

  async "The configuration is one that the program takes, and is written once"(scripts) {
    const first = await scripts.run("04-gen-warpdrive-config.sh");
    equal(first.code, 0, first.stderr);
    const text = await Deno.readTextFile(`${scripts.directory}/config.yaml`);
    for (const [account] of Object.entries((await scripts.cloud()).accounts)) {
      ok(text.includes(`account: ${account}, root: coco2017-wds`));
    }
    match((await scripts.run("04-gen-warpdrive-config.sh")).stderr, /is as it should be/);
    const wrong = await scripts.run("04-gen-warpdrive-config.sh", [], { MOUNT_POINT: "wd" });
    equal(wrong.code, 1);
    match(wrong.stderr, /mount_point.*\n[^]*Error: the configuration is wrong/);
    equal(await Deno.readTextFile(`${scripts.directory}/config.yaml`), text);
  },

  async "The machine's part says in a dry run what it would do"(scripts) {
    const { code, stderr } = await scripts.run("05-run.sh", ["--dry-run"]);
    equal(code, 0, stderr);
    match(stderr, /would run: systemctl restart warpdrive-agent\.service\n/);
    match(stderr, /would run: .*01_cold\.sh\nwould run: .*02_warm\.sh\n/);
  },

  async "A disk that nobody named is not formatted"(scripts) {
    const dist = { NVME: `${scripts.directory}/nowhere` };
    const { code, stderr } = await scripts.run("03-vm-setup.sh", ["--dry-run"], dist);
    equal(code, 1);
    doesNotMatch(stderr, /mkfs/);
  },

  async "Names that somebody else wrote into the file are not run"(scripts) {
    const settings = { STATE_FILE: `${scripts.directory}/hostile` };
    await Deno.writeTextFile(settings.STATE_FILE, "PATH=/x\n$(touch /nowhere/x)=1\n");
    const { code, stderr } = await scripts.run("04-gen-warpdrive-config.sh", [], settings);
    equal(code, 1);
    match(stderr, /has a line that this script did not write: PATH/);
  },

  async "Deleting takes a confirmation, and says what it would delete"(scripts) {
    const { code, stderr } = await scripts.run("06-teardown.sh");
    equal(code, 1);
    match(stderr, /This deletes resource group "warpdrive-forge-rg"[^]*nothing was deleted/);
    match(
      (await scripts.run("06-teardown.sh", ["--dry-run"])).stderr,
      /would run: az group delete/,
    );
    notEqual((await scripts.cloud()).groups[GROUP], undefined);
  },

  async "Deleting waits for the end, and forgets the names then only"(scripts) {
    await scripts.fail(/^group delete/);
    equal((await scripts.run("06-teardown.sh", ["--yes"])).code, 1);
    notEqual(await scripts.names(), "");
    await scripts.heal();
    const { code, stderr } = await scripts.run("06-teardown.sh", ["--yes"]);
    equal(code, 0, stderr);
    deepEqual((await scripts.cloud()).groups, {});
    equal(await scripts.names(), "");
    doesNotMatch((await scripts.creations()).join("\n"), /--no-wait/);
    equal((await scripts.run("06-teardown.sh", ["--yes"])).code, 0);
  },

  async "A resource group of somebody else is neither used nor deleted"(scripts) {
    const other = { location: "westus3", project: "payroll" };
    const cloud = { ...(await scripts.cloud()), groups: { [GROUP]: other } };
    await Deno.writeTextFile(`${scripts.directory}/cloud`, JSON.stringify(cloud));
    for (const [script, ...args] of [["01-provision.sh"], ["06-teardown.sh", "--yes"]]) {
      const { code, stderr } = await scripts.run(script ?? "", args);
      equal(code, 1);
      match(stderr, /was not made by/);
    }
    deepEqual(await scripts.creations(), []);
  },
};

function shards(blobs: readonly string[]): readonly string[] {
  return blobs.filter((blob) => blob.endsWith(".tar")).toSorted();
}

function numberOf(blob: string): number {
  return Number(/shard-(\d+)\.tar$/.exec(blob)?.[1]);
}
