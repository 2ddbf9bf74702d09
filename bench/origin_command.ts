/** The origin as a program of its own: it shares no event loop with what is measured. */
import { fileURLToPath } from "node:url";
import { Origin, type OriginShape } from "./origin.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { TaskGroup } from "../cache/platform/limit.ts";
import { describeError } from "../cache/platform/log.ts";

/** Command line that runs this program; it says its port, and serves until it is killed. */
export function originCommand(shape: OriginShape, seed: string): string[] {
  const { latencyMs, bytesPerSecond } = shape;
  const self = fileURLToPath(import.meta.url);
  return [Deno.execPath(), "run", "-A", self, `${latencyMs}`, `${bytesPerSecond}`, seed];
}

async function main([latencyMs, bytesPerSecond, seed = ""]: readonly string[]): Promise<void> {
  const shape = { latencyMs: Number(latencyMs), bytesPerSecond: Number(bytesPerSecond) };
  const encoder = new TextEncoder();
  const origin = new Origin(shape, seed, systemClock, new AbortController().signal);
  const connections = new TaskGroup((error) => {
    Deno.stderr.writeSync(encoder.encode(`${describeError(error)}\n`));
  });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  Deno.stdout.writeSync(encoder.encode(`${listener.addr.port}\n`));
  for await (const connection of listener) connections.add(origin.serve(connection));
}

if (import.meta.main) await main(Deno.args);
