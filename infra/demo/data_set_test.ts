import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
// @ts-types="@types/tar-stream"
import { extract } from "tar-stream";
import { type DemoFile, demoFiles, seededBytes, type Share } from "./data_set.ts";

const SHARE: Share = { shards: 1, samplesPerShard: 3, smallFiles: 2 };

async function filesOf(seed: string): Promise<DemoFile[]> {
  return await Array.fromAsync(demoFiles(seed, SHARE));
}

Deno.test("the data set is decided by its seed", async () => {
  deepEqual(await filesOf("one"), await filesOf("one"));
  notDeepEqual(await filesOf("one"), await filesOf("two"));
  notDeepEqual(seededBytes("a", 64), seededBytes("b", 64));
});

Deno.test("a shard is a tar of pictures beside their classes", async () => {
  const [shard] = await filesOf("one");
  const names: string[] = [];
  const members = extract();
  members.end(Buffer.from(shard?.bytes ?? []));
  for await (const member of members) {
    names.push(member.header.name);
    member.resume();
  }
  deepEqual(names, [
    ...["000000.jpg", "000000.cls", "000001.jpg", "000001.cls"],
    ...["000002.jpg", "000002.cls"],
  ]);
  equal((shard?.bytes.length ?? 1) % 512, 0);
});
