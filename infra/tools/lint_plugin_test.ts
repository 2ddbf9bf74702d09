import { deepEqual, equal, match } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { forbiddenImport, type ImportKind } from "./lint/layers.ts";
import { messageFault } from "./lint/messages.ts";
import plugin from "./lint_plugin.ts";

function lint(path: string, source: string): Deno.lint.Diagnostic[] {
  return Deno.lint.runPlugin(
    plugin,
    fileURLToPath(new URL(`../../${path}`, import.meta.url)),
    source,
  );
}

/** The rules that `source` at `path` breaks, in the order of the file. */
function rules(path: string, source: string): string[] {
  return lint(path, source).map((diagnostic) => diagnostic.id.replace("warpdrive/", ""));
}

const ARROWS: readonly [from: string, path: string, kind: ImportKind, allowed: boolean][] = [
  ["main.ts", "mount/command.ts", "lazy", true],
  ["main.ts", "mount/command.ts", "value", false],
  ["main.ts", "cache/platform/log.ts", "value", true],
  ["main.ts", "cache/block.ts", "value", false],
  ["mount/command.ts", "mount/fuse/session.ts", "value", true],
  ["mount/command.ts", "ctl/api.ts", "value", true],
  ["mount/command.ts", "ctl/client.ts", "value", false],
  ["mount/admin.ts", "cache/metrics/metrics.ts", "value", true],
  ["mount/admin.ts", "mount/fuse/session.ts", "value", false],
  ["mount/fuse/session.ts", "cache/platform/libc.ts", "value", true],
  ["mount/fuse/session.ts", "cache/block.ts", "type", false],
  ["mount/fuse/session.ts", "mount/config.ts", "type", false],
  ["mount/fs/filesystem.ts", "cache/backend/backend.ts", "value", true],
  ["mount/fs/filesystem.ts", "mount/fuse/messages.ts", "type", true],
  ["mount/fs/filesystem.ts", "mount/fuse/messages.ts", "value", false],
  ["mount/fs/filesystem.ts", "mount/fuse/ids.ts", "value", true],
  ["mount/fs/filesystem.ts", "mount/fuse/encode.ts", "type", false],
  ["mount/fs/filesystem.ts", "mount/namespace.ts", "value", true],
  ["ctl/verbs/warm.ts", "cache/warm.ts", "value", true],
  ["ctl/verbs/warm.ts", "mount/config.ts", "type", false],
  ["forge/train/loop.ts", "cache/platform/clock.ts", "value", true],
  ["forge/train/loop.ts", "cache/backend/open.ts", "value", false],
  ["forge/plan.ts", "ctl/client.ts", "value", true],
  ["forge/dataset/backend_target.ts", "cache/backend/open.ts", "value", true],
  ["bench/runner.ts", "cache/block_cache.ts", "value", false],
  ["cache/fetch/fetch.ts", "cache/backend/backend.ts", "value", true],
  ["cache/fetch/fetch.ts", "mount/fs/handles.ts", "type", false],
  ["cache/backend/azure/backend.ts", "cache/fetch/fetch.ts", "type", false],
  ["cache/platform/log.ts", "cache/backend/settings.ts", "type", false],
  ["cache/platform/version.ts", "deno.json", "value", true],
  ["cache/fetch/fetch.ts", "tests/support/azurite.ts", "value", false],
  ["cache/fetch/fetch.ts", "infra/tools/build.ts", "value", false],
  ["cache/fetch/fetch_test.ts", "tests/support/azurite.ts", "value", true],
  ["infra/demo/demo.ts", "mount/fuse/session.ts", "value", true],
  ["elsewhere/new.ts", "cache/block.ts", "value", false],
];

for (const [from, path, kind, allowed] of ARROWS) {
  Deno.test(`layers ${allowed ? "allow" : "forbid"} ${kind} import of ${path} in ${from}`, () => {
    equal(forbiddenImport(from, path, kind) === null, allowed);
  });
}

Deno.test("layers give the reason of the arrow", () => {
  const [found] = lint("mount/fuse/device.ts", `import { a } from "../../cache/block.ts";`);
  match(found?.message ?? "", /"cache\/block\.ts": mount\/fuse is wire only/);
});

Deno.test("layers see every way to import", () => {
  const source = [
    `import { a } from "../cache/a.ts";`,
    `const b = await import("../cache/b.ts");`,
    `type C = import("../cache/c.ts").C;`,
    `export { d } from "../cache/d.ts";`,
    `export * from "../cache/e.ts";`,
  ].join("\n");
  equal(rules("bench/runner.ts", source).filter((rule) => rule === "layers").length, 5);
});

Deno.test("layers take an import of types only for what it is, however it is written", () => {
  const path = "mount/fs/xattrs.ts";
  deepEqual(rules(path, `import type { A } from "../fuse/messages.ts";`), []);
  deepEqual(rules(path, `import { type A, type B } from "../fuse/messages.ts";`), []);
  deepEqual(rules(path, `import { type A, b } from "../fuse/messages.ts";`), ["layers"]);
});

Deno.test("ambient reports the clock, randomness and environment outside their places", () => {
  const source = "Date.now(); performance.now(); new Date(); Math.random(); Deno.env.get('A');" +
    "globalThis.Date.now(); Deno.exit(1); Deno.args;";
  equal(rules("cache/fetch/fetch.ts", source).length, 8);
  deepEqual(rules("main.ts", source), []);
  deepEqual(rules("mount/command.ts", source), []);
  deepEqual(rules("tests/posix_test.ts", source), []);
});

Deno.test("ambient lets the clock read time and a date be made from a number", () => {
  deepEqual(rules("cache/platform/clock.ts", "Date.now(); performance.now();"), []);
  deepEqual(rules("cache/fetch/fetch.ts", "new Date(0);"), []);
});

Deno.test("ambient keeps dlopen in one file, tests and roots included", () => {
  const source = `Deno.dlopen("libc.so.6", {});`;
  deepEqual(rules("main.ts", source), ["ambient"]);
  deepEqual(rules("tests/posix_test.ts", source), ["ambient"]);
  deepEqual(rules("cache/platform/libc.ts", source), []);
});

Deno.test("specifiers report unpinned packages and other registries", () => {
  for (const name of ["jsr:@std/path", "npm:yaml@2", "https" + "://host/x.ts"]) {
    deepEqual(rules("cache/a.ts", `import { a } from "${name}";`), ["specifiers"]);
    deepEqual(rules("tests/a_test.ts", `await import("${name}");`), ["specifiers"]);
  }
  deepEqual(rules("cache/a.ts", `import { parse } from "yaml"; import "node:fs";`), []);
});

Deno.test("barrels report re-exports and files named for nothing", () => {
  deepEqual(rules("cache/a.ts", `export { b } from "./b.ts";`), ["barrels"]);
  deepEqual(rules("cache/a.ts", `export * from "./b.ts";`), ["barrels"]);
  deepEqual(rules("cache/utils.ts", "export const a = 1;"), ["barrels"]);
  deepEqual(rules("cache/a.ts", "const b = 1; export { b };"), []);
});

Deno.test("promises report calls of the file's own async functions left as statements", () => {
  deepEqual(rules("cache/a.ts", "async function f() {} f();"), ["promises"]);
  deepEqual(rules("cache/a.ts", "const f = async () => {}; f();"), ["promises"]);
  deepEqual(rules("cache/a.ts", "class A { async #f() {} g() { this.#f(); } }"), ["promises"]);
  deepEqual(rules("cache/a.ts", "class A { async f() {} g() { this.f(); } }"), ["promises"]);
  deepEqual(rules("cache/a.ts", "async function f() {} await f();"), []);
  deepEqual(rules("cache/a.ts", "function f() {} f();"), []);
});

Deno.test("promises report chains and dropped promises without a reason", () => {
  deepEqual(rules("cache/a.ts", "p.then(() => {});"), ["promises"]);
  deepEqual(rules("cache/a.ts", "p.catch(() => {});"), ["promises"]);
  deepEqual(rules("cache/a.ts", "(async () => {})();"), ["promises"]);
  deepEqual(rules("cache/a.ts", "void p;"), ["promises"]);
  deepEqual(rules("cache/a.ts", "void p; // settles when the group closes"), []);
  deepEqual(rules("cache/a.ts", "// settles when the group closes\nvoid p;"), []);
  deepEqual(rules("cache/a.ts", "const q = p.then(() => {});"), []);
});

Deno.test("casts are reported outside libc.ts and tests, const assertions are not", () => {
  deepEqual(rules("cache/a.ts", "const a = b as string;"), ["casts"]);
  deepEqual(rules("cache/a.ts", "const a = [1] as const;"), []);
  deepEqual(rules("cache/platform/libc.ts", "const a = b as string;"), []);
});

Deno.test("module-state reports a module's variables that can change", () => {
  deepEqual(rules("cache/a.ts", "let a = 1; a += 1;"), ["module-state"]);
  deepEqual(rules("cache/a.ts", "export let a = 1;"), ["module-state"]);
  deepEqual(rules("cache/a.ts", "const a = 1; { let b = 2; b += 1; }"), []);
});

Deno.test("messages of errors follow the style", () => {
  equal(messageFault('Read "a": no such file'), null);
  equal(messageFault("{} is not a number"), null);
  equal(messageFault("cannot read"), "starts with a small letter");
  equal(messageFault("Cannot read."), "ends with a full stop");
  equal(messageFault("Can't read"), "has a contraction");
  deepEqual(rules("cache/a.ts", "throw new Error('oops');"), ["messages"]);
  deepEqual(rules("cache/a.ts", "throw new TypeError(`Bad ${x}.`);"), ["messages"]);
});
