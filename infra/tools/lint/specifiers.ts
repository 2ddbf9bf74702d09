/** Import specifiers: one pinned version per package, and no file that only passes others on. */
import { repositoryPath } from "./place.ts";

/** Reports packages that are not pinned in deno.json, and registries the build does not use. */
export const specifiers: Deno.lint.Rule = {
  create(context) {
    const check = (node: Deno.lint.Node, specifier: unknown) => {
      if (typeof specifier !== "string") return;
      const scheme = /^(jsr|https?|npm|data|file):/.exec(specifier)?.[1];
      if (scheme === undefined) return;
      context.report({
        node,
        message: `Import "${specifier}": a ${scheme}: specifier bypasses the pins of deno.json`,
        hint: "Pin an npm package under imports in deno.json and import it by its bare name",
      });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source.value),
      ExportNamedDeclaration: (node) => check(node, node.source?.value),
      ExportAllDeclaration: (node) => check(node, node.source.value),
      ImportExpression(node) {
        if (node.source.type === "Literal") check(node, node.source.value);
      },
    };
  },
};

/** Reports re-exports and files named for passing on: they hide cycles and load what is unused. */
export const barrels: Deno.lint.Rule = {
  create(context) {
    const hint = "Import the file that defines the symbol";
    const message = "A re-export hides where a symbol is defined";
    return {
      Program(node) {
        const name = /(?:^|\/)((?:mod|index|utils|helpers|types|common)\.ts)$/
          .exec(repositoryPath(context.filename))?.[1];
        if (name === undefined) return;
        context.report({ node, message: `"${name}" names no concept`, hint });
      },
      ExportNamedDeclaration(node) {
        if (node.source !== null) context.report({ node, message, hint });
      },
      ExportAllDeclaration: (node) => context.report({ node, message, hint }),
    };
  },
};
