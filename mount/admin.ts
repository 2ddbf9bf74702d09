/** What a mount shows of itself over HTTP: metrics for Prometheus, health for whoever asks. */
import type { Registry } from "prom-client";
import type { Clock } from "../cache/platform/clock.ts";
import type { Logger } from "../cache/platform/log.ts";
import { type Answer, GetServer, type ListenAddress, textAnswer } from "./get_server.ts";
import type { HealthMonitor, HealthReport } from "./health.ts";

/** What is shown. */
export interface AdminSources {
  readonly registry: Registry;
  /** Whether every part of the mount is well; for alerts. */
  readonly health: HealthMonitor;
  /** Whether the process can serve its mount; for liveness probes, which kill it if not. */
  readonly liveness: HealthMonitor;
}

type Page = (signal: AbortSignal) => Promise<Answer>;

/**
 * Serves `/metrics`, `/healthz` and `/livez` until disposed.
 *
 * @throws {CommandError} when the address cannot be used.
 */
export function serveAdmin(
  address: ListenAddress,
  sources: AdminSources,
  clock: Clock,
  logger: Logger,
): GetServer {
  const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
    ["/metrics", () => metricsPage(sources.registry)],
    ["/healthz", async (signal) => healthPage(await sources.health.report(signal))],
    ["/livez", async (signal) => healthPage(await sources.liveness.report(signal))],
  ]);
  const missing = `Not here. There is: ${[...pages.keys()].join(" ")}`;
  return GetServer.listen(
    address,
    (path, signal) => pages.get(path)?.(signal) ?? Promise.resolve(textAnswer(404, missing)),
    clock,
    logger,
  );
}

async function metricsPage(registry: Registry): Promise<Answer> {
  return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
}

function healthPage(report: HealthReport): Answer {
  const checks = Object.entries(report.checks).map(([name, { status, detail, latencyMs }]) => [
    name,
    { status, detail, latency_ms: Math.round(latencyMs * 1_000) / 1_000 },
  ]);
  const body = { status: report.status, checks: Object.fromEntries(checks) };
  return {
    status: report.status === "ok" ? 200 : 503,
    contentType: "application/json",
    body: JSON.stringify(body, null, 2) + "\n",
  };
}
