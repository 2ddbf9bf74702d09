/** Holds docs/control-api.md and the contract to one another. */
import { deepEqual } from "node:assert/strict";
import { ERROR_STATUS } from "./api.ts";

const PAGE = await Deno.readTextFile(new URL("../docs/control-api.md", import.meta.url));

Deno.test("control-api.md lists every code of an error with its status", () => {
  const documented = [...PAGE.matchAll(/^\| `([a-z_]+)` +\| (\d{3}) /gm)]
    .map(([, code, status]) => [code, Number(status)]);
  deepEqual(Object.fromEntries(documented), ERROR_STATUS);
});
