/**
 * What to fetch ahead of a reader that takes the files of a directory in sorted order:
 * (state, file opened) → (state, files). Broken order switches it off, two in a row on again, so
 * that each sorted epoch is recognised anew.
 */

/** Settings of the read-ahead across files. */
export interface DirectoryReadaheadSettings {
  /** Files ahead. */
  readonly files: number;
  /** Blocks at the start of each. */
  readonly blocksPerFile: number;
}

/** What a directory's read-ahead remembers. Begin with {@linkcode DIRECTORY_READAHEAD_START}. */
export interface DirectoryReadaheadState {
  /** The file read last; null before the first. */
  readonly last: string | null;
  /** Steps from a name to the one after it, in a row. */
  readonly inOrder: number;
  /** The last name asked for ahead: nothing is asked for twice. */
  readonly fetchedUpTo: string | null;
}

/** What one file leads to. */
export interface DirectoryReadaheadStep {
  readonly state: DirectoryReadaheadState;
  /** Names whose first blocks to fetch now, at directory priority, nearest first. */
  readonly fetch: readonly string[];
}

/** The state of a directory in which nobody has read. */
export const DIRECTORY_READAHEAD_START: DirectoryReadaheadState = {
  last: null,
  inOrder: 0,
  fetchedUpTo: null,
};
