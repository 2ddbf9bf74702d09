/** Types that are believed instead of checked, and state that belongs to nobody. */
import { isTest, repositoryPath } from "./place.ts";

/** Reports casts: what comes from outside is parsed, what is inside has its type already. */
export const casts: Deno.lint.Rule = {
  create(context) {
    const path = repositoryPath(context.filename);
    // libc.ts meets untyped memory and symbols; every cast there carries its reason.
    if (isTest(path) || path === "cache/platform/libc.ts") return {};
    const report = (node: Deno.lint.Node) =>
      context.report({
        node,
        message: "A cast believes what nothing checks",
        hint: "Parse unknown values at the edge, narrow with a type guard, or use satisfies",
      });
    return {
      TSAsExpression(node) {
        // The linter gives the type of `as const` no text of its own, so look at the whole.
        if (!/\bas\s+const$/.test(context.sourceCode.getText(node))) report(node);
      },
      TSTypeAssertion: report,
    };
  },
};

/** Reports variables of a module that change: hidden state that tests and mounts would share. */
export const moduleState: Deno.lint.Rule = {
  create(context) {
    if (isTest(repositoryPath(context.filename))) return {};
    return {
      VariableDeclaration(node) {
        const top = node.parent.type === "Program" || node.parent.type === "ExportNamedDeclaration";
        if (!top || (node.kind !== "let" && node.kind !== "var")) return;
        context.report({
          node,
          message: `A module-level ${node.kind} is state without an owner`,
          hint: "Keep it in a class or closure that is created and passed on",
        });
      },
    };
  },
};
