import { deepEqual, equal } from "node:assert/strict";
import { compileGlob, hasPattern, matchesGlob } from "./glob.ts";

function matches(pattern: string, name: string): boolean {
  const [compiled] = compileGlob([pattern]);
  if (compiled?.kind === "literal") return compiled.name === name;
  return compiled?.kind === "pattern" && matchesGlob(compiled.tokens, name);
}

/** Pattern, names it stands for, names it does not. */
const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["*", ["a", "shard-1.tar", "ä"], [".hidden"]],
  ["*.tar", ["a.tar", "a.b.tar"], ["a.tar.gz", "tar", ".tar"]],
  [".*", [".hidden"], ["shown"]],
  ["shard-?.tar", ["shard-1.tar", "shard-é.tar"], ["shard-12.tar", "shard-.tar"]],
  ["shard-[0-3]", ["shard-0", "shard-3"], ["shard-4", "shard-"]],
  ["[!a]b", ["cb"], ["ab", "b"]],
  ["[^a]b", ["cb"], ["ab"]],
  ["[]x]", ["]", "x"], ["[", "y"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["[open", ["[open"], ["o"]],
  ["a\\*b", ["a*b"], ["axb"]],
  ["a**b", ["ab", "axxb"], ["a", "b"]],
  ["*a*b*c*", ["abc", "xaxbxcx", "aabbcc"], ["acb", "ab"]],
  ["", [], ["a"]],
];

for (const [pattern, those, others] of CASES) {
  Deno.test(`the pattern "${pattern}" stands for the names a shell finds by it`, () => {
    deepEqual(those.filter((name) => !matches(pattern, name)), []);
    deepEqual(others.filter((name) => matches(pattern, name)), []);
  });
}

Deno.test("a pattern of many stars is decided at once, however long the name is", () => {
  equal(matches(`${"*a".repeat(60)}*b`, "a".repeat(255)), false);
});

Deno.test("names without a pattern are told from those with one", () => {
  equal(hasPattern(["train", "a.tar"]), false);
  equal(hasPattern(["train", "*.tar"]), true);
  deepEqual(compileGlob(["train"]), [{ kind: "literal", name: "train" }]);
});

Deno.test("directories of any depth count once, however often they are asked for", () => {
  deepEqual(compileGlob(["**", "**", "a"]).map(({ kind }) => kind), ["any depth", "literal"]);
});
