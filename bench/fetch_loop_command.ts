/** The bare loop around `fetch` as a program of its own, like the mount it is compared with. */
import { cpuUsage } from "node:process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type FetchLoad, fetchLoop } from "./fetch_loop.ts";
import { systemClock } from "../cache/platform/clock.ts";

const Load = z.object({
  url: z.string(),
  sizeBytes: z.number(),
  streams: z.number(),
  requestBytes: z.number(),
  pattern: z.union([z.literal("sequential"), z.object({ randomSeconds: z.number() })]),
  keptIn: z.string().nullable(),
});
const Result = z.object({
  bytes: z.number(),
  requests: z.number(),
  seconds: z.number(),
  cpuSeconds: z.number(),
});

/** What a loop reached, and the processor time it took, its start included. */
export type FetchReport = z.infer<typeof Result>;

/** Runs `load` in a process of its own. */
export async function runFetchLoop(load: FetchLoad, signal: AbortSignal): Promise<FetchReport> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(import.meta.url), JSON.stringify(load)],
    stdin: "null",
    signal,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Run the fetch loop: it failed\n${decoder.decode(stderr).trim()}`);
  return Result.parse(JSON.parse(decoder.decode(stdout)));
}

async function main([load = ""]: readonly string[]): Promise<void> {
  const result = await fetchLoop(Load.parse(JSON.parse(load)), systemClock);
  const { user, system } = cpuUsage();
  const report: FetchReport = { ...result, cpuSeconds: (user + system) / 1e6 };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report)}\n`));
}

if (import.meta.main) await main(Deno.args);
