/**
 * What to fetch ahead of a reader: (state, read) → (state, blocks), for one open handle.
 *
 * Several readers may share a handle (forked workers on one descriptor), so a handle has streams,
 * told apart by where each left off.
 */

/** Settings of the read-ahead within a file. */
export interface ReadaheadSettings {
  readonly blockBytes: number;
  /** Blocks ahead of a reader that has just been found sequential. */
  readonly windowBlocksStart: number;
  /** Blocks ahead at most while they arrive in time. */
  readonly windowBlocksMax: number;
  /** Blocks ahead at most, where the bandwidth-delay product of the store asks for more. */
  readonly windowBlocksLimit: number;
}

/** Blocks `first` up to, not including, `end`. */
export interface BlockRange {
  readonly first: number;
  readonly end: number;
}

/** What a handle's read-ahead remembers. Begin with {@linkcode READAHEAD_START}. */
export interface ReadaheadState {
  /** At most {@linkcode STREAMS_MAX}, the most recently active first. */
  readonly streams: readonly ReadStream[];
}

/** One reader's way through the file. */
export interface ReadStream {
  /** The last blocks reached, oldest first, rising; several reads within one block are one. */
  readonly blocks: readonly number[];
  /** Where the furthest read ended. */
  readonly endBytes: number;
  /** `head`: began at offset 0. `run`: did, and went on from there. `inside`: began elsewhere. */
  readonly origin: "head" | "run" | "inside";
  /** Blocks to keep ahead of the reader; 0 while it is random or not yet known. */
  readonly windowBlocks: number;
  /** End of what has been asked for on behalf of this stream: nothing is asked for twice. */
  readonly fetchedEnd: number;
}

/** One read of a handle. */
export interface ObservedRead {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /**
   * It is of a block that was asked for ahead, and not even the first byte of that has arrived: the
   * window is shorter than the latency of the store. Bytes that trickle in are another matter,
   * because more requests do not make a link faster.
   */
  readonly late: boolean;
}

/** What one read leads to. */
export interface ReadaheadStep {
  readonly state: ReadaheadState;
  /**
   * Blocks to fetch now at read-ahead priority, whole, clipped to the object. The first time this
   * begins with the block being read: the rest of it is wanted too.
   */
  readonly fetch: BlockRange | null;
}

/** The state of a handle that nobody has read from. */
export const READAHEAD_START: ReadaheadState = { streams: [] };

/** Readers of one handle that are told apart: more than the workers that share a descriptor. */
export const STREAMS_MAX = 64;

const RING = 8;
/** Accesses after which a stream is known for what it is. */
const CLASSIFIED = 4;
/** The kernel's own read-ahead sends reads out of order by less than a block. */
const BACK_MAX = 1;
const FORWARD_MAX = 4;
/**
 * Who asks for more than this at the beginning of a file wants more than its head: the kernel at
 * most quadruples what a program reads first, and programs look at a head with a few KiB.
 */
const HEAD_BYTES_MAX = 128 * 1024;
/** A sequential reader steps to the next block, or over one it had in its page cache. */
const STEP_MAX = 2;

/**
 * Notes a read and says what to fetch ahead of its reader.
 *
 * @param objectBytes Size of the file: nothing is fetched beyond it.
 */
export function observeRead(
  state: ReadaheadState,
  { offsetBytes, lengthBytes, late }: ObservedRead,
  objectBytes: number,
  settings: ReadaheadSettings,
): ReadaheadStep {
  const endBytes = Math.min(offsetBytes + lengthBytes, objectBytes);
  if (endBytes <= offsetBytes) return { state, fetch: null };
  const { blockBytes } = settings;
  const found = streamOf(state, offsetBytes, blockBytes);
  const before = found === undefined || isRestart(found, offsetBytes, blockBytes)
    ? newStream(offsetBytes)
    : found;
  const advanced = advance(before, { offsetBytes, endBytes, late }, settings);
  const current = advanced.blocks.at(-1) ?? 0;
  const blockCount = Math.ceil(objectBytes / blockBytes);
  const first = Math.max(advanced.fetchedEnd, current);
  const end = Math.min(current + 1 + advanced.windowBlocks, blockCount);
  const fetch = advanced.windowBlocks > 0 && first < end ? { first, end } : null;
  const after = fetch === null ? advanced : { ...advanced, fetchedEnd: end };
  const others = state.streams.filter((stream) => stream !== found);
  return { state: { streams: [after, ...others.slice(0, STREAMS_MAX - 1)] }, fetch };
}

/**
 * The state when the caller had no room for all that the last step asked for: what starts at block
 * `from` is asked for again by the next read of that stream.
 */
export function notFetched(state: ReadaheadState, from: number): ReadaheadState {
  const [last, ...others] = state.streams;
  if (last === undefined || last.fetchedEnd <= from) return state;
  return { streams: [{ ...last, fetchedEnd: from }, ...others] };
}

/** The stream that left off nearest to `offsetBytes`, if it could be its next read. */
function streamOf(
  state: ReadaheadState,
  offsetBytes: number,
  blockBytes: number,
): ReadStream | undefined {
  const block = Math.floor(offsetBytes / blockBytes);
  let nearest: ReadStream | undefined;
  let nearestBytes = Infinity;
  for (const stream of state.streams) {
    const distance = block - (stream.blocks.at(-1) ?? 0);
    const bytes = Math.abs(offsetBytes - stream.endBytes);
    if (distance < -BACK_MAX || distance > FORWARD_MAX || bytes >= nearestBytes) continue;
    nearest = stream;
    nearestBytes = bytes;
  }
  return nearest;
}

/** Whether a reader begins the file again, which in a small file is within tolerance. */
function isRestart(stream: ReadStream, offsetBytes: number, blockBytes: number): boolean {
  return offsetBytes === 0 && stream.endBytes > blockBytes;
}

function newStream(offsetBytes: number): ReadStream {
  return {
    blocks: [],
    endBytes: offsetBytes,
    origin: offsetBytes === 0 ? "head" : "inside",
    windowBlocks: 0,
    fetchedEnd: 0,
  };
}

/** The stream after a read of it. */
function advance(
  stream: ReadStream,
  { offsetBytes, endBytes, late }: Omit<ObservedRead, "lengthBytes"> & {
    readonly endBytes: number;
  },
  settings: ReadaheadSettings,
): ReadStream {
  const { blockBytes, windowBlocksStart, windowBlocksMax } = settings;
  const goesOn = offsetBytes === stream.endBytes &&
    (offsetBytes > 0 || endBytes > HEAD_BYTES_MAX);
  const origin = stream.origin === "head" && goesOn
    ? "run"
    : stream.origin === "inside" && offsetBytes === 0
    ? "head" // The first read came second.
    : stream.origin;
  const reached = stream.blocks.at(-1) ?? -1;
  const lastBlock = Math.floor((endBytes - 1) / blockBytes);
  const firstBlock = Math.floor(offsetBytes / blockBytes);
  const blocks = [...stream.blocks];
  let windowBlocks = stream.windowBlocks;
  // A late read, of a block that was reached before, is no access: it says nothing new.
  for (let block = Math.max(firstBlock, reached + 1); block <= lastBlock; block += 1) {
    blocks.push(block);
    if (blocks.length > RING) blocks.shift();
    if (!isSequential(blocks, origin)) windowBlocks = 0;
    else if (windowBlocks > 0) windowBlocks = grown(windowBlocks, late, settings);
  }
  if (windowBlocks === 0 && isSequential(blocks, origin)) {
    windowBlocks = Math.min(windowBlocksStart, windowBlocksMax);
  }
  const furthest = Math.max(stream.endBytes, endBytes);
  return { blocks, endBytes: furthest, origin, windowBlocks, fetchedEnd: stream.fetchedEnd };
}

/** The window one block later: it is doubled while it is too short, as TCP does at the start. */
function grown(
  windowBlocks: number,
  late: boolean,
  { windowBlocksMax, windowBlocksLimit }: ReadaheadSettings,
): number {
  if (late) return Math.max(windowBlocks, Math.min(2 * windowBlocks, windowBlocksLimit));
  return Math.max(windowBlocks, Math.min(windowBlocks + 1, windowBlocksMax));
}

/** Whether the last blocks rise as a sequential reader's do. */
function isSequential(blocks: readonly number[], origin: ReadStream["origin"]): boolean {
  if (blocks.length < CLASSIFIED && origin !== "run") return false;
  const recent = blocks.slice(-CLASSIFIED);
  return recent.every((block, i) => i === 0 || block - (recent[i - 1] ?? block) <= STEP_MAX);
}
