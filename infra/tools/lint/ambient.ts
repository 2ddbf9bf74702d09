/** What the machine offers to everybody and our code takes as a parameter instead. */
import { isCompositionRoot, isInfra, isTest, repositoryPath } from "./place.ts";

interface Ambient {
  /** Dotted name as written. */
  readonly name: string;
  /** The one file whose job it is; null when only composition roots may use it. */
  readonly home: string | null;
  /** Whether composition roots, tests and tools may use it too. */
  readonly roots: boolean;
  readonly instead: string;
}

const CLOCK = "cache/platform/clock.ts";

const AMBIENT: readonly Ambient[] = [
  { name: "Date.now", home: CLOCK, roots: true, instead: "take a Clock and call wallMs()" },
  { name: "performance.now", home: CLOCK, roots: true, instead: "take a Clock" },
  { name: "Math.random", home: null, roots: true, instead: "take the random source" },
  { name: "Deno.env", home: null, roots: true, instead: "take the value wanted" },
  { name: "process.env", home: null, roots: true, instead: "take the value wanted" },
  { name: "Deno.args", home: null, roots: true, instead: "take the arguments" },
  { name: "Deno.exit", home: null, roots: true, instead: "return an exit code or throw" },
  {
    name: "Deno.dlopen",
    home: "cache/platform/libc.ts",
    roots: false,
    instead: "call a typed function of cache/platform/libc.ts",
  },
];

function allowed(path: string, ambient: Ambient): boolean {
  if (path === ambient.home) return true;
  return ambient.roots && (isCompositionRoot(path) || isTest(path) || isInfra(path));
}

/** Reports clocks, randomness, environment, dlopen and exit outside the places made for them. */
export const ambient: Deno.lint.Rule = {
  create(context) {
    const path = repositoryPath(context.filename);
    const where = (row: Ambient) => row.home ?? "main.ts and the command.ts files";
    return {
      MemberExpression(node) {
        const text = context.sourceCode.getText(node).replace(/^globalThis\./, "");
        const row = AMBIENT.find((candidate) => candidate.name === text);
        if (row === undefined || allowed(path, row)) return;
        context.report({ node, message: `${row.name} is for ${where(row)}`, hint: row.instead });
      },
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || node.callee.name !== "Date") return;
        const clock = AMBIENT.find((row) => row.name === "Date.now");
        if (node.arguments.length > 0 || clock === undefined || allowed(path, clock)) return;
        context.report({
          node,
          message: `new Date() without arguments reads the clock, which is for ${CLOCK}`,
          hint: clock.instead,
        });
      },
    };
  },
};
