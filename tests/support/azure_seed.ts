/**
 * A process of its own that makes a container and fills it: authorities to trust are read when a
 * process starts. Arguments: service endpoint, container, then names of objects. An object holds
 * its name, as often as fits in 64 KiB. The account key is in AZURITE_KEY.
 */
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { seededContent } from "./seeded_content.ts";

const [endpoint = "", container = "", ...names] = Deno.args;
const account = new URL(endpoint).pathname.slice(1);
const credential = new StorageSharedKeyCredential(account, Deno.env.get("AZURITE_KEY") ?? "");
const client = new ContainerClient(`${endpoint}/${container}`, credential);
await client.createIfNotExists();
for (const name of names) {
  const content = seededContent(name);
  await client.getBlockBlobClient(name).upload(content, content.length);
}
