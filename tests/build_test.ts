/** The compiled program, as a user runs it. `deno task test binary` builds it first. */
import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { COMMANDS } from "../main.ts";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import manifest from "../deno.json" with { type: "json" };

const BINARY = join(REPOSITORY, "dist", "warpdrive");

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(program: string, ...args: string[]): Promise<Result> {
  // An empty environment and another directory: the binary brings everything it needs.
  const output = await new Deno.Command(program, {
    args,
    clearEnv: true,
    cwd: "/",
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}

Deno.test("the binary says which version and commit it is", async () => {
  const { code, stdout } = await run(BINARY, "--version");
  equal(code, 0);
  match(
    stdout,
    new RegExp(`^warpdrive ${manifest.version} \\(([0-9a-f]{12}(-dirty)?|unknown)\\)\n$`),
  );
});

Deno.test("the binary lists every command in its help", async () => {
  const { code, stdout, stderr } = await run(BINARY, "--help");
  deepEqual([code, stderr], [0, ""]);
  for (const { name } of COMMANDS) match(stdout, new RegExp(`^ +${name} `, "m"));
});

for (const { name } of COMMANDS) {
  Deno.test(`the binary loads ${name} when asked for its help`, async () => {
    const { code, stdout, stderr } = await run(BINARY, name, "--help");
    deepEqual([code, stderr], [0, ""]);
    match(stdout, new RegExp(`warpdrive ${name}`));
  });
}

Deno.test("the binary answers a command it does not have with exit code 2 and a hint", async () => {
  const { code, stdout, stderr } = await run(BINARY, "mont");
  deepEqual([code, stdout], [2, ""]);
  match(stderr, /no such command\nHint: Did you mean "mount"\?\n$/);
});

Deno.test("the binary answers a missing configuration with exit code 2 and no stack", async () => {
  const { code, stderr } = await run(BINARY, "mount", "--config", "/does/not/exist.yaml");
  equal(code, 2);
  match(stderr, /does\/not\/exist\.yaml/);
  equal(/^\s+at /m.test(stderr), false, stderr);
});

for (const name of ["mount", "ctl", "bench", "forge"]) {
  Deno.test(`the binary runs ${name} when PATH leads to it through the link of that`, async () => {
    const directory = await Deno.makeTempDir();
    try {
      await Deno.symlink(BINARY, join(directory, `warpdrive-${name}`));
      const { code, stdout } = await run(
        "/usr/bin/env",
        `PATH=${directory}`,
        `warpdrive-${name}`,
        "--help",
      );
      equal(code, 0);
      match(stdout, new RegExp(`^Usage: warpdrive ${name} `));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
