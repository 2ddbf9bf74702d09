import { deepEqual, equal, rejects } from "node:assert/strict";
import { type SocketPair, SocketPairs } from "../../tests/support/socket_pair.ts";
import { ConnectionLost, UNTAKEN_MS_MAX } from "./connection.ts";

const NEVER = new AbortController().signal;

function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}

function connectionTest(
  sentence: string,
  body: (pair: SocketPair, pairs: SocketPairs) => Promise<void>,
): void {
  Deno.test(`A connection ${sentence}`, async () => {
    await using pairs = new SocketPairs();
    const { client, connection } = await pairs.connect();
    using _client = client;
    using _connection = connection;
    await body({ client, connection }, pairs);
  });
}

connectionTest("knows who is at its other end", async ({ connection }, { libc }) => {
  const { pid, uid, gid } = connection.peer;
  deepEqual([pid, uid, gid], [Deno.pid, libc.effectiveUid(), libc.effectiveGid()]);
  const groups = new Deno.Command("id", { args: ["-G"] }).outputSync().stdout;
  const named = new TextDecoder().decode(groups).trim().split(" ").map(Number);
  const all = new Set([gid, ...connection.peerGroups()]);
  deepEqual([...all].sort(), [...new Set(named)].sort());
  await Promise.resolve();
});

connectionTest("reads what has come, and what is still to come", async (pair) => {
  const { client, connection } = pair;
  const buffer = new Uint8Array(16);
  await client.write(text("first"));
  equal(await connection.read(buffer, NEVER), 5);
  const later = connection.read(buffer, NEVER);
  await client.write(text("second"));
  equal(await later, 6);
});

connectionTest("reads nothing at its end", async ({ client, connection }) => {
  await client.closeWrite();
  equal(await connection.read(new Uint8Array(16), NEVER), 0);
});

connectionTest("gives up a read when its signal aborts", async ({ connection }) => {
  const giveUp = new AbortController();
  const reading = connection.read(new Uint8Array(16), giveUp.signal);
  giveUp.abort(new Error("enough"));
  await rejects(reading, /enough/);
});

connectionTest("writes more than fits a socket at once", async ({ client, connection }) => {
  const sent = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const writing = connection.write(sent, NEVER).then(() => connection.endWriting());
  const received = new Uint8Array(sent.length);
  for (let length = 0; length < sent.length;) {
    length += await client.read(received.subarray(length)) ?? 0;
  }
  await writing;
  deepEqual(received, sent);
});

connectionTest("is lost when its client takes nothing for a minute", async (pair, { clock }) => {
  const writing = rejects(pair.connection.write(new Uint8Array(3_000_000), NEVER), ConnectionLost);
  while (clock.sleeping === 0) await clock.settle();
  await clock.advance(UNTAKEN_MS_MAX);
  await writing;
});

connectionTest("notices at once that its client is gone", async ({ client, connection }) => {
  const gone = connection.gone(NEVER);
  await client.write(text("unread"));
  client.close();
  await gone;
  await rejects(connection.write(text("late"), NEVER), ConnectionLost);
});

connectionTest("takes a half-closed client for one that waits", async ({ client, connection }) => {
  const giveUp = new AbortController();
  let gone = false;
  const watching = connection.gone(giveUp.signal).then(() => gone = true, () => undefined);
  await client.closeWrite();
  equal(await connection.read(new Uint8Array(1), NEVER), 0);
  await connection.write(text("x"), NEVER);
  equal(await client.read(new Uint8Array(1)), 1);
  equal(gone, false);
  giveUp.abort();
  await watching;
});

Deno.test("A connection that is closed while others wait ends at once", async () => {
  await using pairs = new SocketPairs();
  const one = await pairs.connect();
  const other = await pairs.connect();
  const giveUp = new AbortController();
  const waiting = other.connection.gone(giveUp.signal).catch(() => undefined);
  one.connection[Symbol.dispose]();
  equal(await one.client.read(new Uint8Array(1)), null);
  one.client.close();
  giveUp.abort();
  await waiting;
  other.connection[Symbol.dispose]();
  other.client.close();
});
