/**
 * A process of its own that reads and writes a container with the credentials it is given: the
 * identity library keeps what it learns about its surroundings for the life of a process, and
 * authorities to trust are read when it starts.
 *
 * Arguments: endpoint, container, method, then what the method needs: tenant, client id, secret or
 * token file, authority. Prints what was read. The method `create` makes the container by account
 * key.
 */
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { AzureBackend } from "../../cache/backend/azure/backend.ts";
import type { AzureAuth } from "../../cache/backend/settings.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { Secret } from "../../cache/platform/secret.ts";
import { bytesOf, put, read } from "./backend_calls.ts";

const [endpoint = "", container = "", method = "", ...parameters] = Deno.args;
const [tenantId = "", clientId = "", proof = "", authority = ""] = parameters;
const authorityHost = authority === "" ? null : authority;
const auths: Readonly<Record<string, AzureAuth>> = {
  system_identity: { method: "managed_identity", clientId: null },
  user_identity: { method: "managed_identity", clientId },
  service_principal: {
    method: "service_principal",
    tenantId,
    clientId,
    clientSecret: new Secret(proof),
    authorityHost,
  },
  workload_identity: {
    method: "workload_identity",
    tenantId,
    clientId,
    tokenFile: proof,
    authorityHost,
  },
};

if (method === "create") await createContainer();
else await useContainer();

async function createContainer(): Promise<void> {
  // The key is the only parameter.
  const credential = new StorageSharedKeyCredential("devstoreaccount1", parameters.join());
  await new ContainerClient(`${endpoint}/${container}`, credential).create();
}

async function useContainer(): Promise<void> {
  const auth = auths[method];
  if (auth === undefined) throw new Error(`No such method: "${method}"`);
  const renewals: string[] = [];
  await using backend = await AzureBackend.open(
    "azure",
    {
      type: "azureblob",
      account: "devstoreaccount1",
      container,
      prefix: "",
      endpoint,
      listPageSize: 10,
      auth,
    },
    {
      clock: systemClock,
      random: Math.random,
      onRenewal: (status, provider) => renewals.push(`${provider} ${status}`),
    },
  );
  const { signal } = new AbortController();
  const { version } = await put(backend, method, bytesOf(`by ${method}`));
  const bytes = await read(backend, method, version, 0, `by ${method}`.length);
  const { entries } = await backend.list("", null, signal);
  const listed = entries.some(({ name }) => name === method);
  const text = new TextDecoder().decode(bytes);
  await Deno.stdout.write(bytesOf(JSON.stringify({ text, listed, renewals })));
}
