/**
 * The conformance suite on Cloud Storage: a real server, behind a gate that asks for tokens and
 * pages listings as the service does.
 */
import { testConformance } from "./backend_conformance.ts";
import { PAGE_SIZE } from "./conformance/case.ts";
import { gatedSourceAt, type GcsServers, openGcs, startGcsServers } from "./support/gcs_place.ts";

let running: GcsServers | null = null;
Deno.test.beforeAll(async () => {
  running = await startGcsServers();
});
Deno.test.afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

for (const prefix of ["", "some prefix/below"]) {
  testConformance({
    name: prefix === "" ? "GcsBackend" : "GcsBackend below a prefix",
    lacks: {},
    async open() {
      if (running === null) throw new Error("The servers have not been started");
      const { server } = running;
      const bucket = `c-${crypto.randomUUID()}`;
      await server.createBucket(bucket);
      const source = { ...gatedSourceAt(running, bucket), prefix, listPageSize: PAGE_SIZE };
      const backend = openGcs(source);
      return {
        backend,
        seed: (key, bytes) =>
          server.upload(bucket, prefix === "" ? key : `${prefix}/${key}`, bytes),
        [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
      };
    },
  });
}
