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
  /** Blocks ahead at most. Above 8 where the bandwidth-delay product of the backend asks for it. */
  readonly windowBlocksMax: number;
}

/** Blocks `first` up to, not including, `end`. */
export interface BlockRange {
  readonly first: number;
  readonly end: number;
}

/** What a handle's read-ahead remembers. Begin with {@linkcode READAHEAD_START}. */
export interface ReadaheadState {
  /** The most recently active first. */
  readonly streams: readonly ReadStream[];
}

/** One reader's way through the file. */
export interface ReadStream {
  /** The last blocks touched, oldest first, at most 8; reads within one block are one entry. */
  readonly blocks: readonly number[];
  /** Blocks to keep ahead of the reader; 0 while it is random or not yet known. */
  readonly windowBlocks: number;
  /** End of what has been asked for on behalf of this stream: nothing is asked for twice. */
  readonly fetchedEnd: number;
}

/** What one read leads to. */
export interface ReadaheadStep {
  readonly state: ReadaheadState;
  /** Blocks to fetch now at read-ahead priority, whole, clipped to the object. */
  readonly fetch: BlockRange | null;
}

/** The state of a handle that nobody has read from. */
export const READAHEAD_START: ReadaheadState = { streams: [] };
