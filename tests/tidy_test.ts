/** The habits of the repository that a machine can check, beyond what the linter sees. */
import { fail } from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { functionLengths, importsOf } from "../infra/tools/lint/measure.ts";
import { readSource, repositoryFiles } from "../infra/tools/source_tree.ts";
import { suiteOf } from "../infra/tools/suites.ts";

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
const COLUMNS_MAX = 100;
/** Sources of the product side by side; more are several concepts that want a folder each. */
const FOLDER_SOURCES_MAX = 40;

/** Sources that may exceed a limit, each with its reason. Keep it empty. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map();

const FILES = repositoryFiles();
const SOURCES = FILES.filter((path) => path.endsWith(".ts"));
const LIMITED = SOURCES.filter((path) => !EXCEPTIONS.has(path));
const TEXTS = FILES.filter((path) => !/\.(png|svg|ico|gz|tar|lock|bin)$/.test(path));

/** Lines of `paths` that `pattern` matches, as `path:line: match`. */
function matches(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    readSource(path).split("\n").flatMap((line, index) => {
      const found = pattern.exec(line);
      return found === null ? [] : [`${path}:${index + 1}: ${found[0].trim()}`];
    })
  );
}

/** Fails with every one of `found`, uncut. */
function none(found: readonly string[]): void {
  if (found.length > 0) fail(`\n  ${found.join("\n  ")}`);
}

Deno.test("files have at most 400 lines", () => {
  const lengths = LIMITED.map((path) => ({ path, lines: readSource(path).split("\n").length - 1 }));
  const long = lengths.filter(({ lines }) => lines > FILE_LINES_MAX);
  none(long.map(({ path, lines }) => `${path}: ${lines} lines`));
});

Deno.test("functions have at most 70 lines", () => {
  const long = LIMITED.flatMap((path) =>
    functionLengths(path, readSource(path))
      .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
      .map(({ line, lines }) => `${path}:${line}: ${lines} lines`)
  );
  none(long);
});

Deno.test("folders of the product have at most 40 sources side by side", () => {
  const product = SOURCES.filter((path) =>
    !path.startsWith("tests/") && !path.endsWith("_test.ts")
  );
  const full = Map.groupBy(product, dirname).entries()
    .filter(([, paths]) => paths.length > FOLDER_SOURCES_MAX);
  none([...full].map(([folder, paths]) => `${folder}: ${paths.length} sources`));
});

Deno.test("lines have at most 100 columns", () => {
  none(matches(LIMITED, new RegExp(`^.{${COLUMNS_MAX + 1},}$`, "u")));
});

Deno.test("nothing is marked as unfinished", () => {
  // Put together here so that this file does not match itself.
  const marks = ["FIX" + "ME", "TO" + "DO", "XX" + "X", "HA" + "CK"];
  none(matches(TEXTS, new RegExp(`\\b(${marks.join("|")})\\b`)));
});

Deno.test("no path of one machine and no registry host is written down", () => {
  const paths = ["wo" + "rk", "ro" + "ot", "tm" + "p/w"];
  const hosts = ["registry.npm" + "js", "py" + "pi\\.org", "proxy.go" + "lang", "npm" + "mirror"];
  const pattern = `(?<![\\w.}*-])/(${paths.join("|")})/|${hosts.join("|")}`;
  none(matches(TEXTS, new RegExp(pattern)));
});

Deno.test("every source is imported or is an entry point", () => {
  const imported = new Set<string>();
  for (const importer of SOURCES) {
    for (const specifier of importsOf(importer, readSource(importer))) {
      const path = normalize(join(dirname(importer), specifier));
      // A part of the product that only its own test uses is as dead as one that nobody uses.
      const ownTest = importer === path.replace(/\.ts$/, "_test.ts");
      if (!ownTest || path.startsWith("tests/")) imported.add(path);
    }
  }
  const named = readSource("deno.json") + readSource(".ci/run");
  const dead = SOURCES.filter((path) =>
    !path.endsWith("_test.ts") && !imported.has(path) && !named.includes(path)
  );
  none(dead);
});

Deno.test("no file stands for a folder, and dependencies are pinned in deno.json only", () => {
  const names = /(^|\/)(package\.json|package-lock\.json|mod\.ts|index\.ts|utils\.ts|helpers\.ts)$/;
  none(FILES.filter((path) => names.test(path)));
});

Deno.test("documents name sources that exist", () => {
  const documents = FILES.filter((path) => path.endsWith(".md") && !path.startsWith("changelog/"));
  none(
    documents.flatMap((document) =>
      [...readSource(document).matchAll(/`([a-z0-9_/]+\.(?:ts|sh|py))`/g)]
        .map(([, source = ""]) => source)
        .filter((source) => !FILES.some((path) => `/${path}`.endsWith(`/${source}`)))
        .map((source) => `${document}: ${source}`)
    ),
  );
});

Deno.test("every test file is run by a suite", () => {
  const tests = SOURCES.filter((path) => path.endsWith("_test.ts"));
  none(tests.filter((path) => suiteOf(path) === undefined));
  const lost = matches(SOURCES.filter((path) => !path.endsWith("_test.ts")), /^Deno\.test\(/);
  none(lost.filter((line) => !/^tests\/[a-z_/]+\.ts:/.test(line)));
});

Deno.test("exceptions name files that exist", () => {
  none([...EXCEPTIONS.keys()].filter((path) => !SOURCES.includes(path)));
});
