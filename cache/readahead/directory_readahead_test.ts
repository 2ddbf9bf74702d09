import { deepEqual, equal, ok } from "node:assert/strict";
import { withSeed } from "../../tests/support/seeded_random.ts";
import { shuffled } from "../../tests/trace_workloads.ts";
import { DIRECTORY_READAHEAD_START, observeFile } from "./directory_readahead.ts";

const SETTINGS = { files: 4, blocksPerFile: 4 };

function shards(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `shard-${String(i).padStart(6, "0")}.tar`);
}

/** A directory whose files are read; answers with what to fetch, as indices. */
class Directory {
  state = DIRECTORY_READAHEAD_START;

  constructor(public names: readonly string[]) {}

  begin(name: string): number[] {
    const step = observeFile(this.state, name, this.names, SETTINGS);
    this.state = step.state;
    return step.fetch.map((fetched) => this.names.indexOf(fetched));
  }

  visit(...indices: number[]): number[][] {
    return indices.map((index) => this.begin(this.names[index] ?? ""));
  }
}

Deno.test("two files in sorted order fetch the beginnings of the next four", () => {
  const directory = new Directory(shards(20));
  deepEqual(directory.visit(0, 1), [[], [2, 3, 4, 5]]);
});

Deno.test("each further file in order fetches one more, never one twice", () => {
  const directory = new Directory(shards(20));
  deepEqual(directory.visit(5, 6, 7, 8), [[], [7, 8, 9, 10], [11], [12]]);
});

Deno.test("a sorted pass fetches all files after the second, and none beyond the last", () => {
  const directory = new Directory(shards(20));
  const fetched = directory.visit(...shards(20).keys()).flat();
  deepEqual(fetched, [...shards(20).keys()].slice(2));
});

Deno.test("the same file begun by several workers is one step", () => {
  const directory = new Directory(shards(20));
  deepEqual(directory.visit(0, 0, 0, 1, 1, 1, 2), [[], [], [], [2, 3, 4, 5], [], [], [6]]);
});

Deno.test("workers that share a sorted list may overtake one another", () => {
  const directory = new Directory(shards(20));
  deepEqual(directory.visit(0, 1, 3, 2, 4, 6, 5), [
    [],
    [2, 3, 4, 5],
    [6, 7],
    [],
    [8],
    [9, 10],
    [],
  ]);
});

Deno.test("broken order turns it off, and two files in order on again", () => {
  const directory = new Directory(shards(20));
  deepEqual(directory.visit(0, 1, 15, 3, 9), [[], [2, 3, 4, 5], [], [], []]);
  deepEqual(directory.visit(10), [[11, 12, 13, 14]]);
});

Deno.test("a shuffled epoch does not keep the next sorted one from being recognised", async () => {
  await withSeed(1, (random) => {
    const directory = new Directory(shards(50));
    directory.visit(...shards(50).keys());
    directory.visit(...shuffled([...shards(50).keys()], random));
    const fetched = directory.visit(...shards(50).keys()).flat();
    deepEqual(fetched.slice(0, 5), [2, 3, 4, 5, 6]);
  });
});

Deno.test("the first file of the next sorted epoch follows the last one of this", () => {
  const directory = new Directory(shards(10));
  directory.visit(...shards(10).keys());
  deepEqual(directory.visit(0, 1), [[1, 2, 3, 4], [5]]);
});

Deno.test("random order fetches next to nothing", async () => {
  await withSeed(2, (random) => {
    const directory = new Directory(shards(1_000));
    const fetched = Array.from({ length: 1_000 }, () => directory.visit(random.below(1_000)))
      .flat(2);
    ok(fetched.length <= 20, `Fetched ${fetched.length}`);
  });
});

Deno.test("names at the root of a backend are names like any other", () => {
  const directory = new Directory(["a", "b", "c"]);
  directory.begin("a");
  deepEqual(directory.begin("b"), [2]);
});

Deno.test("a file that is not in the listing changes nothing", () => {
  const directory = new Directory(shards(20));
  directory.visit(0, 1);
  const before = directory.state;
  deepEqual(directory.begin("new.tar"), []);
  equal(directory.state, before);
});

Deno.test("the place in the order survives a listing that changed", () => {
  const directory = new Directory(shards(20));
  directory.visit(0, 1);
  directory.names = shards(20).filter((_, i) => i !== 1);
  deepEqual(directory.begin("shard-000002.tar"), [5]);
});
