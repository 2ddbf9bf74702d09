import { deepEqual, equal, match } from "node:assert/strict";
import { VERSION } from "../../cache/platform/version.ts";
import { CLI_CASES } from "./cases.ts";
import { programCommand, runProgram } from "./run_program.ts";

for (const { title, args, config, variables, code, stdout, stderr } of CLI_CASES) {
  Deno.test(`warpdrive ${title}`, async () => {
    const files = config === undefined ? {} : { "config.yaml": config };
    deepEqual(await runProgram(args, files, variables ?? {}), {
      code,
      stdout: stdout ?? "",
      stderr: stderr ?? "",
    });
  });
}

for (const name of ["mount", "umount", "ctl", "forge", "bench", "version"]) {
  Deno.test(`warpdrive shows the help of ${name} in both ways`, async () => {
    const help = await runProgram([name, "--help"], {}, {});
    equal(help.code, 0);
    equal(help.stderr, "");
    match(help.stdout, new RegExp(`^Usage: warpdrive ${name} `));
    deepEqual(await runProgram(["help", name], {}, {}), help);
  });
}

Deno.test("warpdrive shows the help of a command of ctl in three ways", async () => {
  const help = await runProgram(["ctl", "doctor", "--help"], {}, {});
  equal(help.code, 0);
  match(help.stdout, /^Usage: warpdrive ctl doctor /);
  deepEqual(await runProgram(["ctl", "help", "doctor"], {}, {}), help);
  deepEqual(await runProgram(["help", "ctl", "doctor"], {}, {}), help);
});

Deno.test("warpdrive shows its version, and its commit when it was built from one", async () => {
  const { code, stdout } = await runProgram(["--version"], {}, {});
  equal(code, 0);
  match(stdout, new RegExp(`^warpdrive ${VERSION}( \\(\\S+\\))?\n$`));
});

Deno.test("warpdrive version tells people and programs the same", async () => {
  const { code, stdout } = await runProgram(["version", "--json"], {}, {});
  equal(code, 0);
  const facts = JSON.parse(stdout);
  deepEqual(Object.keys(facts), ["version", "commit", "runtime", "target", "features"]);
  equal(facts.version, VERSION);
  match(facts.commit, /^(source|unknown|[0-9a-f]{12}(-dirty)?)$/);
  match(facts.runtime, /^deno \d+\.\d+\.\d+, v8 \d+/);
  equal(facts.target, Deno.build.target);
  deepEqual(facts.features.filter((name: string) => name === "local"), ["local"]);
  equal(facts.features.includes("compiled"), facts.commit !== "source");
  const text = await runProgram(["version"], {}, {});
  deepEqual(text.stdout.split("\n"), [
    ...["version", "commit", "runtime", "target"].map((name) => `${name.padEnd(9)}${facts[name]}`),
    `features ${facts.features.join(", ")}`,
    "",
  ]);
});

Deno.test("warpdrive prints stack traces only under --debug", async () => {
  const { stderr: plain } = await runProgram(["bench", "--readers", "0"], {}, {});
  const { stderr: debug } = await runProgram(["bench", "--readers", "0", "--debug"], {}, {});
  equal(plain.includes("    at "), false);
  equal(debug.startsWith(plain), true);
  match(debug, /\n {4}at /);
});

Deno.test("warpdrive exits with 130 when a signal stops it", async () => {
  using store = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${directory}/config.yaml`,
      `mount_point: ${directory}/mnt
metrics: {enabled: false}
backends:
- name: a
  type: azureblob
  config: {account: acc, root: data, endpoint: "http://127.0.0.1:${store.addr.port}/acc"}
  auth: {method: none}
`,
    );
    const args = ["mount", "--check", "--config", "config.yaml"];
    await using program = programCommand(args, directory, {}).spawn();
    // The program now waits for an answer that never comes.
    using _connection = await store.accept();
    program.kill("SIGINT");
    const { code, stdout, stderr } = await program.output();
    const decoder = new TextDecoder();
    deepEqual(
      [code, decoder.decode(stdout), decoder.decode(stderr)],
      [130, "", "Stopped by SIGINT\n"],
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
