import assert from "node:assert/strict";
import { type Backend, BackendError } from "../backend.ts";
import { deadline } from "./deadline.ts";
import { MemoryBackend } from "../memory.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { ScriptedBackend } from "../../../tests/support/scripted_backend.ts";

const never = new AbortController().signal;

interface Bench {
  readonly clock: FakeClock;
  readonly scripted: ScriptedBackend;
  readonly backend: Backend;
  readonly version: string;
}

function bench(): Bench {
  const clock = new FakeClock();
  const memory = new MemoryBackend("memory", { pageSize: 10, pieceBytes: 10 }, clock);
  const { version } = memory.seed("object", new Uint8Array(100));
  const scripted = new ScriptedBackend(memory);
  return { clock, scripted, backend: deadline(scripted, 1_000, clock), version };
}

function codeOf(error: unknown): string {
  return error instanceof BackendError ? error.code : String(error);
}

Deno.test("deadline fails a quiet operation with timeout, and aborts it", async () => {
  const { clock, scripted, backend } = bench();
  scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const stat = backend.stat("object", never).catch(codeOf);
  await clock.advance(999);
  assert.equal(scripted.seen[0]?.signal.aborted, false);
  await clock.advance(1);
  assert.equal(await stat, "timeout");
  assert.equal(scripted.seen[0]?.signal.aborted, true);
});

Deno.test("deadline knows that an issuer of credentials may be what is quiet", async () => {
  const { clock, scripted, backend } = bench();
  scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const refused = assert.rejects(backend.stat("object", never), {
    reason: "no progress for 1s",
    hint: /store, and to the issuer of its credentials/,
  });
  await clock.advance(1_000);
  await refused;
});

Deno.test("deadline starts anew with each piece of a read", async () => {
  const { clock, backend, version } = slowBench();
  const target = new Uint8Array(100);
  const read = backend.read({ path: "object", version, offset: 0, target, onFilled() {} }, never);
  // Ten pieces, each just within the deadline.
  await clock.advance(9_000);
  await read;
});

Deno.test("deadline fails a read that stops in the middle", async () => {
  const { clock, scripted, backend, version } = bench();
  scripted.steps.push({ kind: "hang", afterBytes: 50 });
  const target = new Uint8Array(100);
  const range = { path: "object", version, offset: 0, target, onFilled: () => {} };
  const read = backend.read(range, never).catch(codeOf);
  await clock.advance(1_000);
  assert.equal(await read, "timeout");
});

Deno.test("deadline leaves no timer and no listener behind", async () => {
  const { clock, scripted, backend } = bench();
  assert.equal((await backend.stat("object", never))?.kind, "object");
  const controller = new AbortController();
  scripted.steps.push({ kind: "hang", afterBytes: 0 });
  const stat = backend.stat("object", controller.signal);
  await clock.settle();
  const reason = new Error("No longer wanted");
  controller.abort(reason);
  await assert.rejects(stat, reason);
  assert.equal(clock.sleeping, 0);
});

Deno.test("deadline does not wait for an operation that ignores its signal", async () => {
  const clock = new FakeClock();
  const memory = new MemoryBackend("memory", { pageSize: 10, pieceBytes: 10 }, clock);
  const deaf: Backend = {
    ...undecorated(memory),
    stat: () => Promise.withResolvers<null>().promise,
  };
  const stat = deadline(deaf, 1_000, clock).stat("object", never).catch(codeOf);
  await clock.advance(1_000);
  assert.equal(await stat, "timeout");
});

/** A backend that delivers a piece of a read every 900 ms. */
function slowBench(): Bench {
  const { clock, scripted, version } = bench();
  const slow: Backend = {
    ...undecorated(scripted),
    async read(range, signal) {
      for (let start = 0; start < range.target.length; start += 10) {
        await clock.sleep(900, signal);
        range.onFilled(start + 10);
      }
    },
  };
  return { clock, scripted, version, backend: deadline(slow, 1_000, clock) };
}

function undecorated(backend: Backend): Backend {
  return {
    name: backend.name,
    provider: backend.provider,
    list: (directory, token, signal) => backend.list(directory, token, signal),
    stat: (path, signal) => backend.stat(path, signal),
    checksum: (path, version, signal) => backend.checksum(path, version, signal),
    read: (range, signal) => backend.read(range, signal),
    put: (path, content, signal) => backend.put(path, content, signal),
    remove: (path, signal) => backend.remove(path, signal),
    copy: (from, to, signal) => backend.copy(from, to, signal),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}
