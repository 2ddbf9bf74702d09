/** The known word that somebody probably meant by an unknown one. */

/**
 * The candidate closest to `word`, ignoring case and `-` against `_`, or null when none is close:
 * at most one edit per three characters, so that short words do not match everything.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const wanted = fold(word);
  let best: string | null = null;
  let bestEdits = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = editDistance(wanted, fold(candidate));
    if (edits < bestEdits) [best, bestEdits] = [candidate, edits];
  }
  return best;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(Math.min(
        (current[column - 1] ?? 0) + 1,
        (previous[column] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
        swapped && row > 1 && column > 1 ? (beforePrevious[column - 2] ?? 0) + 1 : Infinity,
      ));
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[to.length] ?? 0;
}
