import assert from "node:assert/strict";
import { compare, parseManifest } from "./manifest.ts";

const MD5 = "d41d8cd98f00b204e9800998ecf8427e";
const OTHER = "0".repeat(32);

Deno.test("parseManifest reads what md5sum and sha256sum write", () => {
  const text = `${MD5}  a.tar\n${MD5} *sub/b.tar\n\\${MD5}  new\\nline\\\\\n\n`;
  const { digest, expected } = parseManifest("/data/MD5SUMS", text);
  assert.equal(digest, "md5");
  assert.deepEqual([...expected.keys()], ["/data/a.tar", "/data/sub/b.tar", "/data/new\nline\\"]);
  const long = parseManifest("/data/x", `${"a".repeat(64)}  /elsewhere/c`);
  assert.equal(long.digest, "sha256");
});

Deno.test("parseManifest says which line is no checksum", () => {
  assert.throws(() => parseManifest("/m", `${MD5}  a\nhello`), /"\/m": line 2 is no checksum/);
  assert.throws(() => parseManifest("/m", "\n"), /it is empty/);
  assert.throws(
    () => parseManifest("/m", `${MD5}  a\n${"b".repeat(40)}  c`),
    /it mixes md5 and sha1/,
  );
});

Deno.test("compare counts a file once, and tells different from unknown", () => {
  const { expected } = parseManifest("/data/MD5SUMS", `${MD5}  a\n${MD5}  b\n`);
  const read = (path: string, hex: string) => ({ path, digest: "md5", hex }) as const;
  assert.deepEqual(
    compare(expected, [
      read("/data/a", MD5),
      read("/data/a", MD5),
      read("/data/b", OTHER),
      read("/data/c", MD5),
    ]),
    { matched: 1, different: ["/data/b"], unknown: 1 },
  );
});

Deno.test("compare holds each file against the kind of checksum that is expected of it", () => {
  const expected = new Map(
    [
      ["/a", { digest: "md5", hex: MD5 }],
      ["/b", { digest: "crc32c", hex: "00000001" }],
      ["/c", { digest: "sha256", hex: "a".repeat(64) }],
    ] as const,
  );
  const read = (path: string, crc: string) => [
    { path, digest: "md5", hex: MD5 } as const,
    { path, digest: "crc32c", hex: crc } as const,
  ];
  assert.deepEqual(
    compare(expected, [...read("/a", "00000002"), ...read("/b", "00000001"), ...read("/c", "0")]),
    { matched: 2, different: [], unknown: 1 },
  );
  assert.deepEqual(compare(expected, read("/b", "00000002")).different, ["/b"]);
});
