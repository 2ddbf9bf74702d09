/**
 * A real server of the Cloud Storage JSON API for tests: fake-gcs-server, built once from its
 * source by Go, outside the tree. It asks nobody who they are and ignores preconditions on reads;
 * `gcs_gate.ts` stands before it where that matters.
 */
import { freePort } from "./free_port.ts";
import { installGoProgram } from "./go_program.ts";
import { systemClock } from "../../cache/platform/clock.ts";

const PROGRAM = {
  name: "fake-gcs-server",
  version: "v1.56.1",
  packagePath: "github.com/fsouza/fake-gcs-server",
};
/** How often, and how many times, a server that starts is asked whether it is there. */
const POLL_MS = 20;
const POLLS_MAX = 1_000;

/** A running server; disposing ends it and deletes all it stored. */
export interface FakeGcs extends AsyncDisposable {
  /** URL of the service, as `endpoint` of a backend takes it. */
  readonly endpoint: string;
  /** The directory whose directories are the buckets; null where objects are in memory. */
  readonly root: string | null;
  /** Creates the bucket `name`. */
  createBucket(name: string): Promise<void>;
  /** Stores an object past our own code; `fields` of its metadata may name its encoding. */
  upload(
    bucket: string,
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    fields?: Readonly<Record<string, string>>,
  ): Promise<void>;
}

/** Starts a server on a free port that keeps objects in memory, or as files. */
export async function startFakeGcs(keeps: "memory" | "files" = "memory"): Promise<FakeGcs> {
  const program = await installGoProgram(PROGRAM, new AbortController().signal);
  const root = await Deno.makeTempDir({ prefix: "warpdrive-fake-gcs-" });
  const port = freePort();
  const place = `127.0.0.1:${port}`;
  const kept = keeps === "memory"
    ? ["-backend", "memory"]
    : ["-backend", "filesystem", "-filesystem-root", root];
  const child = new Deno.Command(program, {
    args: [
      ...["-scheme", "http", "-host", "127.0.0.1", "-port", String(port), "-public-host", place],
      ...["-log-level", "error", ...kept],
    ],
    cwd: root,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const endpoint = `http://${place}`;
  const server: FakeGcs = {
    endpoint,
    root: keeps === "memory" ? null : root,
    async createBucket(name) {
      await send(`${endpoint}/storage/v1/b?project=test`, JSON.stringify({ name }));
    },
    async upload(bucket, key, bytes, fields = {}) {
      const query = new URLSearchParams({ uploadType: "media", name: key, ...fields });
      await send(`${endpoint}/upload/storage/v1/b/${bucket}/o?${query}`, bytes);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await Deno.remove(root, { recursive: true });
    },
  };
  try {
    await answers(`${endpoint}/_internal/healthcheck`);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

async function send(url: string, body: BodyInit): Promise<void> {
  const response = await fetch(url, { method: "POST", body });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot post to ${url}: ${response.status} ${text}`);
}

/** Resolves once `url` is answered; the server does not say when it listens. */
async function answers(url: string): Promise<void> {
  for (let poll = 0; poll < POLLS_MAX; poll += 1) {
    try {
      const response = await fetch(url);
      await response.body?.cancel();
      if (response.ok) return;
    } catch {
      // Not yet.
    }
    await systemClock.sleep(POLL_MS, new AbortController().signal);
  }
  throw new Error(`Cannot start fake-gcs-server: nobody answers at ${url}`);
}
