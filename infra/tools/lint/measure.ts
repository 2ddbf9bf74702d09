/**
 * Facts about a source, found with the linter's parser. `Deno.lint.runPlugin` exists under
 * `deno test` only.
 */

/** A function and how many lines it covers. */
export interface FunctionLength {
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly lines: number;
}

/** A plugin that reports what `visitor` finds, as messages. */
function collector(visitor: (report: Report) => Deno.lint.LintVisitor): Deno.lint.Plugin {
  return {
    name: "measure",
    rules: {
      facts: {
        create: (context) => visitor((node, message) => context.report({ node, message })),
      },
    },
  };
}

type Report = (node: Deno.lint.Node, message: string) => void;

/** Every function of `source`, with its length. */
export function functionLengths(path: string, source: string): FunctionLength[] {
  const plugin = collector((report) => ({
    FunctionDeclaration: (node) => report(node, ""),
    FunctionExpression: (node) => report(node, ""),
    ArrowFunctionExpression: (node) => report(node, ""),
  }));
  return Deno.lint.runPlugin(plugin, path, source).map(({ range: [start, end] }) => ({
    line: source.slice(0, start).split("\n").length,
    lines: source.slice(start, end).split("\n").length,
  }));
}

/** The relative specifiers in `source`: imports of every kind, and `new URL(…)` of Workers. */
export function importsOf(path: string, source: string): string[] {
  const plugin = collector((report) => ({
    ImportDeclaration: (node) => report(node, node.source.value),
    ExportNamedDeclaration: (node) => report(node, node.source?.value ?? ""),
    ExportAllDeclaration: (node) => report(node, node.source.value),
    Literal: (node) => {
      const parent = node.parent.type;
      const dynamic = parent === "ImportExpression" || parent === "NewExpression" ||
        parent === "TSLiteralType";
      if (dynamic && typeof node.value === "string") report(node, node.value);
    },
  }));
  return Deno.lint.runPlugin(plugin, path, source)
    .map((diagnostic) => diagnostic.message)
    .filter((specifier) => /^\.{1,2}\//.test(specifier));
}
