import { deepEqual } from "node:assert/strict";
import { SecretVariables } from "./environment.ts";

Deno.test("secrets may be forgotten but where a library looks for them itself", () => {
  const variables = new SecretVariables();
  for (const name of ["STORE_KEY", "AWS_SECRET_ACCESS_KEY", "STORE_KEY"]) variables.note(name);
  const deleted: string[] = [];
  variables.forgetIn({ get: () => "secret", delete: (name) => deleted.push(name) });
  deepEqual(deleted, ["STORE_KEY"]);
});
