/** The control sockets of real mounts: who may ask what, and what is left of them afterwards. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { STATUS } from "../ctl/api_status.ts";
import { SOCKET_ATTRIBUTE } from "../ctl/api_sockets.ts";
import { ControlClient } from "../ctl/client.ts";
import { ControlError } from "../ctl/control_error.ts";
import { type FindDeps, findSocket } from "../ctl/find_socket.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { ERRNO } from "../cache/platform/errno.ts";
import { Libc } from "../cache/platform/libc.ts";
import { installed, run } from "./support/command.ts";
import { parseAnswer, readToEnd, writeText } from "./support/control_fixture.ts";
import { mount, Mounted, mountTest, ROOT } from "./support/mounted.ts";
import { OrdinaryUser, USER_ID } from "./support/ordinary_user.ts";
import { createPlace, mountsBelow, type Place } from "./support/place.ts";
import { Posix } from "./support/posix.ts";

const NEVER = new AbortController().signal;
const NOBODY = [`--reuid=${USER_ID}`, `--regid=${USER_ID}`, "--clear-groups"];
const CURL = installed("curl");

async function fill(source: string): Promise<void> {
  await Deno.writeTextFile(`${source}/file`, "content");
}

function socketOf({ root }: Place, name: "admin" | "user"): string {
  return `${root}/control/${name}.sock`;
}

async function modeOf(path: string): Promise<string> {
  return (((await Deno.stat(path)).mode ?? 0) & 0o7777).toString(8);
}

/** The names in the directory of the sockets; null when that is gone. */
async function leftAt({ root }: Place): Promise<readonly string[] | null> {
  try {
    return (await Array.fromAsync(Deno.readDir(`${root}/control`))).map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Sends one request as raw text. */
async function raw(socket: string, text: string) {
  using client = await Deno.connect({ transport: "unix", path: socket });
  await writeText(client, text);
  return parseAnswer(await readToEnd(client));
}

const FIND: FindDeps = {
  env: { get: () => undefined },
  readTextFile: (path) => Deno.readTextFileSync(path),
  libc: Libc.open(),
  clock: systemClock,
  bases: [],
};

mountTest("Control sockets of a mount", { fill }, async (mounted, step) => {
  const { place, path, data, program } = mounted;
  const admin = socketOf(place, "admin");
  const user = socketOf(place, "user");
  await step("are for the mounting user, and for everybody", async () => {
    deepEqual([await modeOf(admin), await modeOf(user)], ["600", "666"]);
    equal(await modeOf(`${place.root}/control`), "755");
  });
  await step("are found by a path below the mount and by its configuration", async () => {
    equal(await findSocket({ kind: "path", path: `${data}/file` }, FIND), admin);
    equal(await findSocket({ kind: "path", path: `${data}/not/there` }, FIND), admin);
    const file = `${place.root}/config.yaml`;
    equal(await findSocket({ kind: "config", file }, FIND), admin);
  });
  await step("are told by an attribute of the root alone", async () => {
    using posix = new Posix();
    equal(await posix.attribute(path, SOCKET_ATTRIBUTE), user);
    equal(await posix.attribute(data, SOCKET_ATTRIBUTE), -ERRNO.ENODATA);
  });
  await step("tell on both what the mount is and how it does", async () => {
    for (const socket of [admin, user]) {
      const client = new ControlClient(socket);
      const { mount, kernel, cache, backends } = await client.call(STATUS, {}, NEVER);
      equal(mount.mount_point, path);
      equal(mount.pid, program.pid);
      equal(mount.uid, Deno.uid());
      equal(kernel.release, Deno.osRelease());
      equal(kernel.passthrough, mounted.passthrough);
      match(kernel.protocol, /^7\.\d+$/);
      equal(cache, null);
      equal(backends.length, 1);
      const [{ latency_ms, ...backend } = { latency_ms: null }] = backends;
      ok(latency_ms !== null && latency_ms > 0);
      deepEqual(backend, {
        ...{ name: "data", type: "local", mount_path: "data", state: "healthy" },
        ...{ reason: null, since: null, credential_expires: null },
        ...{ names_from: "store", silent_reason: null, silent_since: null },
      });
    }
  });
});

mountTest("Control sockets of a mount in use", { fill }, async ({ place, path, data }, step) => {
  const admin = socketOf(place, "admin");
  const user = socketOf(place, "user");
  await step("count what is open", async () => {
    const client = new ControlClient(admin);
    const before = (await client.call(STATUS, {}, NEVER)).mount.open_files;
    using _file = await Deno.open(`${data}/file`);
    equal((await client.call(STATUS, {}, NEVER)).mount.open_files, before + 1);
  });
  await step("name both versions to a client of another one", async () => {
    const { status, body } = await raw(user, "GET /v2/status HTTP/1.1\r\n\r\n");
    equal(status, 400);
    match(body, /version 2 of the API, this mount speaks 1/);
  });
  await step("do not wait for a client that is slow", async () => {
    using slow = await Deno.connect({ transport: "unix", path: user });
    await writeText(slow, "GET /v1/status HTTP/1.1\r\n");
    const client = new ControlClient(user);
    equal((await client.call(STATUS, {}, NEVER)).mount.mount_point, path);
    equal(await Deno.readTextFile(`${data}/file`), "content");
    await writeText(slow, "\r\n");
    equal(parseAnswer(await readToEnd(slow)).status, 200);
  });
  await step("limit how often a user asks on the open one, and not the administrator", async () => {
    const client = new ControlClient(user);
    const ask = () => client.call(STATUS, {}, NEVER);
    const flood = async () => {
      for (;;) await Promise.all(Array.from({ length: 50 }, ask));
    };
    await rejects(
      flood(),
      (error) => error instanceof ControlError && error.code === "rate_limited",
    );
    const administrator = new ControlClient(admin);
    equal((await administrator.call(STATUS, {}, NEVER)).mount.mount_point, path);
    equal(await Deno.readTextFile(`${data}/file`), "content");
  });
});

mountTest(
  "Control sockets and other users",
  { fill },
  async ({ place }, step) => {
    const ask = (name: "admin" | "user") =>
      run(
        "setpriv",
        ...NOBODY,
        "curl",
        "--silent",
        "--show-error",
        "--unix-socket",
        socketOf(place, name),
        "http://mount/v1/status",
      );
    await step("let them ask on the open one", async () => {
      if (!CURL) return;
      const { code, stdout } = await ask("user");
      equal(code, 0);
      equal(JSON.parse(stdout).version, 1);
    }, "as root");
    await step("keep them out of the other", async () => {
      if (!CURL) return;
      const { code, stdout } = await ask("admin");
      equal(code, 7);
      equal(stdout, "");
    }, "as root");
    await step("know who they are even if the file lets them in", async () => {
      if (!CURL) return;
      await Deno.chmod(socketOf(place, "admin"), 0o666);
      const { stdout } = await ask("admin");
      equal(JSON.parse(stdout).error.code, "forbidden");
      match(JSON.parse(stdout).error.message, new RegExp(`as user ${USER_ID}: `));
    }, "as root");
  },
);

Deno.test({
  name: "Members of control.group use the administrator's socket",
  ignore: !ROOT || !CURL,
  async fn() {
    await using place = await createPlace();
    const control = { path: `${place.root}/control`, group: String(USER_ID) };
    await using _mounted = await Mounted.start(place, { config: { control } });
    equal(await modeOf(socketOf(place, "admin")), "660");
    const asMember = ["--reuid=12345", "--regid=12345", `--groups=${USER_ID}`];
    const { stdout } = await run(
      "setpriv",
      ...asMember,
      "curl",
      "--silent",
      "--unix-socket",
      socketOf(place, "admin"),
      "http://mount/v1/status",
    );
    equal(JSON.parse(stdout).mount.mount_point, place.mountPoint);
  },
});

Deno.test("Sockets have their modes and a passable directory whatever the umask", async () => {
  await using place = await createPlace();
  const control = { path: `${place.root}/control/deeper` };
  const before = Deno.umask(0o077);
  try {
    await using _mounted = await Mounted.start(place, { config: { control } });
    const paths = ["", "/deeper", "/deeper/admin.sock", "/deeper/user.sock"];
    const modes = await Promise.all(paths.map((path) => modeOf(`${place.root}/control${path}`)));
    deepEqual(modes, ["755", "755", "600", "666"]);
  } finally {
    Deno.umask(before);
  }
});

Deno.test("Status tells of the cache", async () => {
  await using place = await createPlace();
  const path = `${place.root}/cache`;
  await using _mounted = await Mounted.start(place, {
    config: { cache: { path, max_size: "1GiB", policy: "lru" } },
  });
  const client = new ControlClient(socketOf(place, "user"));
  deepEqual((await client.call(STATUS, {}, NEVER)).cache, {
    ...{ path, policy: "lru", state: "working", reason: null, since: null },
    ...{ used_bytes: 0, size_bytes_max: 1024 ** 3, objects: 0, pinned_bytes: 0 },
  });
});

Deno.test("A mount that ends takes its sockets away, whoever still asks", async () => {
  await using mounted = await mount({ fill });
  using client = await Deno.connect({ transport: "unix", path: socketOf(mounted.place, "user") });
  await writeText(client, "GET /v1/status");
  equal(await mounted.stop("SIGTERM"), 0);
  equal(await readToEnd(client), "");
  deepEqual(await leftAt(mounted.place), []);
});

Deno.test("The sockets of a mount that was killed are replaced by the next", async () => {
  await using place = await createPlace();
  await fill(place.source);
  {
    await using killed = await Mounted.start(place, {});
    await killed.stop("SIGKILL");
  }
  deepEqual(await leftAt(place), ["admin.sock", "user.sock"]);
  const dead = new ControlClient(socketOf(place, "user"));
  await rejects(dead.call(STATUS, {}, NEVER), { code: "no_mount" });
  await using mounted = await Mounted.start(place, {});
  const client = new ControlClient(socketOf(place, "user"));
  equal((await client.call(STATUS, {}, NEVER)).mount.pid, mounted.program.pid);
});

Deno.test("A mount is not made with the sockets of another, and says whose they are", async () => {
  await using first = await mount({ fill });
  await using place = await createPlace();
  const control = { path: `${first.place.root}/control` };
  const starting = Mounted.start(place, { config: { control } });
  await rejects(starting, (error: Error) => {
    const text = `${error.message}\n${error.cause}`;
    match(text, new RegExp(`the mount of process ${first.program.pid}, user ${Deno.uid()},`));
    return /exit code 1/.test(text);
  });
  deepEqual(await mountsBelow(place.root), []);
  const client = new ControlClient(socketOf(first.place, "user"));
  equal((await client.call(STATUS, {}, NEVER)).mount.pid, first.program.pid);
});

function userTest(
  sentence: string,
  body: (place: Place, user: OrdinaryUser, args: readonly string[]) => Promise<void>,
): void {
  Deno.test({
    name: sentence,
    ignore: !ROOT || !CURL || !installed("fusermount3"),
    async fn() {
      await using place = await createPlace();
      await fill(place.source);
      await using user = await OrdinaryUser.enter(place);
      const config = await place.configure({
        mount_point: place.mountPoint,
        metrics: { enabled: false },
        backends: [{ name: "data", type: "local", config: { root: place.source } }],
      });
      await body(place, user, ["mount", "--config", config]);
    },
  });
}

userTest("A user's mount has its sockets in the user's session", async (place, user, args) => {
  const session = `${place.root}/session`;
  await Deno.mkdir(session, { mode: 0o700 });
  await Deno.chown(session, USER_ID, USER_ID);
  await using program = user.start(args, { XDG_RUNTIME_DIR: session });
  await program.ready();
  const directory = `${session}/warpdrive/${place.mountPoint.slice(1).replaceAll("/", "-")}`;
  const { uid } = await Deno.stat(`${directory}/admin.sock`);
  deepEqual([uid, await modeOf(`${directory}/admin.sock`)], [USER_ID, "600"]);
  const asked = ["curl", "--silent", "--unix-socket", `${directory}/admin.sock`];
  const { stdout } = await user.run(...asked, "http://mount/v1/status");
  const { mount } = JSON.parse(stdout);
  deepEqual([mount.uid, mount.mount_point], [USER_ID, place.mountPoint]);
  program.signal("SIGTERM");
  equal(await program.exit(), 0);
  deepEqual(await Array.fromAsync(Deno.readDir(`${session}/warpdrive`)), []);
});

userTest("A user without a session mounts without sockets", async (place, user, args) => {
  await using program = user.start(args);
  await program.ready();
  const record = await program.logged(
    "that there are none",
    ({ message }) => message === "Mount without control sockets",
  );
  match(String(record.fields["reason"]), /XDG_RUNTIME_DIR is not set/);
  equal((await user.run("cat", `${place.mountPoint}/data/file`)).stdout, "content");
});
