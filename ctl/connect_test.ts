import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { FakeClock } from "../tests/support/fake_clock.ts";
import { STATUS } from "./api_status.ts";
import { ControlClient } from "./client.ts";
import { ask, isNoMount, realPath, whereabouts } from "./connect.ts";
import { CommandError } from "../cache/platform/exit.ts";
import { ControlError } from "./control_error.ts";

const NEVER = new AbortController().signal;

Deno.test("a mount is named by a flag, by a path below it, or is the only one", () => {
  deepEqual(whereabouts({}, null), { kind: "only" });
  deepEqual(whereabouts({}, "/mnt/a"), { kind: "path", path: "/mnt/a" });
  deepEqual(whereabouts({ config: "c.yaml" }, "/mnt/a"), { kind: "config", file: "c.yaml" });
  deepEqual(whereabouts({ socket: "/run/s" }, "/mnt/a"), { kind: "socket", path: "/run/s" });
  throws(() => whereabouts({ socket: "/run/s", config: "c.yaml" }, null), { code: "usage" });
});

Deno.test("a mount that is stopped keeps nobody waiting for ever", async () => {
  const root = await Deno.makeTempDir({ prefix: "warpdrive-connect-" });
  try {
    const socket = `${root}/stopped.sock`;
    // Takes connections, as the kernel does for a stopped process, and says nothing.
    using _listener = Deno.listen({ transport: "unix", path: socket });
    const clock = new FakeClock();
    const asking = ask(new ControlClient(socket), STATUS, {}, { clock, signal: NEVER });
    const failing = rejects(asking, { code: "no_answer", message: /no answer within 60s$/ });
    await clock.advance(60_000);
    await failing;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("a path is known without its links, as far as it is there", async () => {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "warpdrive-connect-" }));
  try {
    await Deno.mkdir(`${root}/real`);
    await Deno.symlink(`${root}/real`, `${root}/link`);
    const clock = new FakeClock();
    equal(await realPath(`${root}/link`, clock), `${root}/real`);
    equal(await realPath(`${root}/link/gone/file`, clock), `${root}/real/gone/file`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("that no mount runs is known from what finding and asking say", () => {
  deepEqual(
    [
      new ControlError("no_mount", "m", null),
      new CommandError("failed", "m", null),
      new ControlError("forbidden", "m", null),
      new CommandError("usage", "m", null),
      new Error("m"),
    ].map(isNoMount),
    [true, true, false, false, false],
  );
});
