/** `warpdrive bench --checksum` over a real mount, against what the store knows of its objects. */
import { deepEqual, equal, match } from "node:assert/strict";
import { createHash } from "node:crypto";
import { ERRNO } from "../cache/platform/errno.ts";
import { runProgram } from "./cli/run_program.ts";
import { benchVerdict } from "./support/bench_verdict.ts";
import { mount } from "./support/mounted.ts";
import { Posix } from "./support/posix.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";

const CONTENT = sampleBytes(300_000, 3);
const ATTRIBUTE = "user.warpdrive.checksum";

const run = (...args: string[]) => runProgram(args, {}, {});

Deno.test("What is read is compared with the MD5 that the store keeps", async (t) => {
  await using store = await RemoteStore.start();
  const container = await store.container("objects", {
    "good/a": CONTENT,
    "good/b": CONTENT.subarray(0, 1_000),
    "none/a": CONTENT,
    "wrong/a": CONTENT,
  });
  const bare = container.getBlockBlobClient("none/a");
  await bare.stageBlock("MDAw", CONTENT, CONTENT.length);
  await bare.commitBlockList(["MDAw"]);
  // The store believes what it is told.
  const wrong = container.getBlockBlobClient("wrong/a");
  await wrong.setHTTPHeaders({ blobContentMD5: new Uint8Array(16) });
  const backends = [store.backend("objects", "direct")];
  await using mounted = await mount({ config: { backends }, variables: store.variables });
  const root = `${mounted.path}/objects`;

  await t.step("the checksum of an object can be asked for", async () => {
    using posix = new Posix();
    const md5 = createHash("md5").update(CONTENT).digest("hex");
    equal(await posix.attribute(`${root}/good/a`, ATTRIBUTE), `md5:${md5}`);
    equal(await posix.attribute(`${root}/none/a`, ATTRIBUTE), -ERRNO.ENODATA);
    equal(await posix.attribute(`${root}/good`, ATTRIBUTE), -ERRNO.ENODATA);
  });
  await t.step("nobody vouches for files that have no checksum", async () => {
    const { code, stderr } = await run("bench", "--dir", `${root}/none`, "--checksum");
    equal(code, 1);
    match(stderr, /Cannot verify ".*none".*\nHint: Make one with "sha256sum/);
  });
  await t.step(
    "a file that holds other bytes than were stored is named",
    async () => {
      const { code, stderr, ...verdict } = await benchVerdict(root, run);
      deepEqual(verdict, { matched: 2, different: [`${root}/wrong/a`], unknown: 1 });
      equal(code, 1);
      match(stderr, /gave other bytes than the store knows: .*wrong\/a/);
    },
  );
});
