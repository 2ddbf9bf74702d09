/**
 * Patterns of paths as shells have them, one name at a time. Pure.
 *
 * `*` stands for any characters, `?` for one, `[a-z]` and `[!a-z]` for one of or not of a set, `**`
 * as a whole name for any number of directories; `\` takes its meaning from the next character.
 * A leading dot has to be written. Matching takes time in proportion to name times pattern, however
 * many stars there are: the mount matches what anybody asks for.
 */

/** What one name of a path may be. */
export type GlobName =
  | { readonly kind: "literal"; readonly name: string }
  | { readonly kind: "pattern"; readonly tokens: readonly Token[] }
  /** `**`: any directories, or none. */
  | { readonly kind: "any depth" };

type Token =
  | { readonly kind: "run" }
  | { readonly kind: "one" }
  | { readonly kind: "character"; readonly character: string }
  | { readonly kind: "set"; readonly isNegated: boolean; readonly ranges: readonly Range[] };

type Range = readonly [first: string, last: string];

/** Whether any of `segments` is more than a name. */
export function hasPattern(segments: readonly string[]): boolean {
  return segments.some((segment) => /[*?[\\]/.test(segment));
}

/** The names of a path, as patterns. */
export function compileGlob(segments: readonly string[]): readonly GlobName[] {
  const names = segments.map((segment): GlobName => {
    if (segment === "**") return { kind: "any depth" };
    const tokens = tokensOf(segment);
    const literal = tokens.every(({ kind }) => kind === "character");
    if (!literal) return { kind: "pattern", tokens };
    return { kind: "literal", name: tokens.map(characterOf).join("") };
  });
  // Two of them mean what one does, and would find everything several times.
  return names.filter(({ kind }, index) =>
    kind !== "any depth" || names[index - 1]?.kind !== "any depth"
  );
}

/** Whether `name` is one that `tokens` stand for. */
export function matchesGlob(tokens: readonly Token[], name: string): boolean {
  if (isHidden(name) && characterOf(tokens[0]) !== ".") return false;
  const characters = Array.from(name);
  let [at, token] = [0, 0];
  // The last run, and how far it reaches: where the rest does not match, it reaches further.
  let run: { readonly token: number; end: number } | null = null;
  while (at < characters.length) {
    const current = tokens[token];
    if (current?.kind === "run") {
      run = { token, end: at };
      token += 1;
    } else if (current !== undefined && matchesOne(current, characters[at] ?? "")) {
      at += 1;
      token += 1;
    } else if (run !== null) {
      run.end += 1;
      at = run.end;
      token = run.token + 1;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every(({ kind }) => kind === "run");
}

/** Whether patterns leave `name` out unless they write its dot. */
export function isHidden(name: string): boolean {
  return name.startsWith(".");
}

function matchesOne(token: Token, character: string): boolean {
  switch (token.kind) {
    case "run":
      return false;
    case "one":
      return true;
    case "character":
      return token.character === character;
    case "set":
      return token.isNegated !==
        token.ranges.some(([first, last]) => first <= character && character <= last);
  }
}

function tokensOf(segment: string): readonly Token[] {
  const characters = Array.from(segment);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? "";
    const set = character === "[" ? setAt(characters, at) : null;
    if (set !== null) {
      tokens.push(set.token);
      at = set.end;
    } else if (character === "\\" && at + 1 < characters.length) {
      at += 1;
      tokens.push({ kind: "character", character: characters[at] ?? "" });
    } else if (character === "*") {
      if (tokens.at(-1)?.kind !== "run") tokens.push({ kind: "run" });
    } else {
      tokens.push(character === "?" ? { kind: "one" } : { kind: "character", character });
    }
  }
  return tokens;
}

/** The set that begins at `start`, and where it ends; null where no bracket closes it. */
function setAt(
  characters: readonly string[],
  start: number,
): { readonly token: Token; readonly end: number } | null {
  let at = start + 1;
  const isNegated = characters[at] === "!" || characters[at] === "^";
  if (isNegated) at += 1;
  const ranges: Range[] = [];
  // A bracket that comes first is one of the set.
  for (let isFirst = true;; isFirst = false) {
    const first = characters[at];
    if (first === undefined) return null;
    if (first === "]" && !isFirst) return { token: { kind: "set", isNegated, ranges }, end: at };
    const last = characters[at + 2];
    const isRange = characters[at + 1] === "-" && last !== undefined && last !== "]";
    ranges.push([first, isRange ? last : first]);
    at += isRange ? 3 : 1;
  }
}

function characterOf(token: Token | undefined): string {
  return token?.kind === "character" ? token.character : "";
}
