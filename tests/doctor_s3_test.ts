/** The doctor as a user runs it, on S3 in every state. */
import { equal, match } from "node:assert/strict";
import { runProgram } from "./cli/run_program.ts";
import { bytesOf, put } from "./support/backend_calls.ts";
import { FaultProxy } from "./support/fault_proxy.ts";
import { openS3, s3SourceAt } from "./support/s3_place.ts";
import { startVersitygw } from "./support/versitygw.ts";

const BUCKET = "doctor";

/** What the service answers to a request, told by a proxy. */
function refusal(status: number, code: string, headers: Readonly<Record<string, string>> = {}) {
  const body = `<Error><Code>${code}</Code><Message>It is so.</Message></Error>`;
  return { kind: "answer", status, headers, body } as const;
}

Deno.test("the doctor tells apart what keeps it out of a bucket", async (t) => {
  await using server = await startVersitygw();
  await server.createBucket(BUCKET);
  await using backend = await openS3(s3SourceAt(server, BUCKET));
  await put(backend, "train/shard-000000.tar", bytesOf("hello"));
  await using proxy = await FaultProxy.start(server.endpoint);
  const isList = (request: string) => request.includes("list-type=2");
  const isRead = (request: string) => request.startsWith("GET") && !isList(request);

  const diagnose = async (root = BUCKET, secret = server.secretAccessKey): Promise<string> => {
    const config = { root, endpoint: proxy.origin };
    const auth = { method: "static", access_key_id_env: "ID", secret_access_key_env: "SECRET" };
    const backends = [{ name: "s3", type: "s3", timeout: "10s", config, auth }];
    const text = JSON.stringify({ mount_point: "/mnt/none", backends });
    const args = ["ctl", "doctor", "--config", "config.yaml"];
    const variables = { ID: server.accessKeyId, SECRET: secret };
    const { stdout, stderr } = await runProgram(args, { "config.yaml": text }, variables);
    equal((stdout + stderr).includes(secret), false, "A secret is printed");
    return stdout.split("\n").filter((line) => line.includes('backend "s3"')).join("\n");
  };

  await t.step("nothing", async () => {
    match(await diagnose(), /^ok .* lists its root in .*, reads 5 B of "train\/shard-000000\.tar"/);
  });
  await t.step("another bucket", async () => {
    match(await diagnose("absent-one"), /^FAIL .* wrong container: .*"absent-one"/);
  });
  await t.step("a wrong secret", async () => {
    match(await diagnose(BUCKET, "not-it"), /^FAIL .* credential refused: .*SignatureDoesNotMatch/);
  });
  const region = { "x-amz-bucket-region": "eu-west-1" };
  const states: readonly [title: string, fault: ReturnType<typeof refusal>, message: RegExp][] = [
    ["another region", refusal(301, "PermanentRedirect", region), /wrong region: .*"eu-west-1"/],
    ["a wrong clock", refusal(403, "RequestTimeTooSkewed"), /clock skew: /],
    ["a session that ended", refusal(400, "ExpiredToken"), /expired credential: /],
    ["too many requests", refusal(503, "SlowDown"), /asked to slow down: /],
  ];
  for (const [title, fault, message] of states) {
    await t.step(title, async () => {
      proxy.inject(fault);
      match(await diagnose(), message);
    });
  }
  await t.step("no right to list", async () => {
    proxy.inject(refusal(403, "AccessDenied"), Infinity, isList);
    match(await diagnose(), /^FAIL .* no permission to list: .*AccessDenied/);
  });
  await t.step("no right to read", async () => {
    proxy.inject(refusal(403, "AccessDenied"), Infinity, isRead);
    match(await diagnose(), /^FAIL .* no permission to read: .*AccessDenied/);
  });
});
