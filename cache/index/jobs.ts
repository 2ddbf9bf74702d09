/** What was reported of jobs that ran on this node: the last word on each of the latest jobs. */
import type { DatabaseSync } from "node:sqlite";
import { integer, text } from "./rows.ts";

/** Jobs that are remembered; the one reported longest ago is forgotten first. */
export const JOBS_MAX = 10_000;

/** A report of a job, as a scheduler's script makes it. */
export interface JobReport {
  readonly jobId: string;
  /** Whose job it is, as the scheduler calls them. */
  readonly user: string;
  /** How it went, in the scheduler's words: an exit code, a state. */
  readonly status: string;
  /** User id of the process that reported. */
  readonly uid: number;
  /** Milliseconds since the epoch. */
  readonly reportedMs: number;
}

/** The job reports of one open database. */
export class IndexJobs {
  readonly #jobsMax: number;
  readonly #put;
  readonly #forget;
  readonly #latest;

  /** @param jobsMax Jobs that are remembered. */
  constructor(database: DatabaseSync, jobsMax: number) {
    this.#jobsMax = jobsMax;
    // Replacing gives a new rowid, so that rowids are in the order of reports.
    this.#put = database.prepare("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?)");
    this.#forget = database.prepare(
      `DELETE FROM jobs
       WHERE rowid IN (SELECT rowid FROM jobs ORDER BY rowid DESC LIMIT -1 OFFSET ?)`,
    );
    this.#latest = database.prepare("SELECT * FROM jobs ORDER BY rowid DESC LIMIT ?");
  }

  /** Keeps a report in place of an earlier one of the same job. */
  put({ jobId, user, status, uid, reportedMs }: JobReport): void {
    this.#put.run(jobId, user, status, uid, reportedMs);
    this.#forget.run(this.#jobsMax);
  }

  /** Up to `limit` jobs, the one reported last first. */
  latest(limit: number): JobReport[] {
    return this.#latest.all(limit).map((row) => ({
      jobId: text(row, "job_id"),
      user: text(row, "user"),
      status: text(row, "status"),
      uid: integer(row, "uid"),
      reportedMs: integer(row, "reported_ms"),
    }));
  }
}
