import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { credentialTerms } from "../../cache/backend/access/credential_terms.ts";
import { MemoryBackend } from "../../cache/backend/memory.ts";
import type { BackendSettings } from "../../cache/backend/settings.ts";
import { Secret } from "../../cache/platform/secret.ts";
import { bytesOf, never, put } from "../../tests/support/backend_calls.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { failing, ScriptedBackend, type Step } from "../../tests/support/scripted_backend.ts";
import { backendAccess } from "./backend_access.ts";
import { credentialExpiry, judgeTerms } from "./credential_expiry.ts";

const SETTINGS: BackendSettings = {
  name: "images",
  mountPath: "images",
  timeoutMs: 30_000,
  requestsMax: 4,
  source: { type: "local", root: "/srv" },
};

/** The finding about a store with `keys`, whose operations go as `steps` say, and what it saw. */
async function examine(keys: readonly string[], steps: readonly Step[], skewMs: number | null = 0) {
  const clock = new FakeClock();
  const memory = new MemoryBackend("images", { pageSize: 10, pieceBytes: 1_024 }, clock);
  for (const key of keys) await put(memory, key, bytesOf("hello"));
  const backend = new ScriptedBackend(memory);
  backend.steps.push(...steps);
  const timeouts: number[] = [];
  const open = (settings: BackendSettings) => {
    timeouts.push(settings.timeoutMs);
    return Promise.resolve(backend);
  };
  const deps = { open, clock, skewMs: () => Promise.resolve(skewMs) };
  const finding = await backendAccess(SETTINGS, deps).run(never);
  return { finding, seen: backend.seen.map(({ operation, path }) => [operation, path]), timeouts };
}

const PASS: Step = { kind: "pass" };

Deno.test("the check of a backend lists it and reads a little of an object", async () => {
  const { finding, seen, timeouts } = await examine(["a/b/c.tar", "a/d/e.tar"], []);
  equal(finding.state, "ok");
  equal(finding.detail, 'lists its root in 0ms, reads 5 B of "a/b/c.tar" in 0ms');
  deepEqual(seen, [["list", ""], ["list", "a"], ["list", "a/b"], ["read", "a/b/c.tar"]]);
  deepEqual(timeouts, [8_000]);
});

Deno.test("the check of a backend warns about one that holds nothing", async () => {
  const { finding } = await examine([], []);
  equal(finding.state, "warn");
  match(`${finding.detail} ${finding.remedy}`, /holds nothing.*"\/srv" is the right directory/);
});

Deno.test("the check of a backend does not search a whole store for an object", async () => {
  const keys = Array.from({ length: 9 }, (_, index) => `d${index}/${"x/".repeat(9)}file`);
  const { finding, seen } = await examine(keys, []);
  equal(finding.state, "ok");
  match(finding.detail, /no object near the root/);
  equal(seen.length, 16);
});

Deno.test("the check of a backend tells what may not be done", async () => {
  const unread = await examine(["a"], [PASS, failing("denied")]);
  match(unread.finding.detail, /^no permission to read: /);
  // The store lets it ask for an object that is not there, so the credential itself is good.
  const unlisted = await examine([], [failing("denied")]);
  match(unlisted.finding.detail, /^no permission to list: /);
  deepEqual(unlisted.seen.at(-1), ["read", ".warpdrive-probe"]);
  const refused = await examine([], [failing("denied"), failing("denied")]);
  match(refused.finding.detail, /^credential refused: /);
});

Deno.test("the check of a backend knows of the clock", async () => {
  const { finding } = await examine([], [failing("denied"), failing("denied")], 3_600_000);
  match(finding.detail, /^clock skew: this machine is 1h ahead; /);
});

Deno.test("the check of a backend ends when it is interrupted", async () => {
  const clock = new FakeClock();
  const memory = new MemoryBackend("images", { pageSize: 10, pieceBytes: 1_024 }, clock);
  const backend = new ScriptedBackend(memory);
  backend.steps.push({ kind: "hang", afterBytes: 0 });
  const deps = { open: () => Promise.resolve(backend), clock, skewMs: () => Promise.resolve(null) };
  const controller = new AbortController();
  const running = backendAccess(SETTINGS, deps).run(controller.signal);
  const outcome = rejects(running, /Stopped by hand/);
  controller.abort(new Error("Stopped by hand"));
  await outcome;
});

function sasSettings(query: string): BackendSettings {
  const source = {
    type: "azureblob",
    account: "acc",
    container: "data",
    prefix: "",
    endpoint: "https://acc.blob.core.windows.net",
    listPageSize: 10,
    auth: { method: "sas", sasToken: new Secret(query) },
  } as const;
  return { ...SETTINGS, source };
}

Deno.test("credentialTerms reads what a SAS says of itself", () => {
  const { source } = sasSettings("?sp=rl&st=2026-01-01T00:00Z&se=2026-02-01T00:00:00Z&sig=s3cret");
  deepEqual(credentialTerms(source), {
    startsMs: Date.UTC(2026, 0, 1),
    expiresMs: Date.UTC(2026, 1, 1),
    lacks: "",
  });
  equal(credentialTerms(sasSettings("sp=w&sig=x").source)?.lacks, "read and list");
  // A stored access policy has the rights and times of such a SAS.
  deepEqual(credentialTerms(sasSettings("si=policy&sig=x").source), {
    startsMs: null,
    expiresMs: null,
    lacks: "",
  });
  equal(credentialTerms(SETTINGS.source), null);
  equal(credentialExpiry(SETTINGS, new FakeClock()), null);
});

Deno.test("the check of a credential warns in time, and never shows it", async () => {
  const terms = { startsMs: null, expiresMs: 90 * 3_600_000, lacks: "" };
  equal(judgeTerms("c", terms, 0).state, "ok");
  equal(judgeTerms("c", terms, 80 * 3_600_000).state, "warn");
  const ended = judgeTerms("c", terms, 90 * 3_600_000);
  equal(ended.state, "fail");
  // A file is read again, as long as the mount lasts.
  match(ended.remedy ?? "", /only one in a variable needs a new start of the mount/);
  equal(judgeTerms("c", { ...terms, startsMs: 1 }, 0).state, "fail");
  equal(judgeTerms("c", { ...terms, lacks: "list" }, 0).state, "fail");
  const check = credentialExpiry(sasSettings("se=1969-01-01T00:00Z&sig=s3cret"), new FakeClock());
  const finding = await check?.run(never);
  equal(finding?.detail, "it expired at 1969-01-01T00:00:00.000Z");
  equal(JSON.stringify(finding).includes("s3cret"), false);
});
