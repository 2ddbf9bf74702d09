import { equal, match } from "node:assert/strict";
import { MemoryBackend } from "../../cache/backend/memory.ts";
import type { BackendSettings } from "../../cache/backend/settings.ts";
import { bytesOf, never, put } from "../../tests/support/backend_calls.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { failing, ScriptedBackend, type Step } from "../../tests/support/scripted_backend.ts";
import { checkBackends } from "./backends.ts";

const SETTINGS: BackendSettings = {
  name: "images",
  mountPath: "images",
  timeoutMs: 30_000,
  requestsMax: 4,
  source: { type: "local", root: "/srv" },
};

/** What is found of a store with one object, whose operations go as `steps` say. */
async function examine(...steps: readonly Step[]) {
  const clock = new FakeClock();
  const memory = new MemoryBackend("images", { pageSize: 10, pieceBytes: 1_024 }, clock);
  await put(memory, "train/a", bytesOf("hello"));
  const backend = new ScriptedBackend(memory);
  backend.steps.push(...steps);
  const [finding] = await checkBackends([SETTINGS], () => Promise.resolve(backend), clock, never);
  return { state: finding?.state, text: `${finding?.detail} ${finding?.remedy}` };
}

Deno.test("--check lists a backend and reads a little of an object", async () => {
  const { state, text } = await examine();
  equal(state, "ok");
  match(text, /lists its root in .*, reads 5 B of "train\/a"/);
});

Deno.test("--check tells a right to list that is missing from a right to read", async () => {
  const pass = { kind: "pass" } as const;
  const unread = await examine(pass, pass, failing("denied"));
  equal(unread.state, "fail");
  match(unread.text, /no permission to read/);
  const unlisted = await examine(failing("denied"));
  match(unlisted.text, /no permission to list/);
  const refused = await examine(failing("denied"), failing("denied"));
  match(refused.text, /credential refused/);
});
