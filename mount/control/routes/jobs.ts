/** `POST` and `GET /v1/jobs`. */
import { JOBS_MAX } from "../../../cache/index/jobs.ts";
import { JOB_LIST, JOB_REPORT, jobAnswer } from "../../../ctl/api_jobs.ts";
import { type CacheAccess, NO_CACHE } from "../cache_access.ts";
import { type Route, route } from "../route.ts";

/** Both routes; `access` is null without a cache, whose index keeps the reports. */
export function jobRoutes(access: CacheAccess | null): readonly Route[] {
  return [
    route(JOB_REPORT, { sockets: "admin", bodyBytesMax: 4_096 }, async (request, { uid }) => {
      if (access === null) return NO_CACHE;
      const { operations, clock } = access;
      const { job_id: jobId, user, status } = request;
      const report = { jobId, user, status, uid, reportedMs: clock.wallMs() };
      await operations.reportJob(report);
      return { kind: "answered", body: { job: jobAnswer(report) } };
    }),
    route(JOB_LIST, { sockets: "admin", bodyBytesMax: 0 }, async () => {
      if (access === null) return NO_CACHE;
      const jobs = await access.operations.jobs(JOBS_MAX);
      return { kind: "answered", body: { jobs: jobs.map(jobAnswer) } };
    }),
  ];
}
