/**
 * Jobs of Slurm on a node with WarpDrive: a real slurmd runs the prolog and the epilog, and the
 * compiled program is mounted by its unit under a real systemd.
 */
import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { BootedSystem } from "./support/booted_system.ts";
import { eventually } from "./support/eventually.ts";
import { freePort } from "./support/free_port.ts";
import { AGENT, installAgent } from "./support/installed_agent.ts";
import { RemoteStore, STALL } from "./support/remote_store.ts";
import { sampleBytes } from "./support/sample_bytes.ts";
import { SlurmNode, USER } from "./support/slurm_node.ts";

const STORE = "/wd/store";
/** A directory of the store for each test, so that none finds what another warmed. */
const DIRECTORIES = ["comment", "variable", "dead", "down", "limit", "failing", "aside", "both"];
const SHARDS = 2;
const SHARD_BYTES = 300_000;
const FORBIDDEN = {
  kind: "answer",
  status: 403,
  headers: { "content-type": "application/xml", "x-ms-error-code": "AuthorizationFailure" },
  body: '<?xml version="1.0"?><Error><Code>AuthorizationFailure</Code></Error>',
} as const;

const isShard = (request: string) => request.includes("/shard-");

Deno.test("Slurm", async (test) => {
  await using store = await RemoteStore.start();
  await store.container("store", shards());
  await using system = await BootedSystem.boot(async (root) => {
    await installAgent(root, {
      config: {
        backends: [
          store.backend("store", "proxied", { timeout: "3s" }),
          { name: "data", type: "local", config: { root: "/srv/data" } },
        ],
        cache: { path: "/var/cache/warpdrive", max_size: "64MiB" },
        metrics: { addr: `127.0.0.1:${freePort()}` },
      },
      files: { "/etc/warpdrive/environment": environment(store.variables) },
    });
    await Deno.symlink("/etc", `${root}/srv/data/outside`);
    await Deno.mkdir(`${root}/srv/data/two\nlines`);
    await Deno.symlink("two\nlines", `${root}/srv/data/link`);
    await SlurmNode.install(root);
  }, "shared");
  await system.succeed("systemctl", "start", AGENT);
  const node = await SlurmNode.start(system);
  const world: World = { node, system, store };
  for (const [sentence, body] of Object.entries(STEPS)) {
    await test.step(sentence, async () => {
      try {
        await body(world);
      } finally {
        store.proxy.heal();
        await node.settings({});
      }
    });
  }
});

interface World {
  readonly node: SlurmNode;
  readonly system: BootedSystem;
  readonly store: RemoteStore;
}

const STEPS: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async "The path in a job's comment is cached when the job begins"({ node, system }) {
    const path = `${STORE}/comment`;
    const check = `warpdrive ctl warm --check ${path}`;
    const { id, state, output } = await node.runJob(check, [`--comment=${path}`]);
    deepEqual([state, output], ["COMPLETED", "Cached: 2 files, 586 KiB (100.0%)\n"]);
    match(await node.log("warpdrive-prolog", id), /Warm: 2 files, 586 KiB\n/);
    const usage = await system.succeed("warpdrive", "ctl", "usage", "--by", "user");
    match(usage, new RegExp(`^${USER} `, "m"));
  },

  async "The epilog reports the job and how it ended"({ node, system }) {
    const { id, state } = await node.runJob("exit 3", []);
    equal(state, "FAILED");
    const list = await system.succeed("warpdrive", "ctl", "job-report", "--list", "--format=csv");
    match(list, new RegExp(`^${id},${USER},3:0,`, "m"));
  },

  async "WARPDRIVE_WARMUP_PATH becomes the comment of a job"({ node }) {
    const path = `${STORE}/variable`;
    const variables = [`WARPDRIVE_WARMUP_PATH=${path}`];
    const { id } = await node.runJob("true", [], variables);
    match(await node.show(id), new RegExp(`Comment=${path} *\n`));
    match(await node.log("warpdrive-prolog", id), /Warm: 2 files/);
  },

  async "WARPDRIVE_WARMUP_PATH leaves a comment as it is"({ node }) {
    const variables = [`WARPDRIVE_WARMUP_PATH=${STORE}/both`];
    const { id } = await node.runJob("true", ["--comment=ablation 7"], variables);
    match(await node.show(id), /Comment=ablation 7 *\n/);
    equal(await node.log("warpdrive-prolog", id), "");
  },

  async "A comment that is no path below the mount is refused, and the job runs"(world) {
    const { node, system } = world;
    const before = (await warmJobs(world)).length;
    await Promise.all(HOSTILE.map(async (comment) => {
      const { id, state } = await node.runJob("true", [`--comment=${comment}`]);
      equal(state, "COMPLETED", comment);
      match(await node.log("warpdrive-prolog", id), /no warming: .*/, comment);
    }));
    equal((await warmJobs(world)).length, before);
    equal((await system.run("test", "-e", "/srv/out/proof")).code, 1);
  },

  async "A comment that is a path is refused where it leads out of the mount"(world) {
    const { node } = world;
    const before = (await warmJobs(world)).length;
    const { id } = await node.runJob("true", ["--comment=/wd/data/outside/ssh"]);
    match(await node.log("warpdrive-prolog", id), /no warming: .*outside\/ssh/);
    equal((await warmJobs(world)).length, before);
  },

  async "A link cannot bring a line break into the log"({ node }) {
    const { id } = await node.runJob("true", ["--comment=/wd/data/link"]);
    match(await node.log("warpdrive-prolog", id), /no warming: with a control character/);
  },

  async "Not even a user who wants to can drain a node by a comment"({ node }) {
    await node.settings({ DRAIN_ON_FAILED_WARM: "yes" });
    const comments = [...HOSTILE.slice(0, 4), `${STORE}/nothing-here`];
    await Promise.all(comments.map(async (comment) => {
      const { state } = await node.runJob("true", [`--comment=${comment}`]);
      equal(state, "COMPLETED", comment);
    }));
  },

  async "A stopped agent is started before the job begins"({ node, system }) {
    await system.succeed("systemctl", "stop", AGENT);
    const path = `${STORE}/dead`;
    const { id, output } = await node.runJob(`ls ${path}`, [`--comment=${path}`]);
    equal(output, "shard-0\nshard-1\n");
    match(await node.log("warpdrive-prolog", id), /restarting warpdrive-agent.service/);
  },

  async "Of jobs that begin together one starts the agent, and the others find it done"(world) {
    const { node, system } = world;
    await system.succeed("systemctl", "stop", AGENT);
    const jobs = await Promise.all([1, 2].map(() => node.runJob(`ls ${STORE}/dead`, [])));
    deepEqual(jobs.map(({ output }) => output), Array(2).fill("shard-0\nshard-1\n"));
    const logs = await Promise.all(jobs.map(({ id }) => node.log("warpdrive-prolog", id)));
    equal(logs.join("\n").match(/restarting/g)?.length, 1);
  },

  async "A dead mount is replaced before the job begins"({ node, system }) {
    // Nobody but the prolog brings it back.
    await dropIn(system, "[Service]\nRestart=no\n");
    await system.succeed("systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", AGENT);
    await eventually("the mount is dead", async () => (await system.run("ls", "/wd")).code !== 0);
    const { output } = await node.runJob(`ls ${STORE}/dead`, []);
    equal(output, "shard-0\nshard-1\n");
    await dropIn(system, "");
  },

  async "A mount that cannot be had drains the node, or does not where that is set"(world) {
    const { node, system } = world;
    await dropIn(system, "[Unit]\nAssertPathExists=/missing\n");
    await system.succeed("systemctl", "stop", AGENT);
    const job = await node.submit("true", []);
    await node.drained(job);
    match(await node.log("warpdrive-prolog", job.id), /"\/wd" is not mounted/);
    await node.settings({ DRAIN_ON_DEAD_MOUNT: "no" });
    const { state } = await node.runJob("true", [`--comment=${STORE}/down`]);
    equal(state, "COMPLETED");
    await dropIn(system, "");
    await system.succeed("systemctl", "start", AGENT);
  },

  async "A warm that takes longer than the limit is ended, and the job begins"(world) {
    const { node, store } = world;
    await node.settings({ WARM_LIMIT_SECONDS: "2", DRAIN_ON_FAILED_WARM: "yes" });
    store.proxy.inject(STALL, Infinity, isShard);
    const { id, state } = await node.runJob("true", [`--comment=${STORE}/limit`]);
    equal(state, "COMPLETED");
    match(await node.log("warpdrive-prolog", id), /not done after 2 s/);
    const jobs = await warmJobs(world);
    equal(jobs.find(({ path }) => path === "store/limit")?.state, "cancelled");
  },

  async "A warm that fails says so, and the job begins"({ node, store }) {
    store.proxy.inject(FORBIDDEN, Infinity, isShard);
    const { id, state } = await node.runJob("true", [`--comment=${STORE}/failing`]);
    equal(state, "COMPLETED");
    const log = await node.log("warpdrive-prolog", id);
    match(log, /Failed "store\/failing\/shard-0"/);
    match(log, /warming failed with exit code 1/);
  },

  async "A warm that fails drains the node where that is set"({ node, store }) {
    await node.settings({ DRAIN_ON_FAILED_WARM: "yes" });
    store.proxy.inject(FORBIDDEN, Infinity, isShard);
    await node.drained(await node.submit("true", [`--comment=${STORE}/failing`]));
  },

  async "A job need not wait for its data, and its epilog ends the warming"(world) {
    const { node, store } = world;
    await node.settings({ WARM_WAIT: "no" });
    store.proxy.inject(STALL, Infinity, isShard);
    const { id, state } = await node.runJob("true", [`--comment=${STORE}/aside`]);
    equal(state, "COMPLETED");
    const jobs = await warmJobs(world);
    equal(jobs.find(({ path }) => path === "store/aside")?.state, "cancelled");
    match(await node.log("warpdrive-epilog", id), /ended the warming/);
  },

  async "A mistake in the settings is named, and the defaults hold"({ node }) {
    await node.settings({ WARM_LIMIT: "5", WARM_WORKERS: "$(id)", MOUNT_POINT: "relative" });
    const { id, state } = await node.runJob("true", [`--comment=${STORE}/comment`]);
    equal(state, "COMPLETED");
    const log = await node.log("warpdrive-prolog", id);
    for (const name of ["WARM_LIMIT", "WARM_WORKERS", "MOUNT_POINT"]) {
      match(log, new RegExp(`slurm.conf: .*${name}`));
    }
    match(log, /Warm: 2 files/);
    doesNotMatch(log, /uid=/);
  },
};

/** Comments that must not become an argument of anything. */
const HOSTILE = [
  "/etc/shadow",
  "/wd/../etc/shadow",
  "/wd/store/./comment",
  "/wd//store/comment",
  "/wd",
  "/wdstore/comment",
  "/wd/store/comment\n/etc/shadow",
  "/wd/store/nothing; touch /srv/out/proof",
  "/wd/store/$(touch /srv/out/proof)",
  "/wd/store/`touch /srv/out/proof`",
  `/wd/${"x".repeat(1_000)}`,
];

/** Every job of warming that the mount has had. */
async function warmJobs({ system }: World) {
  const text = await system.succeed("warpdrive", "ctl", "warm", "--list", "--format=json", "/wd");
  const jobs: unknown = JSON.parse(text);
  if (!Array.isArray(jobs)) throw new Error(`The list of jobs is no list: ${text}`);
  return jobs.map(({ path, state }) => ({ path: String(path), state: String(state) }));
}

/** Changes the unit of the agent; an empty text takes the change back. */
async function dropIn(system: BootedSystem, text: string): Promise<void> {
  const directory = `${system.root}/etc/systemd/system/${AGENT}.d`;
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${directory}/test.conf`, text);
  await system.succeed("systemctl", "daemon-reload");
}

function shards(): Record<string, Uint8Array> {
  return Object.fromEntries(
    DIRECTORIES.flatMap((directory, at) =>
      Array.from({ length: SHARDS }, (_, index) => [
        `${directory}/shard-${index}`,
        sampleBytes(SHARD_BYTES, at * SHARDS + index),
      ])
    ),
  );
}

function environment(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}\n`).join("");
}
