import { deepEqual, equal, throws } from "node:assert/strict";
import { ERRNO, SystemError } from "./errno.ts";
import { Libc } from "./libc.ts";

/** Connects as a process with these groups, and sends nothing. */
const CONNECT = `
import os, socket, sys
os.setgroups([int(group) for group in sys.argv[2:]])
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
print("connected", flush=True)
sys.stdin.read()
`;

async function withListener(
  body: (path: string, fd: number, libc: Libc) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
  const libc = Libc.open();
  const path = `${directory}/socket`;
  const fd = libc.sockets.bind(path);
  try {
    await body(path, fd, libc);
  } finally {
    libc.close(fd);
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("A bound socket takes clients once it listens", async () => {
  await withListener(async (path, fd, libc) => {
    equal(libc.sockets.connect(path), -ERRNO.ECONNREFUSED);
    libc.sockets.listen(fd, path, 1);
    equal(libc.sockets.accept(fd), -ERRNO.EAGAIN);
    const client = libc.sockets.connect(path);
    const accepted = libc.sockets.accept(fd);
    equal(libc.sockets.peer(client).pid, Deno.pid);
    equal(libc.sockets.send(client, new TextEncoder().encode("hello")), 5);
    equal(libc.sockets.receive(accepted, new Uint8Array(10)), 5);
    equal(libc.sockets.receive(accepted, new Uint8Array(10)), -ERRNO.EAGAIN);
    libc.sockets.close(client);
    equal(libc.sockets.receive(accepted, new Uint8Array(10)), 0);
    libc.sockets.close(accepted);
    await Promise.resolve();
  });
});

Deno.test("A socket says why it cannot be bound", () => {
  const { sockets } = Libc.open();
  const fails = (path: string, errno: number) =>
    throws(
      () => sockets.bind(path),
      (error) => error instanceof SystemError && error.errno === errno,
    );
  fails("/nonexistent/socket", ERRNO.ENOENT);
  fails(`/${"x".repeat(107)}`, ERRNO.ENAMETOOLONG);
});

Deno.test("The groups of a peer are known, however many it has", {
  ignore: Deno.uid() !== 0 || !await hasPython(),
}, async () => {
  await withListener(async (path, fd, libc) => {
    libc.sockets.listen(fd, path, 8);
    for (const count of [0, 3, 500]) {
      const groups = Array.from({ length: count }, (_, index) => 2_000 + index);
      await using client = await connectAs(path, groups);
      const accepted = libc.sockets.accept(fd);
      deepEqual(libc.sockets.peerGroups(accepted).toSorted((a, b) => a - b), groups);
      equal(libc.sockets.peer(accepted).pid, client.pid);
      libc.sockets.close(accepted);
    }
  });
});

async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["-V"] }).output()).success;
  } catch {
    return false;
  }
}

async function connectAs(path: string, groups: readonly number[]) {
  const args = ["-c", CONNECT, path, ...groups.map(String)];
  const child = new Deno.Command("python3", { args, stdin: "piped", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await reader.cancel();
      await child.stdin.close();
      await child.status;
    },
  };
}
