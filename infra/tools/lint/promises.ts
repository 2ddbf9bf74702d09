/**
 * Promises left as statements. The linter knows no types, so this finds what syntax shows: calls
 * of async functions of the same file, promise chains, and `void` without a reason.
 */

const CHAIN = new Set(["then", "catch", "finally"]);
const HINT = "Await it, return it or add it to a TaskGroup";

/** The name by which a call in this file can be recognised: `f`, `this.f` or `this.#f`. */
function calledName(callee: Deno.lint.Expression): string | null {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression" || callee.object.type !== "ThisExpression") return null;
  return memberName(callee.property, "this.");
}

function memberName(key: Deno.lint.Node, prefix: string): string | null {
  if (key.type === "PrivateIdentifier") return `${prefix}#${key.name.replace(/^#/, "")}`;
  return key.type === "Identifier" ? `${prefix}${key.name}` : null;
}

/** Whether the line of `offset`, or the one above it, carries a comment. */
function hasComment(text: string, offset: number): boolean {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const lineEnd = text.indexOf("\n", offset);
  const above = text.slice(text.lastIndexOf("\n", lineStart - 2) + 1, lineStart);
  const line = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd);
  return /\/\/|\*\//.test(above + line);
}

/** Reports promises that nobody waits for. */
export const promises: Deno.lint.Rule = {
  create(context) {
    const asyncNames = new Set<string>();
    const calls: { readonly name: string; readonly node: Deno.lint.Node }[] = [];
    const visitStatement = (node: Deno.lint.ExpressionStatement) => {
      const expression = node.expression;
      if (expression.type === "UnaryExpression" && expression.operator === "void") {
        if (hasComment(context.sourceCode.text, node.range[0])) return;
        const message = "A promise is dropped with void and no comment says why that is right";
        return context.report({ node, message, hint: HINT });
      }
      if (expression.type !== "CallExpression") return;
      const callee = expression.callee;
      const name = calledName(callee);
      if (name !== null) calls.push({ name, node });
      const chained = callee.type === "MemberExpression" &&
        callee.property.type === "Identifier" && CHAIN.has(callee.property.name);
      const immediate = callee.type === "ArrowFunctionExpression" && callee.async;
      if (!chained && !immediate) return;
      context.report({ node, message: "A promise is left as a statement", hint: HINT });
    };
    return {
      ExpressionStatement: visitStatement,
      FunctionDeclaration(node) {
        if (node.async && !node.generator && node.id !== null) asyncNames.add(node.id.name);
      },
      VariableDeclarator(node) {
        const init = node.init;
        const isFunction = init?.type === "ArrowFunctionExpression" ||
          init?.type === "FunctionExpression";
        if (isFunction && init.async && node.id.type === "Identifier") asyncNames.add(node.id.name);
      },
      MethodDefinition(node) {
        const name = memberName(node.key, "this.");
        if (node.value.async && !node.value.generator && name !== null) asyncNames.add(name);
      },
      "Program:exit"() {
        for (const { name, node } of calls) {
          if (!asyncNames.has(name)) continue;
          context.report({ node, message: `The promise of ${name}() is not awaited`, hint: HINT });
        }
      },
    };
  },
};
