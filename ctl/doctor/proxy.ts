/** Whether requests to the stores go through a proxy: their own, or that of the environment. */
import { doubtful, type Finding, good } from "../../cache/platform/finding.ts";
import type { Environment } from "../../cache/platform/environment.ts";
import { REDACTED } from "../../cache/platform/secret.ts";
import { type Check, LOCAL_DEADLINE_MS } from "./check.ts";
import type { Origin } from "./origin.ts";

const SUBJECT = "proxy";
/** Where machines in clouds get their identity; no proxy can answer for it. */
const IDENTITY_SERVICE = new URL("http://169.254.169.254/");

/** The check of the proxies on the way to `origins`, and to the identity of this machine. */
export function proxy(
  origins: readonly Origin[],
  usesIdentityService: boolean,
  env: Environment,
): Check {
  return {
    name: "proxy",
    subject: SUBJECT,
    deadlineMs: LOCAL_DEADLINE_MS,
    run: () => Promise.resolve(judgeProxies(origins, usesIdentityService, env)),
  };
}

function judgeProxies(
  origins: readonly Origin[],
  usesIdentityService: boolean,
  env: Environment,
): Finding {
  const identityProxy = usesIdentityService ? proxyFor(IDENTITY_SERVICE, env) : null;
  if (identityProxy !== null) {
    return doubtful(
      SUBJECT,
      `requests for the identity of this machine go to ${identityProxy}, which cannot answer them`,
      `Add ${IDENTITY_SERVICE.hostname} to NO_PROXY`,
    );
  }
  const proxied = origins.flatMap(({ url, proxy: through }) =>
    through === null ? [] : [`${url.host} through ${through}`]
  );
  if (proxied.length === 0) return good(SUBJECT, "none: requests go straight to the stores");
  return doubtful(
    SUBJECT,
    `requests go to ${proxied.join(", ")}`,
    "Add stores that can be reached straight to NO_PROXY, or take proxy out of their backends: " +
      "a proxy bounds the throughput",
  );
}

/**
 * The proxy of the environment that requests to `url` go through, without password; null when they
 * go straight.
 */
export function proxyFor(url: URL, env: Environment): string | null {
  const scheme = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  const proxy = variable(scheme, env) ?? variable("all_proxy", env);
  if (proxy === undefined || isExcepted(url.hostname, variable("no_proxy", env) ?? "")) return null;
  return withoutPassword(proxy);
}

function variable(name: string, env: Environment): string | undefined {
  const value = env.get(name) ?? env.get(name.toUpperCase());
  return value === "" ? undefined : value;
}

/** Whether NO_PROXY names `hostname`, a domain above it, or everything. */
function isExcepted(hostname: string, exceptions: string): boolean {
  return exceptions.split(",").map((entry) => entry.trim().replace(/^\*?\./, "")).some((entry) =>
    entry === "*" || (entry !== "" && (hostname === entry || hostname.endsWith(`.${entry}`)))
  );
}

function withoutPassword(proxy: string): string {
  return proxy.replace(/^([a-z0-9+.-]+:\/\/)?[^@/]*@/i, `$1${REDACTED}@`);
}
