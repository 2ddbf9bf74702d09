import { deepEqual, equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { openIndex } from "../../tests/support/cached_rows.ts";
import { IndexJobs, type JobReport } from "./jobs.ts";
import { SCHEMA } from "./schema.ts";

function report(jobId: string, status = "0"): JobReport {
  return { jobId, user: "ada", status, uid: 0, reportedMs: 1_000 };
}

Deno.test("BlockIndex keeps the last report of each job, over restarts, newest first", async () => {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-jobs-" });
  try {
    const first = openIndex(`${root}/index.sqlite`);
    for (const jobId of ["1", "2", "3"]) first.putJob(report(jobId, "RUNNING"));
    first.putJob(report("1", "COMPLETED"));
    first.close();
    const second = openIndex(`${root}/index.sqlite`);
    deepEqual(second.jobs(2), [report("1", "COMPLETED"), report("3", "RUNNING")]);
    equal(second.jobs(10).length, 3);
    second.close();
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("IndexJobs forgets jobs reported long ago, and none for one that repeats itself", () => {
  using database = new DatabaseSync(":memory:");
  for (const statement of SCHEMA) database.prepare(statement).run();
  const jobs = new IndexJobs(database, 10);
  for (let number = 0; number < 10; number += 1) jobs.put(report(String(number)));
  for (let times = 0; times < 20; times += 1) jobs.put(report("5"));
  equal(jobs.latest(20).length, 10);
  jobs.put(report("new"));
  const kept = jobs.latest(20).map(({ jobId }) => jobId);
  deepEqual(kept, ["new", "5", "9", "8", "7", "6", "4", "3", "2", "1"]);
});
