/**
 * A real S3 server for tests: versitygw, which keeps objects as files. Built once from its source
 * by Go, outside the tree.
 */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePort } from "./free_port.ts";
import { installGoProgram } from "./go_program.ts";
import { systemClock } from "../../cache/platform/clock.ts";

const PROGRAM = {
  name: "versitygw",
  version: "v1.8.0",
  packagePath: "github.com/versity/versitygw/cmd/versitygw",
};
const ACCESS_KEY = "testkey";
const SECRET_KEY = "testsecret";
/** How often, and how many times, a server that starts is asked whether it is there. */
const POLL_MS = 20;
const POLLS_MAX = 1_000;

/** A running server; disposing ends it and deletes all it stored. */
export interface Versitygw extends AsyncDisposable {
  /** URL of the service, as `endpoint` of a backend takes it. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The directory whose directories are the buckets. */
  readonly root: string;
  /** Access past our own code. */
  readonly client: S3Client;
  /** Creates the bucket `name`. */
  createBucket(name: string): Promise<void>;
}

/** Starts a server on a free port; resolves when it answers. Builds it first where needed. */
export async function startVersitygw(): Promise<Versitygw> {
  const program = await installVersitygw(new AbortController().signal);
  const root = await Deno.makeTempDir({ prefix: "warpdrive-versitygw-" });
  const port = freePort();
  const child = new Deno.Command(program, {
    args: [
      ...["--quiet", "--keep-alive", "--access", ACCESS_KEY, "--secret", SECRET_KEY],
      ...["--port", `127.0.0.1:${port}`, "posix", root],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
  });
  const server: Versitygw = {
    endpoint,
    accessKeyId: ACCESS_KEY,
    secretAccessKey: SECRET_KEY,
    root,
    client,
    async createBucket(name) {
      await client.send(new CreateBucketCommand({ Bucket: name }));
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      child.kill("SIGKILL");
      await child.status;
      await Deno.remove(root, { recursive: true });
    },
  };
  try {
    await accepts(port);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** Resolves once something listens at `port`; the server does not say when it does. */
async function accepts(port: number): Promise<void> {
  for (let poll = 0; poll < POLLS_MAX; poll += 1) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch {
      await systemClock.sleep(POLL_MS, new AbortController().signal);
    }
  }
  throw new Error(`Cannot start versitygw: nothing listens at port ${port}`);
}

/** The path of the program, built in the user's cache directory. */
export function installVersitygw(signal: AbortSignal): Promise<string> {
  return installGoProgram(PROGRAM, signal);
}
