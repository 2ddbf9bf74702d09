/** The conformance suite on S3, with a real server. */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { testConformance } from "./backend_conformance.ts";
import { PAGE_SIZE } from "./conformance/case.ts";
import { openS3, s3SourceAt } from "./support/s3_place.ts";
import { startVersitygw, type Versitygw } from "./support/versitygw.ts";

let running: Versitygw | null = null;
Deno.test.beforeAll(async () => {
  running = await startVersitygw();
});
Deno.test.afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
});

for (const prefix of ["", "some prefix/below"]) {
  testConformance({
    name: prefix === "" ? "S3Backend" : "S3Backend below a prefix",
    lacks: {
      object_beside_directory: "versitygw keeps keys as paths of files, one thing of a name",
      arbitrary_keys: "versitygw keeps keys as paths of files, which have no such names",
    },
    async open() {
      if (running === null) throw new Error("The server has not been started");
      const { client } = running;
      const bucket = `c-${crypto.randomUUID()}`;
      await running.createBucket(bucket);
      const source = { ...s3SourceAt(running, bucket), prefix, listPageSize: PAGE_SIZE };
      const backend = await openS3(source);
      return {
        backend,
        async seed(key, Body) {
          const Key = prefix === "" ? key : `${prefix}/${key}`;
          await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
        },
        [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
      };
    },
  });
}
