/** Our own lint rules, loaded by `deno lint` through deno.json. */
import { ambient } from "./lint/ambient.ts";
import { casts, moduleState } from "./lint/discipline.ts";
import { layers } from "./lint/layers.ts";
import { messages } from "./lint/messages.ts";
import { promises } from "./lint/promises.ts";
import { barrels, specifiers } from "./lint/specifiers.ts";

const plugin: Deno.lint.Plugin = {
  name: "warpdrive",
  rules: {
    layers,
    ambient,
    specifiers,
    barrels,
    promises,
    casts,
    "module-state": moduleState,
    messages,
  },
};

export default plugin;
