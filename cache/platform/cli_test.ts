import { deepEqual, equal, match, throws } from "node:assert/strict";
import { createParser, doubleDashes, parseArguments } from "./cli.ts";
import { CommandError } from "./exit.ts";

function tool() {
  const written: string[] = [];
  const stdout = { isTerminal: false, write: (text: string) => void written.push(text) };
  const parser = createParser("tool", { stdout })
    .option("-c, --config <file>", "a file")
    .option("-r, --recursive", "all of it")
    .argument("[place]", "where");
  return { parser, written };
}

Deno.test("parseArguments gives options and operands", () => {
  deepEqual(parseArguments(tool().parser, ["--config", "a.yaml", "here", "-r"]), {
    kind: "parsed",
    options: { config: "a.yaml", recursive: true },
    operands: ["here"],
  });
});

Deno.test("parseArguments takes long flags with a single dash", () => {
  const parsed = parseArguments(tool().parser, ["-config=a.yaml", "-recursive"]);
  deepEqual(parsed, {
    kind: "parsed",
    options: { config: "a.yaml", recursive: true },
    operands: [],
  });
});

Deno.test("parseArguments prints help on stdout and says so", () => {
  const { parser, written } = tool();
  deepEqual(parseArguments(parser, ["--help"]), { kind: "help" });
  match(written.join(""), /^Usage: warpdrive tool \[options\] \[place\]/);
});

Deno.test("parseArguments turns a mistake into a usage error that suggests the flag", () => {
  const { parser, written } = tool();
  throws(() => parseArguments(parser, ["--confg", "x"]), (error) => {
    if (!(error instanceof CommandError)) return false;
    equal(error.code, "usage");
    equal(error.message, 'Cannot run "warpdrive tool": unknown option "--confg"');
    equal(error.hint, 'Did you mean --config? Run "warpdrive tool --help" for its options');
    return true;
  });
  deepEqual(written, []);
});

Deno.test("doubleDashes leaves short flags, unknown words and what follows -- alone", () => {
  const known = new Set(["--steps", "--seed"]);
  const args = ["-steps", "3", "-s", "-other", "-5", "--", "-seed"];
  deepEqual(doubleDashes(args, known), ["--steps", "3", "-s", "-other", "-5", "--", "-seed"]);
});
