import { equal } from "node:assert/strict";
import { CTL_COMMANDS } from "./command.ts";

Deno.test("every command of ctl loads, and has its section in docs/ctl.md", async () => {
  const docs = await Deno.readTextFile(new URL("../docs/ctl.md", import.meta.url));
  for (const { name, load } of CTL_COMMANDS) {
    equal(
      typeof (await load(() => Promise.reject(new Error("Nobody loads")))).run,
      "function",
      name,
    );
    equal(docs.includes(`\n## ${name}\n`), true, `docs/ctl.md has no section "${name}"`);
  }
});
