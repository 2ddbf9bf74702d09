/**
 * The compiled program with Deno, Node and the repository out of reach: all its subcommands, the
 * kernel, SQLite, the SDKs and the Workers. The file runs itself again inside the empty root.
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../main.ts";
import {
  aloneCommand,
  aloneRoot,
  canBeAlone,
  LINKS,
  TEMPORARY,
  testAlone,
  WORK,
} from "./support/alone_root.ts";
import { benchVerdict } from "./support/bench_verdict.ts";
import { binaryPath } from "./support/installed_agent.ts";
import { Program } from "./support/program.ts";
import { RemoteStore } from "./support/remote_store.ts";
import { serveBucket } from "./support/static_bucket.ts";

const inside = aloneRoot();
if (inside === null) {
  Deno.test({
    name: "The program needs nothing but libc and the devices",
    ignore: !canBeAlone(),
    fn: async () => {
      const output = await testAlone(fileURLToPath(import.meta.url), binaryPath());
      match(output, /\b5 passed \| 0 failed/);
    },
  });
} else testInside(inside);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runAlone(root: string, name: string, ...args: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await aloneCommand(root, name, args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function succeedAlone(root: string, name: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runAlone(root, name, ...args);
  equal(code, 0, stderr);
  return stdout;
}

const CONFIG = `${WORK}/config.yaml`;
const CONTROL = `${WORK}/control`;
const STATS = ["--socket", CONTROL, "--format", "json"];
/** What S3 tells of the bytes of `from S3` that came in parts. */
const FACTS = {
  "x-amz-checksum-type": "FULL_OBJECT",
  "x-amz-checksum-crc64nvme": "Xlq7HIhkjms=",
};
const BUCKET_KEYS = { BUCKET_ID: "id", BUCKET_SECRET: "secret" };

async function configure(root: string, store: RemoteStore, bucketPort: number): Promise<void> {
  const settings = {
    mount_point: "/wd",
    metrics: { enabled: false },
    control: { path: CONTROL },
    cache: { path: `${WORK}/cache`, max_size: "64MiB" },
    backends: [
      store.backend("blobs", "proxied"),
      {
        name: "bucket",
        type: "s3",
        config: { root: "bucket", endpoint: `http://127.0.0.1:${bucketPort}` },
        auth: {
          method: "static",
          access_key_id_env: "BUCKET_ID",
          secret_access_key_env: "BUCKET_SECRET",
        },
      },
      { name: "local", type: "local", config: { root: `${WORK}/local` } },
    ],
  };
  await Deno.writeTextFile(`${root}${CONFIG}`, JSON.stringify(settings));
}

function testInside(root: string): void {
  Deno.test("Every command shows its help, and the root cannot be written", async () => {
    for (const { name } of COMMANDS) {
      match(await succeedAlone(root, "warpdrive", name, "--help"), /^Usage: warpdrive /);
    }
    await Deno.writeTextFile(`${root}/home/x`, "").then(
      () => Promise.reject(new Error("The root can be written")),
      () => {},
    );
  });

  Deno.test("Every link runs the command it is named for", async () => {
    for (const name of LINKS) {
      const help = await succeedAlone(root, `warpdrive-${name}`, "--help");
      match(help, new RegExp(`^Usage: warpdrive ${name} `));
    }
  });

  Deno.test("Shards are made and trained from by Workers", async () => {
    const data = `${WORK}/data`;
    const sizes = ["--shards", "2", "--samples", "20", "--image-size", "32"];
    await succeedAlone(root, "warpdrive-forge", "dataset", "make", "--out", data, ...sizes);
    const steps = ["--steps", "4", "--batch-size", "8", "--num-workers", "2", "--log-every", "1"];
    const trained = await succeedAlone(root, "warpdrive", "forge", "--train-root", data, ...steps);
    match(trained, /loss/);
  });

  Deno.test("Stores are mounted, cached, asked about and found again in the cache", async () => {
    await using store = await RemoteStore.start();
    await store.container("blobs", { file: new TextEncoder().encode("from Azure") });
    await using bucket = serveBucket("bucket", "file", "from S3", FACTS);
    await Deno.mkdir(`${root}${WORK}/local`);
    await Deno.writeTextFile(`${root}${WORK}/local/file`, "from here");
    await configure(root, store, bucket.addr.port);
    for (const life of ["first", "second"]) {
      await using program = Program.follow(
        aloneCommand(root, "warpdrive-mount", ["--config", CONFIG], {
          ...store.variables,
          ...BUCKET_KEYS,
        }),
      );
      await program.ready();
      equal(await Deno.readTextFile(`${root}/wd/blobs/file`), "from Azure", life);
      equal(await Deno.readTextFile(`${root}/wd/bucket/file`), "from S3", life);
      equal(await Deno.readTextFile(`${root}/wd/local/file`), "from here", life);
      const usage = await succeedAlone(root, "warpdrive-ctl", "stats", ...STATS);
      equal(typeof JSON.parse(usage), "object");
      if (life === "first") {
        // A Worker computes it, by WebAssembly.
        const run = (...args: string[]) => runAlone(root, "warpdrive", ...args);
        const { code, stderr, matched } = await benchVerdict("/wd/bucket", run);
        deepEqual([code, matched], [0, 1], stderr);
      }
      program.signal("SIGTERM");
      equal(await program.exit(), 0);
    }
    // Two lives, and it came from the store once.
    equal(store.reads, 1);
  });

  Deno.test("Nothing was left where temporary files go", () => {
    deepEqual([...Deno.readDirSync(`${root}${TEMPORARY}`)], []);
  });
}
