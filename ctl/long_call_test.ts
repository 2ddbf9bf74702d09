import { deepEqual, equal, rejects } from "node:assert/strict";
import { FakeClock } from "../tests/support/fake_clock.ts";
import { UNPIN } from "./api_pin.ts";
import { ControlClient } from "./client.ts";
import { longCall } from "./long_call.ts";

const NEVER = new AbortController().signal;
const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n" +
  "Transfer-Encoding: chunked\r\n\r\n";
const WORKING = '{"version":1,"event":"working"}\n';
const DONE = '{"version":1,"event":"done","objects":3,"pinned_bytes":0}\n';

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** A mount that answers a call with `text` and then with nothing, or hangs up. */
async function answering(
  text: string,
  then: "silent" | "gone",
  use: (client: ControlClient, answered: Promise<void>) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-call-" });
  try {
    using listener = Deno.listen({ transport: "unix", path: `${root}/sock` });
    const over = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const serving = (async () => {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(4_096));
      await connection.write(new TextEncoder().encode(text));
      answered.resolve();
      if (then === "silent") await over.promise;
    })();
    await use(new ControlClient(`${root}/sock`), answered.promise);
    over.resolve();
    await serving;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function unpinned(client: ControlClient, clock: FakeClock): Promise<number> {
  const context = { clock, signal: NEVER };
  const done = await longCall(client, UNPIN, { paths: ["/mnt"] }, (record) => {
    return record.event === "done" ? record : null;
  }, context);
  return done.objects;
}

Deno.test("a long call gives what it ended with", () =>
  answering(HEAD + chunk(WORKING) + chunk(DONE), "silent", async (client) => {
    equal(await unpinned(client, new FakeClock()), 3);
  }));

Deno.test("a long call does not wait for a mount that says nothing any more", () =>
  answering(HEAD + chunk(WORKING), "silent", async (client, answered) => {
    const clock = new FakeClock();
    const call = rejects(unpinned(client, clock), {
      name: "ControlError",
      code: "no_answer",
      message: `Wait for the mount at "${client.socket}": it has said nothing for 60s`,
    });
    await answered;
    // However far it had come with the first record, the next one is a minute late.
    await clock.advance(60_000);
    await clock.advance(60_000);
    await call;
  }));

Deno.test("a long call fails when its answer ends early, or with no outcome", async () => {
  const codes: unknown[] = [];
  for (const end of ["", "0\r\n\r\n"]) {
    await answering(HEAD + chunk(WORKING) + end, "gone", async (client) => {
      await rejects(unpinned(client, new FakeClock()), (error: unknown) => {
        codes.push(error instanceof Error && "code" in error ? error.code : error);
        return true;
      });
    });
  }
  deepEqual(codes, ["no_answer", "no_answer"]);
});
