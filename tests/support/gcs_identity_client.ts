/**
 * A process of its own that writes and reads a bucket as a configuration says: the libraries of
 * Google and Azure find their issuers in the environment of the process.
 *
 * Its argument is one entry of `backends:` as JSON. Prints what was read and how often tokens were
 * renewed, or why there was nothing.
 */
import { BackendError } from "../../cache/backend/backend.ts";
import { readBackends } from "../../cache/config/backend_config.ts";
import { ConfigReader } from "../../cache/platform/config_reader.ts";
import { bytesOf, put, read } from "./backend_calls.ts";
import { openGcs } from "./gcs_place.ts";

const text = `{"backends": [${Deno.args[0] ?? ""}]}`;
const reader = new ConfigReader(text, { env: Deno.env, readTextFile: Deno.readTextFileSync });
const [settings] = readBackends(reader);
if (settings?.source.type !== "gcs") throw new Error(JSON.stringify(reader.problems));
const renewals: string[] = [];
await using backend = openGcs(settings.source, (status) => renewals.push(status));
await Deno.stdout.write(bytesOf(JSON.stringify({ said: await useBucket(), renewals })));

async function useBucket(): Promise<string> {
  try {
    const { version } = await put(backend, "object", bytesOf("hello"));
    return new TextDecoder().decode(await read(backend, "object", version, 0, 5));
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    // With all that a log of it could show.
    return `${error.code}: ${Deno.inspect(error, { depth: 20 })}; ${error.hint}`;
  }
}
