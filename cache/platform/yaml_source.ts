/**
 * YAML text as plain values with positions.
 *
 * Every scalar is a string (YAML's "failsafe" schema): what a value means is decided by the setting
 * that reads it, so that `0444`, `"4194304"` and `true` mean the same quoted or not, and a value
 * that came out of the environment is read like any other.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import {
  type ConfigPath,
  type ConfigPosition,
  type ConfigProblem,
  formatPath,
} from "./config_problem.ts";

/** A mapping, sequence or scalar of the file; undefined where a key has no value. */
export type YamlValue =
  | string
  | undefined
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue };

/** A file that is YAML, whatever it says. */
export interface YamlSource {
  readonly value: YamlValue;
  /** Keys given twice, aliases without an anchor: what YAML allows and a setting cannot. */
  readonly problems: readonly ConfigProblem[];
  /** Where `path` is written, or the closest of its parents that is. */
  position(path: ConfigPath): ConfigPosition;
}

/** Bound on values, so that nested aliases cannot unfold without end. */
const VALUES_MAX = 100_000;
const DEPTH_MAX = 32;

/** Reads `text`. The result has no value when it is not YAML. */
export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: "failsafe",
    uniqueKeys: false,
    // The library's pretty errors quote the file, which may hold a misplaced secret.
    prettyErrors: false,
    lineCounter: lines,
  });
  const problems: ConfigProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    position: positionAt(lines, error.pos[0]),
    path: "",
    found: null,
    message: syntaxMessage(error.code, error.message),
  }));
  const places = new Map<string, ConfigPosition>();
  if (problems.length > 0) return source(undefined, problems, places);
  const walker = new Walker(
    lines,
    places,
    problems,
    (node) => isAlias(node) ? node.resolve(document) : undefined,
  );
  const value = document.contents === null ? undefined : walker.walk(document.contents, []);
  return source(value, problems, places);
}

function source(
  value: YamlValue,
  problems: readonly ConfigProblem[],
  places: ReadonlyMap<string, ConfigPosition>,
): YamlSource {
  return {
    value,
    problems,
    position(path) {
      for (let length = path.length; length > 0; length -= 1) {
        const place = places.get(formatPath(path.slice(0, length)));
        if (place !== undefined) return place;
      }
      return { line: 1, column: 1 };
    },
  };
}

/** Turns nodes into values and notes where each was. */
class Walker {
  readonly #lines: LineCounter;
  readonly #places: Map<string, ConfigPosition>;
  readonly #problems: ConfigProblem[];
  readonly #resolve: (alias: Node) => Node | undefined;
  #values = 0;

  constructor(
    lines: LineCounter,
    places: Map<string, ConfigPosition>,
    problems: ConfigProblem[],
    resolve: (alias: Node) => Node | undefined,
  ) {
    this.#lines = lines;
    this.#places = places;
    this.#problems = problems;
    this.#resolve = resolve;
  }

  walk(node: unknown, path: ConfigPath): YamlValue {
    this.#values += 1;
    if (path.length > DEPTH_MAX || this.#values > VALUES_MAX) {
      if (this.#values <= VALUES_MAX + 1) this.#report(path, "nested too deep, or too many values");
      this.#values = VALUES_MAX + 1;
      return undefined;
    }
    if (isScalar(node)) return scalarText(node.value, node.type);
    if (isMap(node)) return this.#mapping(node.items, path);
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        this.#note(item, [...path, index]);
        return this.walk(item, [...path, index]);
      });
    }
    if (isAlias(node)) {
      const target = this.#resolve(node);
      if (target !== undefined) return this.walk(target, path);
      this.#report(path, `alias "*${node.source}" has no anchor "&${node.source}" before it`);
    }
    return undefined;
  }

  #mapping(
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    path: ConfigPath,
  ): YamlValue {
    const entries = new Map<string, YamlValue>();
    for (const { key, value } of items) {
      const name = isScalar(key) ? scalarText(key.value, key.type) : undefined;
      if (name === undefined) {
        this.#report(path, "wanted names as keys");
        continue;
      }
      const below = [...path, name];
      if (entries.has(name)) {
        const { line } = this.#places.get(formatPath(below)) ?? { line: 1 };
        this.#note(key, below);
        this.#report(below, `given twice, first on line ${line}: keep one of them`);
      } else {
        this.#note(key, below);
        entries.set(name, this.walk(value, below));
      }
    }
    return Object.fromEntries(entries);
  }

  #note(node: unknown, path: ConfigPath): void {
    const offset = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)
      ? node.range?.[0]
      : undefined;
    if (offset !== undefined) {
      this.#places.set(formatPath(path), positionAt(this.#lines, offset));
    }
  }

  #report(path: ConfigPath, message: string): void {
    const position = this.#places.get(formatPath(path)) ?? { line: 1, column: 1 };
    this.#problems.push({ position, path: formatPath(path), found: null, message });
  }
}

/** A plain scalar with no text (`key:`) is no value; a quoted empty string is one. */
function scalarText(value: unknown, type: string | undefined): string | undefined {
  const text = String(value ?? "");
  return text === "" && (type === undefined || type === "PLAIN") ? undefined : text;
}

function positionAt(lines: LineCounter, offset: number): ConfigPosition {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function syntaxMessage(code: string, message: string): string {
  switch (code) {
    case "TAB_AS_INDENT":
      return "not YAML: a tab cannot indent a line, use spaces";
    case "MULTIPLE_DOCS":
      return 'not one document: remove the "---" that begins a second one';
    case "UNEXPECTED_TOKEN":
      // The library's message quotes the text, which may be a misplaced secret.
      return "not YAML: unexpected text here";
    case "BLOCK_AS_IMPLICIT_KEY":
      return 'not YAML: two ": " on one line, put the value in quotes';
    default:
      return `not YAML: ${message.slice(0, 1).toLowerCase()}${message.slice(1).split("\n")[0]}`;
  }
}
