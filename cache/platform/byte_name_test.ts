import assert from "node:assert/strict";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { decodeName, encodeName, isUnicodeName } from "./byte_name.ts";

const NAMES: readonly (readonly [what: string, bytes: readonly number[], name: string])[] = [
  ["ASCII", [0x61, 0x2e, 0x62], "a.b"],
  ["UTF-8", [0xc3, 0xa4, 0xf0, 0x9f, 0x98, 0x80], "ä😀"],
  ["a byte order mark, which is part of the name", [0xef, 0xbb, 0xbf, 0x61], "\ufeffa"],
  ["a byte that begins nothing", [0x61, 0xff, 0x62], "a\udcffb"],
  ["a sequence cut short", [0xc3], "\udcc3"],
  ["an overlong slash", [0xc0, 0xaf], "\udcc0\udcaf"],
  ["a surrogate in UTF-8", [0xed, 0xa0, 0x80], "\udced\udca0\udc80"],
  ["a code point above the last", [0xf4, 0x90, 0x80, 0x80], "\udcf4\udc90\udc80\udc80"],
  ["valid UTF-8 between other bytes", [0xff, 0xc3, 0xa4, 0xfe], "\udcffä\udcfe"],
];

for (const [what, bytes, name] of NAMES) {
  Deno.test(`names hold ${what}`, () => {
    assert.equal(decodeName(new Uint8Array(bytes)), name);
    assert.deepEqual([...encodeName(name)], [...bytes]);
  });
}

Deno.test("every sequence of bytes comes back from its name", async () => {
  await withSeed(1, (random) => {
    for (let count = 0; count < 20_000; count += 1) {
      const bytes = Uint8Array.from({ length: random.below(12) }, () => random.below(256));
      assert.deepEqual(encodeName(decodeName(bytes)), bytes);
    }
  });
});

Deno.test("names that no store can hold are told from those it can", () => {
  assert.equal(isUnicodeName("ä😀"), true);
  assert.equal(isUnicodeName(decodeName(new Uint8Array([0xff]))), false);
});
