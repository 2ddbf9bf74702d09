/** An origin in a process of its own, for as long as a benchmark needs it. */
import { z } from "zod";
import type { OriginCounts, OriginShape } from "./origin.ts";
import { originCommand } from "./origin_command.ts";
import { cpuSeconds } from "./mounts.ts";

/** A running origin; disposing ends it. */
export interface RunningOrigin extends AsyncDisposable {
  /** URL that names of blobs are appended to. */
  readonly container: string;
  /** `endpoint` and `root` of a backend that reads from it. */
  readonly backend: { readonly endpoint: string; readonly account: string; readonly root: string };
  /** What it has served so far. */
  counts(): Promise<OriginCounts>;
  /** Seconds of processor time it has used so far. */
  cpuSeconds(): number;
}

const ACCOUNT = "bench";
const CONTAINER = "data";
const Counts = z.object({ reads: z.number(), bytes: z.number() });

/** Starts an origin; `seed` decides the contents of its blobs. */
export async function startOrigin(shape: OriginShape, seed: string): Promise<RunningOrigin> {
  const [program = "", ...args] = originCommand(shape, seed);
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await lines.read();
  await lines.cancel();
  const url = `http://127.0.0.1:${Number(value)}`;
  return {
    container: `${url}/${ACCOUNT}/${CONTAINER}`,
    backend: { endpoint: `${url}/${ACCOUNT}`, account: ACCOUNT, root: CONTAINER },
    counts: async () => Counts.parse(await (await fetch(`${url}/counts`)).json()),
    cpuSeconds: () => cpuSeconds(child.pid),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}
