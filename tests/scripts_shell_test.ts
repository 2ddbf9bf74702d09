/** The shell scripts of `infra`, and what their documents say of them. */
import { deepEqual, equal } from "node:assert/strict";
import { readSource, REPOSITORY, repositoryFiles } from "../infra/tools/source_tree.ts";
import { run } from "./support/command.ts";

Deno.test("shellcheck finds nothing in any script", async () => {
  const scripts = repositoryFiles().filter((path) => path.endsWith(".sh") || path === ".ci/run")
    .map((path) => `${REPOSITORY}/${path}`);
  const found = await run(
    "shellcheck",
    ...["--external-sources", `--source-path=${REPOSITORY}`, ...scripts],
  );
  equal(found.stdout, "");
  equal(found.code, 0);
});

Deno.test("The README of Slurm and its example name every setting with its default", () => {
  const script = readSource("infra/slurm/slurm_settings.sh");
  const checked = [...script.matchAll(/^ {2}\[([A-Z_]+)\]='/gm)].map(([, name = ""]) => name);
  const defaults = assignments(script.slice(0, script.indexOf("declare -A")));
  deepEqual(Object.keys(defaults), checked);

  const rows = readSource("infra/slurm/README.md")
    .matchAll(/^\| `([A-Z_]+)` +\| (?:`([^`]*)`)? *\|/gm);
  deepEqual(
    Object.fromEntries([...rows].map(([, name = "", value = ""]) => [name, value])),
    defaults,
  );
  const { CONTROL_PATH: _empty, ...written } = defaults;
  deepEqual(assignments(readSource("infra/slurm/slurm.conf.example")), written);
});

Deno.test("The README of Azure's scripts names every setting with its default", () => {
  const script = readSource("infra/azure/00-env.sh");
  // Those of files beside the script are no settings of a person.
  const set = [...script.matchAll(/^: "\$\{([A-Z_]+):=(.*)\}"$/gm)]
    .filter(([, name]) => name !== "STATE_FILE");
  const rows = readSource("infra/azure/README.md")
    .matchAll(/^\| `([A-Z_]+)` +\| (?:`([^`]*)`)? *\|/gm);
  deepEqual(
    [...rows].map(([, name, value = ""]) => [name, value]).sort(),
    set.map(([, name, value]) => [name, value]).sort(),
  );
});

function assignments(text: string): Record<string, string> {
  const found = [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)];
  return Object.fromEntries(found.map(([, name = "", value = ""]) => [name, value]));
}
