import { ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { V8_FLAGS } from "./v8_flags.ts";

const Tasks = z.object({ tasks: z.object({ warpdrive: z.object({ command: z.string() }) }) });

Deno.test("the program from source runs with the engine's flags of the compiled one", () => {
  const path = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const { tasks } = Tasks.parse(JSON.parse(Deno.readTextFileSync(path)));
  ok(tasks.warpdrive.command.includes(` ${V8_FLAGS} `), tasks.warpdrive.command);
});
