import { deepEqual, equal, throws } from "node:assert/strict";
import { fioArguments, type Load, parseReport } from "./fio.ts";

const LOAD: Load = {
  pattern: "read",
  on: { file: "/data/one" },
  requestBytes: 1_048_576,
  jobs: 1,
  cache: "hot",
  length: "once",
  fileBytes: 1_048_576,
};

Deno.test("a hot load does not give up the pages it is to find", () => {
  equal(fioArguments(LOAD).includes("--invalidate=0"), true);
  equal(fioArguments(LOAD).includes("--direct=0"), true);
  equal(fioArguments({ ...LOAD, cache: "dropped" }).includes("--invalidate=1"), true);
  equal(fioArguments({ ...LOAD, cache: "direct" }).includes("--direct=1"), true);
});

Deno.test("every job can have a file of its own", () => {
  const args = fioArguments({ ...LOAD, on: { directory: "/data" }, jobs: 32 });
  equal(args.includes("--filename_format=shard-$jobnum"), true);
});

Deno.test("a job goes through several files whole, or anywhere in any of them", () => {
  const on = { files: ["/data/a", "/data/b"] };
  const sizes = { requestBytes: 1_048_576, fileBytes: 3 * 1_048_576 };
  const whole = fioArguments({ ...LOAD, ...sizes, on });
  equal(whole.includes("--filename=/data/a:/data/b"), true);
  equal(whole.includes(`--size=${6 * 1_048_576}`), true);
  equal(whole.includes("--file_service_type=random:3"), true);
  const anywhere = fioArguments({ ...LOAD, ...sizes, on, pattern: "randread" });
  equal(anywhere.includes("--file_service_type=random:1"), true);
  equal(anywhere.includes("--norandommap"), true);
});

Deno.test("a report is read behind the notes before it", () => {
  const report = { jobs: [{ error: 0, read: { bw_bytes: 5, iops: 2.5, total_ios: 9 } }] };
  deepEqual(parseReport(`note: something\n${JSON.stringify(report)}`), {
    bytesPerSecond: 5,
    requestsPerSecond: 2.5,
    requests: 9,
  });
});

Deno.test("a load that read nothing or met an error is no result", () => {
  const report = (error: number, ios: number) =>
    JSON.stringify({ jobs: [{ error, read: { bw_bytes: 0, iops: 0, total_ios: ios } }] });
  throws(() => parseReport(report(5, 3)), /error 5 after 3 reads/);
  throws(() => parseReport(report(0, 0)), /error 0 after 0 reads/);
  throws(() => parseReport('{"jobs":[]}'));
});
