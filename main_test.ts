import { deepEqual, equal } from "node:assert/strict";
import { COMMANDS, expandLinkName } from "./main.ts";

Deno.test("every command of the table loads", async () => {
  for (const { name, load } of COMMANDS) {
    const command = await load();
    equal(typeof command.run, "function", name);
  }
});

Deno.test("expandLinkName runs the command that a link is named for", () => {
  deepEqual(expandLinkName("/usr/local/bin/warpdrive-mount", ["-config", "x"]), [
    "mount",
    "-config",
    "x",
  ]);
  deepEqual(expandLinkName("warpdrive-control", ["--config", "x"]), [
    "ctl",
    "serve",
    "--config",
    "x",
  ]);
  deepEqual(expandLinkName("./warpdrive", ["mount"]), ["mount"]);
  deepEqual(expandLinkName("constructor", ["mount"]), ["mount"]);
});
