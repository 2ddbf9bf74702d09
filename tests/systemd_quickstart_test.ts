/** The commands of docs/quickstart.md, copied from the page into a machine without WarpDrive. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { BootedSystem } from "./support/booted_system.ts";
import { binaryPath } from "./support/installed_agent.ts";

const PAGE = `${REPOSITORY}/docs/quickstart.md`;
/** The directory of the project on that machine: what was built, and the units. */
const PROJECT = "/home/admin/warpdrive";
/** Words a reader replaces. */
const NAMES: readonly (readonly [written: RegExp, meant: string])[] = [
  // The store of the page is in Azure, where no test is; tests/azure_*_test.ts have that part.
  [
    /type: azureblob\n.*\n.*method: managed_identity.*\n/,
    "type: local\n    config: { root: /srv/images }\n",
  ],
];

interface Block {
  readonly section: string;
  readonly kind: string;
  readonly text: string;
}

/** The fenced blocks of the page, each with the heading above it. */
function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let section = "";
  for (const [, heading, kind, text] of page.matchAll(/^## (.+)$|^```(\w*)\n([^]*?)^```$/gm)) {
    if (heading !== undefined) section = heading;
    else if (text !== undefined) blocks.push({ section, kind: kind ?? "", text });
  }
  return blocks;
}

/** A shell that stops at the first command that fails, where `sudo` has nothing to do. */
function scriptOf(commands: string): string {
  // The demo and the build have tests of their own, and want a network.
  const lines = commands.split("\n").filter((line) => !line.startsWith("npx "));
  return ["set -e", 'sudo() { "$@"; }', "export HOME=/root", `cd ${PROJECT}`, ...lines].join("\n");
}

Deno.test("Every command of the quickstart does what the page says", async (t) => {
  const blocks = blocksOf(await Deno.readTextFile(PAGE));
  ok(blocks.length >= 6);
  deepEqual([...new Set(blocks.map(({ kind }) => kind))].sort(), ["sh", "yaml"]);
  await using system = await BootedSystem.boot(async (root) => {
    for (const name of ["reference", "images"]) {
      await Deno.mkdir(`${root}/srv/${name}`, { recursive: true });
      await Deno.writeTextFile(`${root}/srv/${name}/file`, name);
    }
    await Deno.mkdir(`${root}${PROJECT}/dist`, { recursive: true });
    for (const suffix of ["", ".sha256"]) {
      await Deno.copyFile(binaryPath() + suffix, `${root}${PROJECT}/dist/warpdrive${suffix}`);
    }
    await Deno.mkdir(`${root}${PROJECT}/infra/systemd`, { recursive: true });
    for (const { name } of Deno.readDirSync(`${REPOSITORY}/infra/systemd`)) {
      const from = `${REPOSITORY}/infra/systemd/${name}`;
      await Deno.copyFile(from, `${root}${PROJECT}/infra/systemd/${name}`);
    }
  });
  const outputs: string[] = [];
  for (const { section, kind, text } of blocks) {
    await t.step(`${section}: ${text.split("\n")[0]}`, async () => {
      const meant = NAMES.reduce((all, [written, name]) => all.replace(written, name), text);
      const script = kind === "sh"
        ? scriptOf(meant)
        : `mkdir -p /etc/warpdrive && cat > /etc/warpdrive/config.yaml <<'END'\n${meant}END`;
      const { code, stdout, stderr } = await system.run("bash", "-c", script);
      equal(code, 0, `${text}\n${stdout}\n${stderr}`);
      outputs.push(stdout);
    });
  }
  const said = outputs.join("\n");
  match(said, /^warpdrive: OK$/m);
  match(said, / file$/m);
  match(said, /^images\nreference$/m);
  match(said, /"Serving 2 backends at \/wd"/);
  match(said, /^warpdrive_cache_/m);
});
