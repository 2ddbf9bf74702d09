import { deepEqual, notDeepEqual } from "node:assert/strict";
import { dealt, shuffled } from "./readers.ts";

const FILES = Array.from({ length: 20 }, (_, index) => `/d/shard-${index}.10`);

Deno.test("files are dealt to readers in turn, each once", () => {
  deepEqual(dealt(["a", "b", "c"], 2), [["a", "c"], ["b"]]);
});

Deno.test("the seed decides an order, wherever the files are", () => {
  const order = shuffled(FILES, "1");
  notDeepEqual(order, FILES);
  notDeepEqual(order, shuffled(FILES, "2"));
  deepEqual(order.toSorted(), FILES.toSorted());
  const elsewhere = FILES.map((file) => file.replace("/d/", "/e/"));
  deepEqual(shuffled(elsewhere, "1"), order.map((file) => file.replace("/d/", "/e/")));
});
