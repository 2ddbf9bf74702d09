/**
 * One request and its answer, over a connection of its own.
 *
 *     head ──▶ rate ──▶ route ──▶ socket ──▶ body ──▶ call ──▶ answer, or records until the end
 *       └────────┴────────┴─────────┴─────────┴────────┴──▶ error
 *
 * Throughout, the client's going away or the mount's stopping aborts what is under way.
 */
import type { ApiError } from "../../ctl/api.ts";
import type { Clock } from "../../cache/platform/clock.ts";
import { hintOf } from "../../cache/platform/exit.ts";
import { describeError, type Logger } from "../../cache/platform/log.ts";
import { type CallDeps, type Client, readCall } from "./call_reader.ts";
import { type Connection, ConnectionLost } from "./connection.ts";
import {
  encodeAnswer,
  encodeError,
  encodeErrorRecord,
  encodeRecord,
  encodeStreamHead,
  STREAM_END,
} from "./http_answer.ts";
import { inTime } from "./in_time.ts";
import { type Refused, refused, type Route } from "./route.ts";

/** Longest wait for a client that was refused to stop sending. */
const DRAIN_MS_MAX = 1_000;
const DRAINED_BYTES_MAX = 256 * 1024;

/** What an exchange needs. */
export interface ExchangeDeps extends CallDeps {
  readonly logger: Logger;
  /** Aborts when the mount stops. */
  readonly stopping: AbortSignal;
}

/** Serves one client to its end and closes its connection. */
export async function exchange(client: Client, deps: ExchangeDeps): Promise<void> {
  using connection = client.connection;
  const ended = new AbortController();
  const left = new AbortController();
  const watching = connection.gone(AbortSignal.any([ended.signal, deps.stopping])).then(
    () => left.abort(new ConnectionLost("The client is gone")),
    // The exchange is over, or about to be.
    () => undefined,
  );
  const signal = AbortSignal.any([left.signal, deps.stopping]);
  try {
    await serve(client, deps, signal);
  } catch (error) {
    if (error instanceof ConnectionLost || signal.aborted) return;
    deps.logger.error("Lose a control connection", { error });
  } finally {
    ended.abort();
    await watching;
  }
}

async function serve(client: Client, deps: ExchangeDeps, signal: AbortSignal): Promise<void> {
  const { connection, caller } = client;
  const call = await readCall(client, deps, signal);
  if (call === null) return;
  if (call.kind === "refused") return await refuse(client, call.error, deps.clock, signal);
  let outcome;
  try {
    outcome = await call.route.run(call.input, caller, signal);
  } catch (error) {
    if (deps.stopping.aborted) return connection.writeNow(encodeError(STOPPING, null));
    outcome = failure(error, call.route, deps.logger, signal);
  }
  switch (outcome.kind) {
    case "refused":
      return await refuse(client, outcome.error, deps.clock, signal);
    case "answered":
      return await connection.write(encodeAnswer(outcome.body), signal);
    case "streamed":
      return await stream(client, call.route, outcome.records, deps, signal);
  }
}

const STOPPING: ApiError = {
  code: "unavailable",
  message: "The mount is stopping",
  hint: null,
};

async function stream(
  { connection }: Client,
  route: Route,
  records: AsyncIterable<unknown>,
  { logger, stopping }: ExchangeDeps,
  signal: AbortSignal,
): Promise<void> {
  await connection.write(encodeStreamHead(), signal);
  try {
    for await (const record of records) await connection.write(encodeRecord(record), signal);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    if (!signal.aborted) {
      const { error: told } = failure(error, route, logger, signal);
      await connection.write(encodeErrorRecord(told), signal);
    }
  }
  // Its records may have ended by themselves when the signal said so.
  if (stopping.aborted) connection.writeNow(encodeErrorRecord(STOPPING));
  connection.writeNow(STREAM_END);
}

/** What the client is told of an error that ended its call. */
function failure(error: unknown, route: Route, logger: Logger, signal: AbortSignal): Refused {
  if (signal.aborted) throw signal.reason;
  const hint = hintOf(error);
  if (hint !== null) return refused("failed", describeError(error), hint);
  const { method, path } = route.endpoint;
  logger.error("Control call failed", { call: `${method} ${path}`, error });
  return refused("internal", `Call "${method} ${path}": the mount failed, its log says why`);
}

async function refuse(
  { connection, rate }: Client,
  error: ApiError,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const retryMs = error.code === "rate_limited" && rate.kind === "refused" ? rate.retryMs : null;
  const retrySeconds = retryMs === null ? null : Math.ceil(retryMs / 1_000);
  await connection.write(encodeError(error, retrySeconds), signal);
  connection.endWriting();
  await drain(connection, clock, signal);
}

/** Takes what a refused client still sends: closing before it ends would reset the connection. */
async function drain(connection: Connection, clock: Clock, signal: AbortSignal): Promise<void> {
  const late = new ConnectionLost("The client does not stop sending");
  await inTime(DRAIN_MS_MAX, clock, signal, late, async (limited) => {
    const sink = new Uint8Array(8 * 1024);
    for (let bytes = 0; bytes < DRAINED_BYTES_MAX;) {
      const count = await connection.read(sink, limited);
      if (count === 0) return;
      bytes += count;
    }
  });
}
