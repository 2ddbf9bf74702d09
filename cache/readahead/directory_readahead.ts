/**
 * What to fetch ahead of a reader that takes the files of a directory in sorted order:
 * (state, file begun) → (state, files). Broken order switches it off, two files in a row on again,
 * so that each sorted epoch is recognised anew.
 */

/** Settings of the read-ahead across files. */
export interface DirectoryReadaheadSettings {
  /** Files ahead. */
  readonly files: number;
  /** Blocks at the start of each. */
  readonly blocksPerFile: number;
}

/** What a directory's read-ahead remembers. Begin with {@linkcode DIRECTORY_READAHEAD_START}. */
export type DirectoryReadaheadState =
  /** Nobody has read yet, or the last file did not follow the one before it. */
  | { readonly kind: "watching"; readonly last: string | null }
  /** Files come in order; `last` is the furthest, and up to `fetchedUpTo` all was asked for. */
  | { readonly kind: "sorted"; readonly last: string; readonly fetchedUpTo: string };

/** What one file leads to. */
export interface DirectoryReadaheadStep {
  readonly state: DirectoryReadaheadState;
  /** Names whose first `blocksPerFile` blocks to fetch at directory priority, nearest first. */
  readonly fetch: readonly string[];
}

/** The state of a directory in which nobody has read. */
export const DIRECTORY_READAHEAD_START: DirectoryReadaheadState = { kind: "watching", last: null };

/** Several workers take files from one sorted list, and not every next one arrives next. */
const STEP_MAX = 2;

/**
 * Notes that a reader began the file `name`: read it at offset 0, or opened it in passthrough.
 *
 * @param names The files of the directory as they are now, sorted by code unit (`Array.sort`).
 */
export function observeFile(
  state: DirectoryReadaheadState,
  name: string,
  names: readonly string[],
  settings: DirectoryReadaheadSettings,
): DirectoryReadaheadStep {
  const index = placeOf(name, names);
  if (!Number.isInteger(index)) return { state, fetch: [] };
  const last = state.last === null ? NaN : placeOf(state.last, names);
  switch (state.kind) {
    case "watching": {
      if (index === last) return { state, fetch: [] };
      const follows = index > last && index - last <= 1;
      return follows ? ahead(index, index, names, settings) : watching(name);
    }
    case "sorted": {
      const step = index - last;
      // A file just begun by one worker is opened by the next, or arrives late.
      if (step <= 0 && step >= -STEP_MAX) return { state, fetch: [] };
      if (step > 0 && step <= STEP_MAX) {
        const fetched = Math.floor(placeOf(state.fetchedUpTo, names));
        return ahead(index, Math.max(index, fetched), names, settings);
      }
      const nextEpoch = index === 0 && last >= names.length - STEP_MAX;
      return nextEpoch ? ahead(index, index, names, settings) : watching(name);
    }
  }
}

function watching(last: string): DirectoryReadaheadStep {
  return { state: { kind: "watching", last }, fetch: [] };
}

/** Asks for the files after `index` that lie beyond `fetched`. */
function ahead(
  index: number,
  fetched: number,
  names: readonly string[],
  { files }: DirectoryReadaheadSettings,
): DirectoryReadaheadStep {
  const fetch = names.slice(fetched + 1, index + 1 + files);
  const last = names[index] ?? "";
  const fetchedUpTo = fetch.at(-1) ?? names[fetched] ?? last;
  return { state: { kind: "sorted", last, fetchedUpTo }, fetch };
}

/** Where `name` is in `names`; when it is not, half way between its neighbours. */
function placeOf(name: string, names: readonly string[]): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((names[middle] ?? name) < name) low = middle + 1;
    else high = middle;
  }
  return names[low] === name ? low : low - 0.5;
}
