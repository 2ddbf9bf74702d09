import { equal, throws } from "node:assert/strict";
import { commonJsImports } from "./build_imports.ts";

/** What became of `importer`, which imports `chunk`. */
function linked(importer: string, chunk: string): string {
  const files = new Map([["sub/main.js", importer], ["part-AAAAAAAA.js", chunk]]);
  return commonJsImports(files).get("sub/main.js") ?? "";
}

/** What `importer` comes to where `chunk` is what it imports. */
async function run(importer: string, chunk: string): Promise<unknown> {
  const url = `data:text/javascript,${encodeURIComponent(chunk)}`;
  const text = linked(importer, chunk).replace("../part-AAAAAAAA.js", url);
  return (await import(`data:text/javascript,${encodeURIComponent(text)}`)).found;
}

const COMMONJS = `
var require_part = () => ({ f: () => 1, get later() { return 2; } });
export default require_part();
`;
const MODULE = "var f = 1;\nvar g = 2;\nexport {\n  f,\n  g as h\n};\n";

Deno.test("commonJsImports gives who imports CommonJS its names, as Deno itself does", async () => {
  const names = 'const { f, later: two } = await import("../part-AAAAAAAA.js");\n';
  equal(await run(`${names}export const found = f() + two;`, COMMONJS), 3);
  const whole = 'const part = await import("../part-AAAAAAAA.js");\n';
  equal(await run(`${whole}export const found = part.default.f();`, COMMONJS), 1);
  const member = '(await import("../part-AAAAAAAA.js")).f()';
  equal(await run(`export const found = ${member};`, COMMONJS), 1);
});

Deno.test("commonJsImports gives functions for modules, too", async () => {
  const chunk = "var require_part = () => Object.assign(() => 1, { f: 2 });\n" +
    "export default require_part();\n";
  const names = 'const { default: part, f } = await import("../part-AAAAAAAA.js");\n';
  equal(await run(`${names}export const found = part() + f;`, chunk), 3);
});

Deno.test("commonJsImports leaves modules as they are", () => {
  const importers = [
    'const { f, h: other } = await import("../part-AAAAAAAA.js");',
    'const f = (await import("../part-AAAAAAAA.js")).h;',
    'import("../part-AAAAAAAA.js").then((part) => part.f);',
    'import("node:fs"), import("./elsewhere.js");',
  ];
  for (const importer of importers) equal(linked(importer, MODULE), importer);
});

Deno.test("commonJsImports refuses an import of names that the other does not export", () => {
  const none = "export default 1;\n";
  const refused = [
    ['const { f, i } = await import("../part-AAAAAAAA.js");', MODULE, /"i" .* "part-AAAAAAAA\.js"/],
    ['const j = (await import("../part-AAAAAAAA.js")).j;', MODULE, /"j" .* "part-AAAAAAAA\.js"/],
    ['const { f } = await import("../part-AAAAAAAA.js");', none, /"f"/],
    // What it does with them is not seen here, and there is but one name.
    ['import("../part-AAAAAAAA.js").then(({ f }) => f);', none, /part-AAAAAAAA/],
  ] as const;
  for (const [importer, chunk, message] of refused) throws(() => linked(importer, chunk), message);
  const named = '(await import("../part-AAAAAAAA.js")).default';
  equal(linked(named, none), named);
});
