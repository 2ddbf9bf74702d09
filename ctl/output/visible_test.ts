import { equal } from "node:assert/strict";
import { visible, visibleJson } from "./visible.ts";

Deno.test("visible leaves names alone that hold nothing dangerous", () => {
  for (const name of ["train/shard-000001.tar", "ä ö", "数据/图像.jpg", "👩‍💻", "a'b\"c $(x)"]) {
    equal(visible(name), name);
  }
});

Deno.test("visible shows what a terminal would obey", () => {
  equal(visible("a\nb\r\tc"), "a\\nb\\r\\tc");
  equal(visible("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  equal(visible("\u009b31m"), "\\u009b31m");
  equal(visible("\x7f\0"), "\\x7f\\x00");
  equal(visible("gpj.\u202eexe"), "gpj.\\u202eexe");
  equal(visible("a\u2028b\ufeff"), "a\\u2028b\\ufeff");
});

Deno.test("visible shows a byte that is no UTF-8 as that byte", () => {
  equal(visible("caf\udce9"), "caf\\xe9");
  equal(visible("\ud800"), "\\ud800");
});

Deno.test("visible gives different names different looks", () => {
  const names = ["a\nb", "a\\nb", "a\\\nb", "\x80", "\udc80", "\\x80", "\\u0080"];
  equal(new Set(names.map(visible)).size, names.length);
});

Deno.test("visibleJson keeps layout and meaning, and escapes what a terminal would obey", () => {
  const value = { name: "\u009b31m\u202e\x7f\x1b\n", "k\u2066": [1] };
  const text = visibleJson(JSON.stringify(value, null, 2));
  for (const unsafe of ["\u009b", "\u202e", "\x7f", "\x1b", "\u2066"]) {
    equal(text.includes(unsafe), false);
  }
  equal(text.split("\n").length, 6);
  equal(JSON.stringify(JSON.parse(text)), JSON.stringify(value));
});
