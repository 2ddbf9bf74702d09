/** `/v1/jobs`: what schedulers report of the jobs that ran on this node. */
import { z } from "zod";
import type { JobReport } from "../cache/index/jobs.ts";
import type { Endpoint } from "./api.ts";

/** One word or short line of a scheduler. */
function word(lengthMax: number) {
  return z.string().min(1).max(lengthMax);
}

const REPORT = {
  /** As the scheduler calls it; a later report of the same one takes the place of the earlier. */
  job_id: word(128),
  user: word(256),
  /** An exit code or a state, in the scheduler's words. */
  status: word(256),
};

const JOB = z.object({
  ...REPORT,
  /** User id of the process that reported. */
  uid: z.int(),
  reported: z.iso.datetime(),
});
export type Job = z.infer<typeof JOB>;

/** Keeps a report in the index of the cache, over restarts; the latest 10,000 jobs are kept. */
export const JOB_REPORT = {
  method: "POST",
  path: "/v1/jobs",
  request: z.strictObject(REPORT),
  answer: z.object({ job: JOB }),
  form: "single",
} satisfies Endpoint;

/** A report as it comes in. */
export type JobReportRequest = z.output<typeof JOB_REPORT.request>;

/** All jobs that are kept, the one reported last first. */
export const JOB_LIST = {
  method: "GET",
  path: "/v1/jobs",
  request: z.strictObject({}),
  answer: z.object({ jobs: z.array(JOB) }),
  form: "single",
} satisfies Endpoint;

/** `report` on the wire. */
export function jobAnswer({ jobId, user, status, uid, reportedMs }: JobReport): Job {
  return { job_id: jobId, user, status, uid, reported: new Date(reportedMs).toISOString() };
}
