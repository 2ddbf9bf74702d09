import { deepEqual, equal } from "node:assert/strict";
import { formatProblem } from "./config_problem.ts";
import { readYaml } from "./yaml_source.ts";

function problemsOf(text: string): string[] {
  return readYaml(text).problems.map((problem) => formatProblem("f", problem));
}

Deno.test("readYaml gives every scalar as the text a person wrote", () => {
  const text = "mode: 0444\nflag: true\nquoted: '5'\nlist: [1, {x: y}]\nnothing:\nempty: ''\n";
  deepEqual(readYaml(text).value, {
    mode: "0444",
    flag: "true",
    quoted: "5",
    list: ["1", { x: "y" }],
    nothing: undefined,
    empty: "",
  });
});

Deno.test("readYaml knows where each key is, and where the parent of a missing one", () => {
  const source = readYaml("a:\n  b: 1\nlist:\n  - x: 2\n");
  deepEqual(source.position(["a", "b"]), { line: 2, column: 3 });
  deepEqual(source.position(["list", 0, "x"]), { line: 4, column: 5 });
  deepEqual(source.position(["list", 0, "missing"]), { line: 4, column: 5 });
  deepEqual(source.position(["nowhere"]), { line: 1, column: 1 });
});

Deno.test("readYaml follows aliases", () => {
  deepEqual(readYaml("a: &x {k: v}\nb: *x\n").value, { a: { k: "v" }, b: { k: "v" } });
  deepEqual(problemsOf("a: *gone\n"), [
    'f:1:1: a: alias "*gone" has no anchor "&gone" before it',
  ]);
});

Deno.test("readYaml ends when aliases unfold without end", () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const items = level === 0 ? "x" : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array(9).fill(items).join(", ")}]`;
  });
  equal(problemsOf(levels.join("\n") + "\n").length, 1);
});

Deno.test("readYaml reports a key that is given twice, with the line of the first", () => {
  deepEqual(problemsOf("a: 1\nb: 2\na: 3\n"), [
    "f:3:1: a: given twice, first on line 1: keep one of them",
  ]);
});

Deno.test("readYaml explains what is not YAML by line and column", () => {
  deepEqual(problemsOf("a:\n\tb: 1\n"), [
    "f:2:1: not YAML: a tab cannot indent a line, use spaces",
  ]);
  deepEqual(problemsOf("a: b: c\n"), [
    'f:1:4: not YAML: two ": " on one line, put the value in quotes',
  ]);
  deepEqual(problemsOf("a: 1\n---\nb: 2\n"), [
    'f:2:1: not one document: remove the "---" that begins a second one',
  ]);
});

Deno.test("readYaml quotes nothing of a text that is not YAML", () => {
  for (const text of ["a: [secret\n", "secret\nb: c\n", "a: 'secret\n", "a: @secret\n"]) {
    const problems = problemsOf(text);
    equal(problems.length > 0, true, text);
    equal(problems.join("\n").includes("secret"), false, problems.join("\n"));
  }
});

Deno.test("readYaml gives no value for an empty file", () => {
  equal(readYaml("").value, undefined);
  equal(readYaml("# only a remark\n").value, undefined);
});
