/** What a job has found and done so far, in numbers and as its clients are told. */
import type { Clock } from "../../cache/platform/clock.ts";
import { WARM_FAILURES_MAX, type WarmFailure, type WarmStatus } from "../../ctl/api_warm.ts";
import { TransferRate } from "./transfer_rate.ts";

/** How a job ended. */
export type WarmEnding =
  /** Everything was looked at; some of it may have failed. */
  | { readonly kind: "through" }
  /** The limit of new bytes is reached, or the cache has no room. */
  | { readonly kind: "capped" | "full"; readonly reason: string }
  | { readonly kind: "cancelled"; readonly reason: string };

/** The numbers of one job. */
export class WarmTally {
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #startedWallMs: number;
  readonly #rate: TransferRate;
  /** The first files that failed. */
  readonly failures: WarmFailure[] = [];
  paths = 0;
  firstPath = "";
  listed = false;
  filesFound = 0;
  bytesFound = 0;
  filesDone = 0;
  filesFailed = 0;
  bytesFailed = 0;
  bytesSkipped = 0;
  inPlace = 0;
  #bytesFetched = 0;
  #ended: { readonly how: WarmEnding; readonly atMs: number; readonly wallMs: number } | null =
    null;

  /** A job that begins now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.#startedWallMs = clock.wallMs();
    this.#rate = new TransferRate(this.#startedMs);
  }

  get isEnded(): boolean {
    return this.#ended !== null;
  }

  fetched(bytes: number): void {
    this.#bytesFetched += bytes;
    this.#rate.note(this.#bytesFetched, this.#clock.monotonicMs());
  }

  /** Returns whether it is one of those that are named. */
  failed(path: string, reason: string): boolean {
    this.filesFailed += 1;
    if (this.failures.length >= WARM_FAILURES_MAX) return false;
    this.failures.push({ path, reason });
    return true;
  }

  /** The job is over. */
  end(how: WarmEnding): void {
    this.#ended = { how, atMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
  }

  /** All of it; `waitingFor` is why the job waits, null while it does not. */
  status(
    job: Pick<WarmStatus, "job" | "uid" | "mode" | "detached">,
    waitingFor: string | null,
  ): WarmStatus {
    const ended = this.#ended;
    const nowMs = ended?.atMs ?? this.#clock.monotonicMs();
    const bytesPerSecond = this.#perSecond(nowMs);
    const bytesDone = this.bytesSkipped + this.#bytesFetched;
    const bytesLeft = Math.max(0, this.bytesFound - this.bytesFailed - bytesDone);
    const isTold = ended === null && this.listed && bytesPerSecond > 0;
    return {
      ...job,
      ...this.#state(waitingFor),
      path: this.firstPath,
      paths: this.paths,
      listed: this.listed,
      files_total: this.filesFound,
      files_done: this.filesDone,
      files_failed: this.filesFailed,
      bytes_total: this.bytesFound,
      bytes_done: bytesDone,
      bytes_skipped: this.bytesSkipped,
      bytes_fetched: this.#bytesFetched,
      in_place: this.inPlace,
      bytes_per_second: Math.round(bytesPerSecond),
      eta_seconds: isTold ? Math.round(bytesLeft / bytesPerSecond) : null,
      seconds: Math.round(nowMs - this.#startedMs) / 1_000,
      started: new Date(this.#startedWallMs).toISOString(),
      ended: ended === null ? null : new Date(ended.wallMs).toISOString(),
    };
  }

  #perSecond(nowMs: number): number {
    if (this.#ended === null) return this.#rate.perSecond(this.#bytesFetched, nowMs);
    return this.#bytesFetched * 1_000 / Math.max(1, nowMs - this.#startedMs);
  }

  #state(waitingFor: string | null): Pick<WarmStatus, "state" | "reason"> {
    if (this.#ended === null) {
      return { state: waitingFor === null ? "running" : "waiting", reason: waitingFor };
    }
    const { how } = this.#ended;
    if (how.kind !== "through") return { state: how.kind, reason: how.reason };
    return { state: this.filesFailed > 0 ? "failed" : "done", reason: null };
  }
}
