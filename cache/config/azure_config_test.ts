import { equal } from "node:assert/strict";
import { AZURE_CONFIG, defaultAzureEndpoint } from "./azure_config.ts";

Deno.test("AZURE_CONFIG takes the container names that Azure allows", () => {
  const { root } = AZURE_CONFIG.shape;
  for (const name of ["abc", "coco2017-wds", "$root", "$web", "a".repeat(63)]) {
    equal(root.safeParse(name).success, true, name);
  }
  for (const name of ["ab", "Data", "a--b", "-ab", "ab-", "a_b", "$other", "a".repeat(64), "a/b"]) {
    equal(root.safeParse(name).success, false, name);
  }
});

Deno.test("defaultAzureEndpoint is the public cloud", () => {
  equal(defaultAzureEndpoint("acc"), "https://acc.blob.core.windows.net");
});
