import { deepEqual, equal, ok } from "node:assert/strict";
import { type SeededRandom, withSeed } from "../../tests/support/seeded_random.ts";
import {
  type BlockRange,
  notFetched,
  observeRead,
  READAHEAD_START,
  type ReadaheadSettings,
  STREAMS_MAX,
} from "./readahead.ts";

const BLOCK = 4 * 1024 * 1024;
const PIECE = 128 * 1024;
const SETTINGS: ReadaheadSettings = {
  blockBytes: BLOCK,
  windowBlocksStart: 4,
  windowBlocksMax: 8,
  windowBlocksLimit: 32,
};

/** A handle that is read, and what was fetched ahead of its readers. */
class Handle {
  state = READAHEAD_START;
  readonly fetched: BlockRange[] = [];

  constructor(readonly objectBytes: number, readonly settings = SETTINGS) {}

  read(offsetBytes: number, lengthBytes = PIECE, late = false): BlockRange | null {
    const read = { offsetBytes, lengthBytes, late };
    const step = observeRead(this.state, read, this.objectBytes, this.settings);
    this.state = step.state;
    if (step.fetch !== null) this.fetched.push(step.fetch);
    return step.fetch;
  }

  /** Reads one piece of each of `blocks`. */
  visit(...blocks: number[]): (BlockRange | null)[] {
    return blocks.map((block) => this.read(block * BLOCK));
  }

  get fetchedBlocks(): number[] {
    return this.fetched.flatMap(({ first, end }) =>
      Array.from({ length: end - first }, (_, i) => first + i)
    );
  }
}

function upTo(count: number, from = 0): number[] {
  return Array.from({ length: count - from }, (_, i) => from + i);
}

Deno.test("a reader that goes on from offset 0 is sequential with its second read", () => {
  const handle = new Handle(100 * BLOCK);
  equal(handle.read(0), null);
  deepEqual(handle.read(PIECE), { first: 0, end: 5 });
  equal(handle.read(2 * PIECE), null);
});

Deno.test("a reader that begins with more than the head of a file is sequential at once", () => {
  const handle = new Handle(100 * BLOCK);
  deepEqual(handle.read(0, 2 * PIECE), { first: 0, end: 5 });
  equal(new Handle(100 * BLOCK).read(BLOCK, 2 * PIECE), null);
});

Deno.test("the window doubles while nothing of what was fetched ahead has arrived in time", () => {
  const handle = new Handle(1_000 * BLOCK);
  handle.visit(...upTo(10));
  const ends = upTo(14, 10).map((block) => handle.read(block * BLOCK, PIECE, true)?.end);
  deepEqual(ends, [10 + 17, 11 + 33, 12 + 33, 13 + 33]);
  deepEqual(handle.visit(14), [{ first: 46, end: 14 + 33 }]);
});

Deno.test("a reader that begins elsewhere is sequential with its fourth block", () => {
  const handle = new Handle(100 * BLOCK);
  deepEqual(handle.visit(10, 11, 12), [null, null, null]);
  deepEqual(handle.visit(13), [{ first: 13, end: 18 }]);
});

Deno.test("the window grows by a block with each block read, from 4 to 8", () => {
  const handle = new Handle(100 * BLOCK);
  handle.visit(10, 11, 12);
  const ends = handle.visit(13, 14, 15, 16, 17, 18).map((range) => range?.end);
  deepEqual(ends, [18, 20, 22, 24, 26, 27]);
  deepEqual(handle.fetchedBlocks, upTo(27, 13));
});

Deno.test("a larger window is used where the settings ask for it", () => {
  const handle = new Handle(1_000 * BLOCK, {
    ...SETTINGS,
    windowBlocksMax: 40,
    windowBlocksLimit: 40,
  });
  handle.visit(...upTo(100));
  equal(handle.fetchedBlocks.at(-1), 99 + 40);
});

Deno.test("reads within one block are one access", () => {
  const handle = new Handle(100 * BLOCK);
  for (const piece of [0, 1, 2, 3, 4, 5, 6, 7]) {
    equal(handle.read(10 * BLOCK + piece * PIECE), null);
  }
});

Deno.test("a reader that steps over every second block is sequential", () => {
  const handle = new Handle(100 * BLOCK);
  deepEqual(handle.visit(10, 12, 14, 16).at(-1), { first: 16, end: 21 });
});

Deno.test("a jump within the stream turns read-ahead off until four blocks are in order", () => {
  const handle = new Handle(100 * BLOCK);
  handle.visit(10, 11, 12, 13);
  deepEqual(handle.visit(17, 18, 19), [null, null, null]);
  deepEqual(handle.visit(20), [{ first: 20, end: 25 }]);
});

Deno.test("after a jump the blocks that were asked for are not asked for again", () => {
  const handle = new Handle(100 * BLOCK);
  handle.visit(...upTo(20, 10), 22, 23, 24, 25);
  deepEqual(handle.fetchedBlocks, upTo(30, 13));
});

Deno.test("a jump out of the stream begins another, and the first goes on where it was", () => {
  const handle = new Handle(100 * BLOCK);
  handle.visit(10, 11, 12, 13);
  deepEqual(handle.visit(60), [null]);
  deepEqual(handle.visit(14), [{ first: 18, end: 20 }]);
});

Deno.test("a read from offset 0 begins the file again, also when the file is small", () => {
  const handle = new Handle(2 * BLOCK);
  deepEqual(handle.read(0, BLOCK), { first: 0, end: 2 });
  equal(handle.read(BLOCK, BLOCK), null);
  equal(handle.read(0, PIECE), null);
  deepEqual(handle.read(PIECE, PIECE), { first: 0, end: 2 });
});

Deno.test("a window of 0 in the settings turns read-ahead off", () => {
  const handle = new Handle(100 * BLOCK, { ...SETTINGS, windowBlocksStart: 0 });
  handle.visit(...upTo(100));
  deepEqual(handle.fetched, []);
});

Deno.test("what found no room is asked for again by the next read", () => {
  const handle = new Handle(100 * BLOCK);
  handle.visit(10, 11, 12, 13);
  handle.state = notFetched(handle.state, 15);
  deepEqual(handle.read(13 * BLOCK + PIECE), { first: 15, end: 18 });
});

Deno.test("reads of nothing and beyond the end change nothing", () => {
  const handle = new Handle(BLOCK);
  handle.read(0, 0);
  handle.read(BLOCK);
  handle.read(5 * BLOCK);
  equal(handle.state, READAHEAD_START);
});

/** Pieces of a whole file in order, of one random size or of mixed sizes. */
function scan(objectBytes: number, random: SeededRandom): { at: number; length: number }[] {
  const mixed = random.below(2) === 0;
  const size = () => 4_096 * (1 + random.below(256));
  const fixed = size();
  const pieces = [];
  for (let at = 0; at < objectBytes;) {
    const length = Math.min(mixed ? size() : fixed, objectBytes - at);
    pieces.push({ at, length });
    at += length;
  }
  return pieces;
}

Deno.test("a sequential scan fetches every block once and none beyond the end", async () => {
  await withSeed(1, (random) => {
    for (let run = 0; run < 100; run += 1) {
      const objectBytes = 1 + random.below(40 * BLOCK);
      const handle = new Handle(objectBytes);
      const pieces = scan(objectBytes, random);
      for (const { at, length } of pieces) handle.read(at, length);
      const all = pieces.length === 1 ? [] : upTo(Math.ceil(objectBytes / BLOCK));
      deepEqual(handle.fetchedBlocks, all, `${objectBytes} bytes in ${pieces.length} reads`);
    }
  });
});

Deno.test("reads that the kernel sends out of order leave a stream sequential", async () => {
  await withSeed(2, (random) => {
    for (let run = 0; run < 50; run += 1) {
      const objectBytes = 30 * BLOCK;
      const handle = new Handle(objectBytes);
      const delayed = Array.from({ length: objectBytes / PIECE }, (_, piece) => ({
        at: piece * PIECE,
        arrival: piece + random.below(8),
      })).sort((a, b) => a.arrival - b.arrival);
      for (const { at } of delayed) handle.read(at);
      const blocks = handle.fetchedBlocks;
      deepEqual(blocks, upTo(30, blocks[0]), "Gap-free and in order, once each");
      ok((blocks[0] ?? 30) <= 3, `Found sequential at block ${blocks[0]}`);
      equal(handle.state.streams.length, 1);
    }
  });
});

Deno.test("random reads fetch nothing", async () => {
  await withSeed(3, (random) => {
    const handle = new Handle(20_000 * BLOCK);
    for (let read = 0; read < 20_000; read += 1) {
      handle.read(4_096 * random.below(20_000 * 1_024), 4_096);
    }
    deepEqual(handle.fetched, []);
    ok(handle.state.streams.length <= STREAMS_MAX);
  });
});

Deno.test("workers on one descriptor are each sequential", async () => {
  await withSeed(4, (random) => {
    const parts = 8;
    const partBlocks = 25;
    const handle = new Handle(parts * partBlocks * BLOCK);
    const places = Array.from({ length: parts }, (_, part) => part * partBlocks * BLOCK);
    for (let read = 0; read < parts * partBlocks * (BLOCK / PIECE); read += 1) {
      const behind = upTo(parts).filter((part) =>
        (places[part] ?? 0) < (part + 1) * partBlocks * BLOCK
      );
      const part = random.pick(behind);
      handle.read(places[part] ?? 0);
      places[part] = (places[part] ?? 0) + PIECE;
    }
    // Each but the first is found with its fourth block, and reads on into its neighbour's part.
    const fetched = new Set(handle.fetchedBlocks);
    for (let part = 0; part < parts; part += 1) {
      const from = part * partBlocks + (part === 0 ? 0 : 3);
      deepEqual(upTo((part + 1) * partBlocks, from).filter((block) => !fetched.has(block)), []);
    }
  });
});

Deno.test("64 readers of four shards, 16 to a handle, all read ahead", async () => {
  await withSeed(5, (random) => {
    const blocks = 400;
    const handles = upTo(4).map(() => new Handle(blocks * BLOCK));
    const readers = upTo(64).map((reader) => ({
      handle: handles[reader % 4] ?? new Handle(0),
      at: Math.floor(reader / 4) * 25 * BLOCK,
      left: 15 * (BLOCK / PIECE),
      ahead: 0,
    }));
    for (;;) {
      const reading = readers.filter((reader) => reader.left > 0);
      if (reading.length === 0) break;
      const reader = random.pick(reading);
      if (reader.handle.read(reader.at) !== null) reader.ahead += 1;
      reader.at += PIECE;
      reader.left -= 1;
    }
    deepEqual(readers.filter((reader) => reader.ahead < 10), []);
    for (const handle of handles) equal(handle.state.streams.length <= STREAMS_MAX, true);
  });
});

// What the Go program got wrong.

Deno.test("the block after a jump or at the start of a run is not left out", () => {
  const handle = new Handle(100 * BLOCK);
  deepEqual(handle.visit(40, 41, 42, 43).at(-1), { first: 43, end: 48 });
});

Deno.test("reads that never start at a block's first byte trigger read-ahead", () => {
  const handle = new Handle(100 * BLOCK);
  for (const block of [10, 11, 12, 13]) handle.read(block * BLOCK + 5_000, 3_000);
  deepEqual(handle.fetched, [{ first: 13, end: 18 }]);
});

Deno.test("nothing reads ahead of a random reader however long it goes on", () => {
  const handle = new Handle(100 * BLOCK);
  for (let round = 0; round < 50; round += 1) handle.visit(10, 13, 17, 20, 24, 27);
  deepEqual(handle.fetched, []);
});

Deno.test("several readers of one handle at different places do not make it random", () => {
  const handle = new Handle(100 * BLOCK);
  for (let i = 0; i < 10; i += 1) handle.visit(10 + i, 40 + i, 70 + i);
  for (const first of [13, 43, 73]) {
    ok(handle.fetched.some((range) => range.first === first), `No read-ahead at ${first}`);
  }
});

Deno.test("the end of the file is the end of the window", () => {
  const handle = new Handle(15.5 * BLOCK);
  handle.visit(10, 11, 12);
  deepEqual(handle.visit(13, 14, 15), [{ first: 13, end: 16 }, null, null]);
});

Deno.test("what a handle remembers is bounded", async () => {
  await withSeed(6, (random) => {
    const handle = new Handle(1e6 * BLOCK);
    for (let read = 0; read < 5_000; read += 1) handle.visit(random.below(1e6));
    ok(handle.state.streams.length <= STREAMS_MAX);
    ok(handle.state.streams.every((stream) => stream.blocks.length <= 8));
  });
});
