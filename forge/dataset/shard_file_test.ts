import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { succeed } from "../../tests/support/command.ts";
import { fileChunks } from "../train/file_chunks.ts";
import { tarSamples } from "../train/tar_samples.ts";
import type { MakeJob } from "./jobs.ts";
import { type ShardMember, writeShardFile } from "./shard_file.ts";
import { syntheticMembers } from "./synthetic_shard.ts";

/** Runs `body` with a path in a directory of its own. */
async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
  try {
    await body(`${directory}/shard-000000.tar`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function job(overrides: Partial<MakeJob>): MakeJob {
  const images = { width: 16, height: 16, classes: 3, meanBytes: 600 };
  return { kind: "make", path: "", seed: 42, shard: 1, samples: 4, images, ...overrides };
}

async function digestOf(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

Deno.test("writeShardFile writes what the trainer and tar read", async () => {
  await withPath(async (path) => {
    const bytes = await writeShardFile(path, syntheticMembers(job({})));
    assert.equal(bytes, (await Deno.stat(path)).size);
    const samples = await Array.fromAsync(tarSamples(fileChunks(path)));
    assert.deepEqual(samples.map(({ key }) => key), ["000004", "000005", "000006", "000007"]);
    assert.ok(samples.every(({ label }) => label >= 0 && label < 3));
    const listing = await succeed("tar", "--utc", "-tvf", path);
    assert.match(listing, /^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00 000004\.jpg$/m);
  });
});

Deno.test("writeShardFile writes the same bytes for a seed in every version", async () => {
  await withPath(async (path) => {
    await writeShardFile(path, syntheticMembers(job({})));
    assert.equal(
      await digestOf(path),
      "15fed85d2518228c02dcf41e6b693c603ec326e7131fc2b14e090a87e061db17",
      "Data sets made before would differ: say so in the changelog before changing this",
    );
  });
});

Deno.test("syntheticMembers differ by seed and by shard, and 0 is a seed", () => {
  const first = (overrides: Partial<MakeJob>) => {
    const [image] = syntheticMembers(job(overrides));
    return createHash("sha256").update(image?.bytes ?? "").digest("hex");
  };
  const digests = [first({}), first({ seed: 0 }), first({ seed: 1 }), first({ shard: 2 })];
  assert.equal(new Set(digests).size, 4);
});

Deno.test("writeShardFile keeps one member in memory at a time", async () => {
  await withPath(async (path) => {
    const memberBytes = 1024 * 1024;
    let produced = 0;
    let behindMax = 0;
    function* members(): Generator<ShardMember> {
      for (let index = 0; index < 40; index += 1) {
        behindMax = Math.max(behindMax, produced - Deno.statSync(path).size);
        produced += memberBytes;
        yield { name: `${index}.jpg`, bytes: new Uint8Array(memberBytes) };
      }
    }
    await writeShardFile(path, members());
    assert.ok(behindMax <= 3 * memberBytes, `${behindMax} bytes were not written yet`);
  });
});

Deno.test("writeShardFile leaves nothing behind when it fails", async () => {
  await withPath(async (path) => {
    function* failing(): Generator<ShardMember> {
      yield { name: "a.jpg", bytes: new Uint8Array(100_000) };
      throw new Error("Read the next one: the disk is gone");
    }
    await assert.rejects(writeShardFile(path, failing()), /the disk is gone/);
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  });
});

Deno.test("writeShardFile refuses to write over a file", async () => {
  await withPath(async (path) => {
    await Deno.writeTextFile(path, "precious");
    await assert.rejects(writeShardFile(path, []), Deno.errors.AlreadyExists);
    assert.equal(await Deno.readTextFile(path), "precious");
  });
});
