import assert from "node:assert/strict";
import { NO_HEDGE_MEMORY } from "./guard/hedged.ts";
import { openBackend } from "./open.ts";
import type { Source } from "./settings.ts";
import { systemClock } from "../platform/clock.ts";
import { Libc } from "../platform/libc.ts";
import { silentLogger } from "../platform/log.ts";
import { Secret } from "../platform/secret.ts";

const metrics = { request() {}, error() {}, bytesRead() {}, hedge() {}, authRefresh() {} };
const deps = {
  clock: systemClock,
  random: () => 0,
  logger: silentLogger,
  metrics,
  libc: Libc.open(),
  hedges: NO_HEDGE_MEMORY,
};

function settings(source: Source) {
  return { name: "data", mountPath: "data", timeoutMs: 1_000, requestsMax: 4, source };
}

Deno.test("openBackend asks nothing of a store, whose root is there nevertheless", async () => {
  const opened = await openBackend(
    settings({
      type: "azureblob",
      account: "account",
      container: "container",
      prefix: "",
      endpoint: "https://account.invalid",
      listPageSize: 100,
      auth: { method: "account_key", accountKey: new Secret("a2V5") },
    }),
    deps,
  );
  await using backend = opened.backend;
  assert.equal(backend.name, "data");
  assert.equal(backend.provider, "azureblob");
  assert.equal(opened.files, null);
  assert.deepEqual(opened.health.state, { state: "healthy", latencyMs: null });
  assert.equal((await backend.stat("", new AbortController().signal))?.kind, "directory");
});

Deno.test("openBackend gives direct access to the files of a local backend", async () => {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-open-" });
  try {
    const opened = await openBackend(settings({ type: "local", root }), deps);
    await using backend = opened.backend;
    assert.equal(backend.provider, "local");
    await Deno.writeTextFile(`${root}/file`, "hello");
    const { signal } = new AbortController();
    assert.equal((await backend.stat("file", signal))?.kind, "object");
    await opened.health.check(signal);
    assert.equal(opened.health.state.state, "healthy");
    const status = opened.files?.statusCached("file");
    assert.ok(status !== undefined && status !== null);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
