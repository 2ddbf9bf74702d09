import { deepEqual, equal, throws } from "node:assert/strict";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { componentsOf, type Part, sbomOf } from "./sbom.ts";

const BUNDLE = [
  "// npm/zod/4.6.7/index.js\nvar a;",
  '// npm/@azure/storage-blob/12.34.0_1/dist/a.js\n"npm/zod/4.6.7/b.js"(exports) {}',
];
const INTEGRITY = "sha512-AAECAw==";
const LOCK = JSON.stringify({
  npm: {
    "zod@4.6.7": { integrity: INTEGRITY },
    "@azure/storage-blob@12.34.0_@azure+core-client@1.11.2": { integrity: INTEGRITY },
    "ajv@8.17.1": { integrity: INTEGRITY },
  },
});

Deno.test("componentsOf names the packages whose code is in the bundle, and no others", () => {
  deepEqual(componentsOf(BUNDLE, LOCK, () => "MIT"), [
    { name: "@azure/storage-blob", version: "12.34.0", sha512: "00010203", license: "MIT" },
    { name: "zod", version: "4.6.7", sha512: "00010203", license: "MIT" },
  ]);
});

Deno.test("componentsOf refuses a package that the lock file does not have", () => {
  throws(() => componentsOf(["// npm/left-pad/1.3.0/index.js"], LOCK, () => null), /left-pad/);
});

const PARTS: readonly Part[] = [
  { name: "@azure/storage-blob", version: "12.34.0", sha512: "00".repeat(64), license: "MIT" },
  { name: "own", version: "1.0.0", sha512: "11".repeat(64), license: "SEE LICENSE IN file" },
  { name: "none", version: "1.0.0", sha512: "22".repeat(64), license: null },
];
const PROGRAM = {
  version: "0.1.0",
  commit: "0123456789ab",
  sha256: "33".repeat(32),
  runtime: "2.6.10",
  target: "x86_64-unknown-linux-gnu",
};

Deno.test("sbomOf writes what the official schema of CycloneDX 1.6 accepts", async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  const text = sbomOf(PROGRAM, PARTS);
  equal(await validator.validate(text), null);
  equal(await validator.validate(text.replace('"library"', '"book"')) === null, false);
});

Deno.test("sbomOf tells purl, hash and license of each part, and of the runtime", () => {
  const { components } = JSON.parse(sbomOf(PROGRAM, PARTS));
  const scoped = components.find((part: { name: string }) => part.name === "storage-blob");
  equal(scoped.group, "@azure");
  equal(scoped.purl, "pkg:npm/%40azure/storage-blob@12.34.0");
  deepEqual(scoped.hashes, [{ alg: "SHA-512", content: "00".repeat(64) }]);
  deepEqual(scoped.licenses, [{ license: { id: "MIT" } }]);
  const runtime = components.find((part: { name: string }) => part.name === "deno");
  equal(runtime.purl, "pkg:github/denoland/deno@v2.6.10");
});

Deno.test("sbomOf writes the same for the same build", () => {
  equal(sbomOf(PROGRAM, PARTS), sbomOf(PROGRAM, PARTS.toReversed()));
});
