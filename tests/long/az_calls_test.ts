/** Azure's own command line, from PyPI, parses every call the scripts of `infra/azure` make. */
import { deepEqual, equal, match } from "node:assert/strict";
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import { type Call, shapeOf } from "../support/az_stand_in.ts";
import type { CommandResult } from "../support/command.ts";
import { pythonPrograms } from "../support/python_tools.ts";
import recorded from "../support/az_calls.json" with { type: "json" };

Deno.test("The real az parses every call of the scripts", async () => {
  const { code, stdout, stderr } = await parse(recorded);
  equal(code, 0, stdout + stderr);
  deepEqual(
    stdout.trim().split("\n"),
    recorded.map((call) => shapeOf(call).replace(/ --.*/, "")),
  );
});

Deno.test("The real az refuses a call with an option it does not have", async () => {
  const { code, stdout } = await parse([["group", "exists", "--name", "a", "--colour", "b"]]);
  equal(code, 1);
  match(stdout, /^refused: group exists/);
});

/** Nothing is asked of any cloud: parsing ends before a call is made. */
async function parse(calls: readonly Call[]): Promise<CommandResult> {
  const programs = await pythonPrograms("azure-cli", ["azure-cli==2.91.0"]);
  const home = await Deno.makeTempDir();
  try {
    const child = new Deno.Command(`${programs}/python`, {
      args: [`${REPOSITORY}/tests/support/az_parse.py`],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { HOME: home, AZURE_CONFIG_DIR: home, AZURE_CORE_COLLECT_TELEMETRY: "no" },
    }).spawn();
    const writer = child.stdin.getWriter();
    const lines = calls.map((call) => `${JSON.stringify(call)}\n`).join("");
    await writer.write(new TextEncoder().encode(lines));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}
