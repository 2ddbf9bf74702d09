/** Error messages: a capital letter first, no full stop last, no contractions. */
import { isTest, repositoryPath } from "./place.ts";

const ERRORS = new Set([
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "AssertionError",
  "QueueFullError",
]);

/** What is wrong with `message`; null when nothing is. A `{}` stands for an inserted value. */
export function messageFault(message: string): string | null {
  if (/^[a-z]/.test(message)) return "starts with a small letter";
  if (/[^.]\.$/.test(message)) return "ends with a full stop";
  if (/\b\w+(n't|'ll|'re|'ve)\b/.test(message)) return "has a contraction";
  return null;
}

/** Reports the messages of built-in errors that do not follow the style. */
export const messages: Deno.lint.Rule = {
  create(context) {
    // The errors that tests make up are read by nobody.
    if (isTest(repositoryPath(context.filename))) return {};
    return {
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || !ERRORS.has(node.callee.name)) return;
        const argument = node.arguments[0];
        const text = argument?.type === "Literal" && typeof argument.value === "string"
          ? argument.value
          : argument?.type === "TemplateLiteral"
          ? argument.quasis.map((quasi) => quasi.cooked).join("{}")
          : null;
        const fault = text === null ? null : messageFault(text);
        if (fault === null) return;
        context.report({
          node,
          message: `An error message ${fault}`,
          hint: 'Write: action, quoted subject, colon, current state and wanted state ("Read ' +
            '"x.yaml": no such file")',
        });
      },
    };
  },
};
