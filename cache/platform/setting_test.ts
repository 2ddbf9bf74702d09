import { deepEqual, equal } from "node:assert/strict";
import { z } from "zod";
import {
  absolutePath,
  choice,
  duration,
  flag,
  integer,
  keysAt,
  list,
  parseNetworkAddress,
  parseServiceUrl,
  permissions,
  ratio,
  refusedKey,
  section,
  size,
} from "./setting.ts";

function read(schema: z.ZodType, written: unknown): unknown {
  const result = schema.safeParse(written);
  return result.success ? result.data : result.error.issues.map(({ message }) => message);
}

Deno.test("settings read what people write", () => {
  equal(read(flag(), "True"), true);
  equal(read(integer(1, 10), "7"), 7);
  equal(read(ratio(), ".9"), 0.9);
  equal(read(size(1, "a size"), "4MB"), 4_194_304);
  equal(read(size(1, "a size"), "4MiB"), 4_194_304);
  equal(read(duration(0), "1.5m"), 90_000);
  equal(read(permissions(), "0444"), 0o444);
  equal(read(permissions(), "0o755"), 0o755);
  equal(read(absolutePath(), "/a//b/../c/"), "/a/c");
  equal(read(absolutePath(), "/"), "/");
  equal(read(choice(["a", "b"]), "b"), "b");
});

Deno.test("settings say what they want", () => {
  deepEqual(read(flag(), "yes"), ["wanted true or false"]);
  deepEqual(read(integer(1, 10), "11"), ["wanted a whole number from 1 to 10"]);
  deepEqual(read(integer(1, 10), "1e1"), ["wanted a whole number from 1 to 10"]);
  deepEqual(read(ratio(), "1.5"), ["wanted a number from 0 to 1"]);
  deepEqual(read(permissions(), "999"), ['wanted permission bits in octal, such as "0444"']);
  deepEqual(read(absolutePath(), "a/b"), ["wanted an absolute path"]);
  deepEqual(read(choice(["a", "b"]), "c"), ["wanted one of a, b"]);
  deepEqual(read(duration(1), ["5s"]), ['wanted a duration such as "30s", "5m" or "1h"']);
});

Deno.test("parseNetworkAddress takes a port alone for every interface", () => {
  deepEqual(parseNetworkAddress(":9090"), { hostname: "0.0.0.0", port: 9090 });
  deepEqual(parseNetworkAddress("127.0.0.1:0"), { hostname: "127.0.0.1", port: 0 });
  deepEqual(parseNetworkAddress("[::1]:80"), { hostname: "::1", port: 80 });
  equal(parseNetworkAddress("9090"), null);
  equal(parseNetworkAddress("host:99999"), null);
  equal(parseNetworkAddress("::1:80"), null);
});

Deno.test("parseServiceUrl takes bare http and https URLs only", () => {
  equal(parseServiceUrl("https://a.example/dev/"), "https://a.example/dev");
  equal(parseServiceUrl("https://a.example/?sig=x"), null);
  equal(parseServiceUrl("https://user:x@a.example"), null);
  equal(parseServiceUrl("ftp://a.example"), null);
  equal(parseServiceUrl("a.example"), null);
});

Deno.test("keysAt finds the keys of nested sections and hides refused ones", () => {
  const inner = section({ x: flag(), secret: refusedKey("no") });
  const outer = section({
    one: inner.prefault({ x: "true" }),
    many: list(inner, 5),
    named: z.record(z.string(), inner).optional(),
  });
  deepEqual(keysAt(outer, []), ["one", "many", "named"]);
  deepEqual(keysAt(outer, ["one"]), ["x"]);
  deepEqual(keysAt(outer, ["many", 3]), ["x"]);
  deepEqual(keysAt(outer, ["named", "any"]), ["x"]);
  equal(keysAt(outer, ["one", "x"]), null);
});
