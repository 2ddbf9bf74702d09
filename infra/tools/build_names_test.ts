import { deepEqual, equal, notDeepEqual, throws } from "node:assert/strict";
import { stableBundle } from "./build_names.ts";

/** A bundle as it comes of a build somewhere: paths and names tell where. */
function bundle(packages: string, chunk: string, page: string, body = "1"): Map<string, string> {
  return new Map([
    ["main.js", `import "./chunk-${chunk}.js";\nimport("./page-${page}.js");`],
    ["sub/worker.js", `import { a } from "../chunk-${chunk}.js";`],
    [`chunk-${chunk}.js`, `// ${packages}/registry.example/zod/4.0.0/index.js\nexport var a = 1;`],
    [`page-${page}.js`, `import { a } from "./chunk-${chunk}.js";\nconst b = ${body};`],
  ]);
}

const HERE = "../../home/user/.cache/deno/npm";
const THERE = "../.deno/npm";

Deno.test("stableBundle gives the same names and texts wherever it was bundled", () => {
  const here = stableBundle(bundle(HERE, "AAAAAAAA", "BBBBBBBB"), HERE);
  const there = stableBundle(bundle(THERE, "CCCCCCCC", "DDDDDDDD"), THERE);
  deepEqual([...here], [...there]);
  equal([...here.values()].some((text) => text.includes("// npm/zod/4.0.0/index.js")), true);
});

Deno.test("stableBundle keeps every reference pointing at what it pointed at", () => {
  const files = stableBundle(bundle(HERE, "AAAAAAAA", "BBBBBBBB"), HERE);
  const main = files.get("main.js") ?? "";
  const [, chunk = "", page = ""] = /"\.\/(chunk-.*?)".*"\.\/(page-.*?)"/s.exec(main) ?? [];
  equal(files.get(chunk), "// npm/zod/4.0.0/index.js\nexport var a = 1;");
  equal(files.get(page), `import { a } from "./${chunk}";\nconst b = 1;`);
  equal(files.get("sub/worker.js"), `import { a } from "../${chunk}";`);
});

Deno.test("stableBundle gives other content another name", () => {
  const one = stableBundle(bundle(HERE, "AAAAAAAA", "BBBBBBBB", "1"), HERE);
  const two = stableBundle(bundle(HERE, "AAAAAAAA", "BBBBBBBB", "2"), HERE);
  notDeepEqual([...one.keys()], [...two.keys()]);
});

Deno.test("stableBundle refuses chunks that nothing tells apart", () => {
  const files = new Map([["a-AAAAAAAA.js", "1"], ["a-BBBBBBBB.js", "1"]]);
  throws(() => stableBundle(files, HERE), /two chunks/);
});
