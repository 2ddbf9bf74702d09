import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { CommandError, hintOf } from "../../cache/platform/exit.ts";
import { Libc } from "../../cache/platform/libc.ts";
import { type ControlFiles, ControlSockets } from "./control_sockets.ts";

const ROOT = Deno.uid() === 0;

function inDirectory(
  sentence: string,
  body: (directory: string, libc: Libc) => void,
  ignore = false,
): void {
  Deno.test({
    name: `Control sockets ${sentence}`,
    ignore,
    fn() {
      const directory = Deno.makeTempDirSync({ prefix: "warpdrive-" });
      try {
        body(directory, Libc.open());
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}

function files(directory: string, changes: Partial<ControlFiles> = {}): ControlFiles {
  return { directory, removeDirectory: false, group: null, ...changes };
}

function modes(sockets: ControlSockets): readonly string[] {
  return (["admin", "user"] as const).map((name) =>
    ((Deno.statSync(sockets.path(name)).mode ?? 0) & 0o7777).toString(8)
  );
}

inDirectory("have their modes, in a directory that is made for them", (root, libc) => {
  using sockets = ControlSockets.open(files(`${root}/a/b`), libc);
  deepEqual(modes(sockets), ["600", "666"]);
});

inDirectory("are taken away with their directory when they are closed", (root, libc) => {
  ControlSockets.open(files(`${root}/a`, { removeDirectory: true }), libc)[Symbol.dispose]();
  deepEqual([...Deno.readDirSync(root)], []);
});

inDirectory("leave a directory that was chosen", (root, libc) => {
  ControlSockets.open(files(`${root}/a`), libc)[Symbol.dispose]();
  deepEqual([...Deno.readDirSync(root)].map(({ name }) => name), ["a"]);
  deepEqual([...Deno.readDirSync(`${root}/a`)], []);
});

inDirectory("of a mount that crashed are replaced", (root, libc) => {
  libc.close(libc.sockets.bind(`${root}/admin.sock`));
  libc.close(libc.sockets.bind(`${root}/user.sock`));
  ok(libc.sockets.connect(`${root}/user.sock`) < 0);
  using sockets = ControlSockets.open(files(root), libc);
  const fd = libc.sockets.connect(sockets.path("user"));
  ok(fd >= 0);
  libc.close(fd);
});

inDirectory("of a live mount are refused with who has them", (root, libc) => {
  using first = ControlSockets.open(files(root), libc);
  throws(() => ControlSockets.open(files(root), libc), (error) => {
    match(String(error), new RegExp(`the mount of process ${Deno.pid}, user ${Deno.uid()},`));
    match(hintOf(error) ?? "", /control\.name/);
    return error instanceof CommandError;
  });
  equal(libc.sockets.peer(libc.sockets.connect(first.path("user"))).pid, Deno.pid);
});

inDirectory("of a live program that does not lock are refused too", (root, libc) => {
  const path = `${root}/user.sock`;
  const fd = libc.sockets.bind(path);
  libc.sockets.listen(fd, path, 1);
  throws(() => ControlSockets.open(files(root), libc), /the mount of process/);
  libc.close(fd);
});

inDirectory("never replace a file that is no socket", (root, libc) => {
  Deno.writeTextFileSync(`${root}/admin.sock`, "precious");
  throws(() => ControlSockets.open(files(root), libc), /a file that is no socket is there/);
  equal(Deno.readTextFileSync(`${root}/admin.sock`), "precious");
});

inDirectory("are not made where others could replace them", (root, libc) => {
  Deno.chmodSync(root, 0o777);
  throws(() => ControlSockets.open(files(root), libc), /its mode 777 lets others replace them/);
  Deno.chmodSync(root, 0o1777);
  ControlSockets.open(files(root), libc)[Symbol.dispose]();
});

inDirectory("are not made in a directory of another user", (root, libc) => {
  Deno.chownSync(root, 12_345, 12_345);
  throws(() => ControlSockets.open(files(root), libc), /its owner, user 12345, lets others/);
}, !ROOT);

inDirectory("of an administrators' group are open to it", (root, libc) => {
  using sockets = ControlSockets.open(files(root, { group: "daemon" }), libc);
  deepEqual(modes(sockets), ["660", "666"]);
  equal(Deno.statSync(sockets.path("admin")).gid, sockets.adminGroup);
  equal(sockets.adminGroup, libc.accounts.groupId("daemon"));
}, !ROOT);

inDirectory("of a group that does not exist are refused", (root, libc) => {
  const group = "no-such-group";
  throws(() => ControlSockets.open(files(root, { group }), libc), /has no such group/);
});

inDirectory("with too long a path are refused", (root, libc) => {
  const directory = `${root}/${"x".repeat(100)}`;
  throws(() => ControlSockets.open(files(directory), libc), /Cannot make the control socket/);
});
