/**
 * A process of its own that writes and reads a bucket as a configuration says: the AWS SDK finds
 * its sources of credentials in the environment of the process.
 *
 * Its argument is one entry of `backends:` as JSON. Prints what was read and how often credentials
 * were renewed, or why there was nothing.
 */
import { BackendError } from "../../cache/backend/backend.ts";
import { S3Backend } from "../../cache/backend/s3/backend.ts";
import { readBackends } from "../../cache/config/backend_config.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { ConfigReader } from "../../cache/platform/config_reader.ts";
import { bytesOf, put, read } from "./backend_calls.ts";

const text = `{"backends": [${Deno.args[0] ?? ""}]}`;
const reader = new ConfigReader(text, { env: Deno.env, readTextFile: Deno.readTextFileSync });
const [settings] = readBackends(reader);
if (settings?.source.type !== "s3") throw new Error(JSON.stringify(reader.problems));
const renewals: string[] = [];
const onRenewal = (status: string, provider: string) => renewals.push(`${provider} ${status}`);
await using backend = await S3Backend.open("s3", settings.source, {
  clock: systemClock,
  random: Math.random,
  onRenewal,
});
await Deno.stdout.write(bytesOf(JSON.stringify({ said: await useBucket(), renewals })));

async function useBucket(): Promise<string> {
  try {
    const { version } = await put(backend, "object", bytesOf("hello"));
    return new TextDecoder().decode(await read(backend, "object", version, 0, 5));
  } catch (error) {
    if (error instanceof BackendError) return `${error.code}: ${error.message}; ${error.hint}`;
    throw error;
  }
}
