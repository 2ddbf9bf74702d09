import { deepEqual } from "node:assert/strict";
import { configArgument } from "./config_of_mount.ts";

function argumentOf(...words: readonly string[]) {
  return configArgument(words.map((word) => `${word}\0`).join(""));
}

Deno.test("configArgument reads the flag in every form a mount takes", () => {
  const file = { kind: "file", path: "/etc/wd.yaml" } as const;
  deepEqual(argumentOf("/usr/bin/warpdrive", "mount", "--config", "/etc/wd.yaml"), file);
  deepEqual(argumentOf("warpdrive-mount", "-config", "/etc/wd.yaml"), file);
  deepEqual(argumentOf("warpdrive", "mount", "--config=/etc/wd.yaml", "--background"), file);
});

Deno.test("configArgument tells a mount of a URL from one of the default file", () => {
  deepEqual(argumentOf("warpdrive", "mount"), { kind: "default" });
  deepEqual(argumentOf("warpdrive", "mount", "azblob://acc/data", "/mnt"), { kind: "url" });
  deepEqual(argumentOf("deno", "run", "file:///main.ts", "mount"), { kind: "default" });
});
