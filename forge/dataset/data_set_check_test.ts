import { deepEqual } from "node:assert/strict";
import type { Root } from "../train/shards.ts";
import { gaps } from "./data_set_check.ts";

/** A root with shards of these numbers in `directory`. */
function root(directory: string, ...numbers: readonly number[]): Root {
  const shards = numbers.map((number) => {
    const name = `${directory}/shard-${String(number).padStart(6, "0")}.tar`;
    return { path: `/data/${name}`, name, sizeBytes: 1 };
  });
  return { label: "a", path: "/data", shards };
}

Deno.test("gaps names shards that are missing between others", () => {
  deepEqual(gaps([root("train", 0, 1, 2)]), []);
  deepEqual(gaps([root("train", 3)]), []);
  deepEqual(gaps([root("train", 5, 0, 1, 9)]), [
    "train/shard-000002.tar and 2 after it: missing",
    "train/shard-000006.tar and 2 after it: missing",
  ]);
});

Deno.test("gaps takes even and odd shards of two roots together", () => {
  deepEqual(gaps([root("train", 0, 2, 4), root("train", 1, 3)]), []);
  deepEqual(gaps([root("train", 0, 2, 4), root("train", 1)]), ["train/shard-000003.tar: missing"]);
  deepEqual(gaps([root("train", 0, 1), root("val", 0, 1, 3)]), ["val/shard-000002.tar: missing"]);
});

Deno.test("gaps finds none among even shards alone, as far as they are equally far apart", () => {
  deepEqual(gaps([root("train", 0, 2, 4)]), []);
  deepEqual(gaps([root("train", 0, 2, 6)]), ["train/shard-000004.tar: missing"]);
});
