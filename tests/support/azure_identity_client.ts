/**
 * A process of its own that writes, reads and lists a container as a configuration says: the
 * identity library keeps what it learns about its surroundings for the life of a process, and
 * authorities to trust are read when it starts.
 *
 * Its argument is one entry of `backends:` as JSON. Prints what was read, or why there was nothing,
 * and who gave out credentials.
 */
import { BackendError } from "../../cache/backend/backend.ts";
import { AzureBackend } from "../../cache/backend/azure/backend.ts";
import { readBackends } from "../../cache/config/backend_config.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { ConfigReader } from "../../cache/platform/config_reader.ts";
import { bytesOf, put, read } from "./backend_calls.ts";

const text = `{"backends": [${Deno.args[0] ?? ""}]}`;
const reader = new ConfigReader(text, { env: Deno.env, readTextFile: Deno.readTextFileSync });
const [settings] = readBackends(reader);
if (settings?.source.type !== "azureblob") throw new Error(JSON.stringify(reader.problems));
const renewals: string[] = [];
await using backend = AzureBackend.open("azure", settings.source, {
  clock: systemClock,
  random: Math.random,
  onRenewal: (status, provider) => renewals.push(`${provider} ${status}`),
});
await Deno.stdout.write(bytesOf(JSON.stringify({ said: await useContainer(), renewals })));

async function useContainer(): Promise<string> {
  try {
    const { version } = await put(backend, "object", bytesOf("hello"));
    const bytes = await read(backend, "object", version, 0, 5);
    const { entries } = await backend.list("", null, new AbortController().signal);
    const listed = entries.some(({ name }) => name === "object");
    return listed ? new TextDecoder().decode(bytes) : "not listed";
  } catch (error) {
    if (error instanceof BackendError) return `${error.code}: ${error.message}; ${error.hint}`;
    throw error;
  }
}
