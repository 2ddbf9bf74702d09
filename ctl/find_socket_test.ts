import { equal, rejects } from "node:assert/strict";
import { systemClock } from "../cache/platform/clock.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { type FindDeps, findSocket } from "./find_socket.ts";

/** A runtime directory with sockets that are listened on, by their path in it. */
class Runtime implements AsyncDisposable {
  readonly root = Deno.makeTempDirSync({ prefix: "warpdrive-" });
  /** Value of the socket attribute by path. */
  readonly attributes = new Map<string, string>();
  readonly #listeners: Deno.UnixListener[] = [];

  listen(path: string): string {
    const socket = `${this.root}/${path}`;
    Deno.mkdirSync(socket.replace(/\/[^/]*$/, ""), { recursive: true });
    this.#listeners.push(Deno.listen({ transport: "unix", path: socket }));
    return socket;
  }

  get deps(): FindDeps {
    return {
      env: { get: () => undefined },
      bases: [`${this.root}/session`, `${this.root}/system`],
      readTextFile: (path) => Deno.readTextFileSync(path),
      libc: {
        attributeLater: (path) => {
          const value = this.attributes.get(path);
          return Promise.resolve(value === undefined ? null : new TextEncoder().encode(value));
        },
      },
      clock: systemClock,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    await Deno.remove(this.root, { recursive: true });
  }
}

function failsWith(pattern: RegExp) {
  return (error: unknown) => error instanceof CommandError && pattern.test(error.message);
}

Deno.test("findSocket takes a named socket, or the better one of a directory", async () => {
  await using runtime = new Runtime();
  const admin = runtime.listen("d/admin.sock");
  const user = runtime.listen("d/user.sock");
  const { deps } = runtime;
  equal(await findSocket({ kind: "socket", path: user }, deps), user);
  equal(await findSocket({ kind: "socket", path: `${runtime.root}/d` }, deps), admin);
});

Deno.test("findSocket walks up from a path to a mount that says where they are", async () => {
  await using runtime = new Runtime();
  const admin = runtime.listen("d/admin.sock");
  runtime.attributes.set(runtime.root, `${runtime.root}/d/user.sock`);
  const path = `${runtime.root}/data/not/there`;
  equal(await findSocket({ kind: "path", path }, runtime.deps), admin);
  const outside = findSocket({ kind: "path", path: "/nowhere/at/all" }, runtime.deps);
  await rejects(outside, failsWith(/no directory above it is the root of one/));
});

Deno.test("findSocket follows a configuration, whose default place it works out", async () => {
  await using runtime = new Runtime();
  const { root, deps } = runtime;
  const file = `${root}/config.yaml`;
  const asked = { kind: "config", file } as const;
  await Deno.writeTextFile(file, "mount_point: /mnt/data\nbackends: []\n");
  await rejects(
    findSocket(asked, deps),
    failsWith(/nothing is at ".*session\/mnt-data" or ".*system\/mnt-data"/),
  );
  const admin = runtime.listen("system/mnt-data/admin.sock");
  equal(await findSocket(asked, deps), admin);
  await Deno.writeTextFile(file, `mount_point: /mnt/data\ncontrol: {path: ${root}/own}\n`);
  equal(await findSocket(asked, deps), `${root}/own/admin.sock`);
  await Deno.writeTextFile(file, "mount_point: /mnt/data\ncontrol: {enabled: false}\n");
  await rejects(findSocket(asked, deps), failsWith(/control\.enabled is false/));
  await Deno.writeTextFile(file, "mount_point: data\n");
  await rejects(findSocket(asked, deps), failsWith(/wanted an absolute path/));
});

Deno.test("findSocket takes the only mount there is, and asks when there are more", async () => {
  await using runtime = new Runtime();
  const { deps } = runtime;
  await rejects(findSocket({ kind: "only" }, deps), failsWith(/none runs/));
  runtime.listen("session/one/user.sock");
  const admin = runtime.listen("session/one/admin.sock");
  // Left behind by a mount that crashed.
  await Deno.mkdir(`${runtime.root}/session/dead`);
  equal(await findSocket({ kind: "only" }, deps), admin);
  runtime.listen("system/two/user.sock");
  await rejects(findSocket({ kind: "only" }, deps), failsWith(/there are 2, at .*one, .*two/));
});
