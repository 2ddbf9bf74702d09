/** What ansible-lint says of the role, and whether its documents say the same as its defaults. */
import { deepEqual, equal } from "node:assert/strict";
import { parse } from "yaml";
import { readSource, REPOSITORY } from "../infra/tools/source_tree.ts";
import { pythonPrograms } from "./support/python_tools.ts";

const ROLE = "infra/ansible/roles/warpdrive";

Deno.test("ansible-lint finds nothing at the profile for production", async () => {
  const programs = await pythonPrograms("ansible-lint", [
    "ansible-lint==26.10.1",
    "ansible-core==2.19.14",
  ]);
  const home = await Deno.makeTempDir();
  try {
    const { code, stdout, stderr } = await new Deno.Command(`${programs}/ansible-lint`, {
      args: ["--offline", "--nocolor", "--profile=production", "."],
      cwd: `${REPOSITORY}/infra/ansible`,
      env: {
        ...{ PATH: `${programs}:${Deno.env.get("PATH") ?? ""}`, HOME: home },
        ...{ ANSIBLE_HOME: home, XDG_CACHE_HOME: home, PYTHONDONTWRITEBYTECODE: "1" },
      },
    }).output();
    const decoder = new TextDecoder();
    equal(code, 0, decoder.decode(stdout) + decoder.decode(stderr));
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("The role's README and its checks of arguments name every default", () => {
  const defaults: Record<string, unknown> = parse(readSource(`${ROLE}/defaults/main.yaml`));
  const { argument_specs: specs } = parse(readSource(`${ROLE}/meta/argument_specs.yml`));
  const options: Record<string, { description: string }> = specs.main.options;
  deepEqual(Object.keys(options), Object.keys(defaults));

  const rows = [
    ...readSource("infra/ansible/README.md")
      .matchAll(/^\| `(warpdrive_\w+)` +\| (?:`(.*?)`)? *\| (.*?) *\|$/gm),
  ].map(([, name, value = "", meaning]) => [name, value.replace("\\|", "|"), meaning]);
  deepEqual(
    rows,
    Object.entries(defaults).map(([name, value]) => [
      name,
      typeof value === "object" ? JSON.stringify(value) : String(value),
      options[name]?.description,
    ]),
  );
});
