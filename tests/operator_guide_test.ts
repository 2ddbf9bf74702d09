/** Holds docs/operator-guide.md to what there is: metrics, settings and commands by their names. */
import { deepEqual, ok } from "node:assert/strict";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { runProgram } from "./cli/run_program.ts";

const read = (name: string) => Deno.readTextFile(`${REPOSITORY}/docs/${name}`);

/** What `page` names in code that `pattern` matches. */
function named(page: string, pattern: RegExp): string[] {
  return [...new Set([...page.matchAll(pattern)].map(([, name]) => name ?? ""))].sort();
}

Deno.test("the operator guide names only metrics that are documented", async () => {
  const known = await read("metrics.md");
  const metrics = named(
    await read("operator-guide.md"),
    /\b((?:warpdrive|process)_[a-z_]+[a-z])\b/g,
  );
  ok(metrics.length > 5);
  deepEqual(
    metrics.filter((name) => !known.includes(`\`${name.replace(/_(bucket|count|sum)$/, "")}\``)),
    [],
  );
});

Deno.test("the operator guide names only settings that are documented", async () => {
  const known = await read("configuration.md");
  const settings = named(
    await read("operator-guide.md"),
    /`((?:cache|fuse|metrics|control)\.[a-z_]+)`/g,
  );
  ok(settings.length > 3);
  const unknown = settings.filter((setting) => {
    const [section = "", key = ""] = setting.split(".");
    const part = known.split(/^## /m).find((text) => text.startsWith(`${section}\n`)) ?? "";
    return !part.includes(`\`${key}\``);
  });
  deepEqual(unknown, []);
});

Deno.test("the operator guide names only commands that there are", async () => {
  const commands = named(await read("operator-guide.md"), /\bwarpdrive ctl ([a-z][a-z-]+)/g);
  ok(commands.length > 5);
  const { stdout } = await runProgram(["ctl", "--help"], {}, {});
  deepEqual(commands.filter((command) => !new RegExp(`^  ${command}\\b`, "m").test(stdout)), []);
});

Deno.test("the operator guide leads to pages that there are", async () => {
  const links = named(await read("operator-guide.md"), /\]\(([^)#:]+)[^)]*\)/g);
  const lost = links.filter((link) => {
    try {
      return !Deno.statSync(`${REPOSITORY}/docs/${link}`).isFile;
    } catch {
      return true;
    }
  });
  deepEqual(lost, []);
});
