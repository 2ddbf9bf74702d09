/**
 * Reads settings out of a configuration file and collects every problem on the way, so that a
 * person corrects the file once and not once per mistake.
 */
import type { z } from "zod";
import {
  type ConfigPath,
  type ConfigProblem,
  formatPath,
  formatProblem,
  showValue,
} from "./config_problem.ts";
import type { Environment } from "./environment.ts";
import { CommandError } from "./exit.ts";
import { nearest } from "./nearest.ts";
import { keysAt } from "./setting.ts";
import { readYaml, type YamlSource, type YamlValue } from "./yaml_source.ts";

/** What a file may refer to. Handed in, so that reading a configuration has no side effects. */
export interface ConfigInputs {
  /** Variables behind `${NAME}` and `…_env` keys. */
  readonly env: Environment;
  /** Text of the file at an absolute path, for `…_file` keys; throws when it cannot be read. */
  readonly readTextFile: (path: string) => string;
  /** Hears which variables hold secrets, where somebody cares. */
  readonly onSecretVariable?: (name: string) => void;
}

/** Longest text replaced into; far above any real setting. */
const VARIABLE = /\$\{([^}]*)\}/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One file being read. */
export class ConfigReader {
  readonly inputs: ConfigInputs;
  readonly #source: YamlSource;
  /** The file's value with variables replaced. */
  readonly #value: YamlValue;
  readonly #problems: ConfigProblem[];
  readonly #warnings: ConfigProblem[] = [];
  readonly #reported = new Set<string>();

  constructor(text: string, inputs: ConfigInputs) {
    this.inputs = inputs;
    this.#source = readYaml(text);
    this.#problems = [...this.#source.problems];
    for (const problem of this.#problems) this.#reported.add(problem.path);
    this.#value = this.#replaceVariables(this.#source.value, []);
  }

  /** Whether the text was YAML with a mapping at the root; if not, there is nothing to read. */
  get readable(): boolean {
    return typeof this.#value === "object" && !Array.isArray(this.#value);
  }

  /** All problems so far, in the order of the file. */
  get problems(): readonly ConfigProblem[] {
    return this.#problems.toSorted(inFileOrder);
  }

  /** Remarks that do not keep the configuration from being used, in the order of the file. */
  get warnings(): readonly ConfigProblem[] {
    return this.#warnings.toSorted(inFileOrder);
  }

  /** The setting at `path`, or null when it has problems, which are then reported. */
  read<Schema extends z.ZodType>(schema: Schema, path: ConfigPath): z.output<Schema> | null {
    const result = schema.safeParse(valueAt(this.#value, path));
    if (result.success) return this.#hasProblemBelow(path) ? null : result.data;
    for (const issue of result.error.issues) {
      const at = [...path, ...issue.path.map((key) => typeof key === "number" ? key : String(key))];
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) this.#unknown(at, key, keysAt(schema, issue.path) ?? []);
      } else {
        this.report(at, issue.message);
      }
    }
    return null;
  }

  /** Whether the file says anything at `path`. */
  has(path: ConfigPath): boolean {
    return valueAt(this.#source.value, path) !== undefined;
  }

  /** The text at `path` with variables replaced; undefined where there is none. */
  text(path: ConfigPath): string | undefined {
    const value = valueAt(this.#value, path);
    return typeof value === "string" ? value : undefined;
  }

  /** The keys of the mapping at `path`, or the positions of the sequence. */
  keys(path: ConfigPath): ConfigPath {
    const value = valueAt(this.#value, path);
    if (Array.isArray(value)) return value.map((_, index) => index);
    return isMapping(value) ? Object.keys(value) : [];
  }

  /** `path` and its line, to point from one place of the file to another. */
  describe(path: ConfigPath): string {
    return `${formatPath(path)} on line ${this.#source.position(path).line}`;
  }

  /** Adds a problem with the value at `path`, unless that value has one already. */
  report(path: ConfigPath, message: string): void {
    const problem = this.#problem(path, message);
    if (this.#reported.has(problem.path)) return;
    this.#reported.add(problem.path);
    this.#problems.push(problem);
  }

  /** Adds a remark about the value at `path`. */
  warn(path: ConfigPath, message: string): void {
    this.#warnings.push(this.#problem(path, message));
  }

  #problem(path: ConfigPath, message: string): ConfigProblem {
    const written = valueAt(this.#source.value, path);
    const found = typeof written === "string"
      ? showValue(String(path.at(-1) ?? ""), written)
      : written === undefined && path.length > 0
      ? "missing"
      : null;
    return { position: this.#source.position(path), path: formatPath(path), found, message };
  }

  #unknown(path: ConfigPath, key: string, known: readonly string[]): void {
    const guess = nearest(key, known);
    const below = [...path, key];
    const wanted = guess === null ? `known here: ${known.join(", ")}` : `did you mean "${guess}"?`;
    const position = this.#source.position(below);
    // Its value is not shown: nobody knows whether it is a secret.
    const message = `unknown key, ${wanted}`;
    const problem = { position, path: formatPath(below), found: null, message };
    if (this.#reported.has(problem.path)) return;
    this.#reported.add(problem.path);
    this.#problems.push(problem);
  }

  #hasProblemBelow(path: ConfigPath): boolean {
    const prefix = formatPath(path);
    return [...this.#reported].some((reported) =>
      reported === prefix || reported.startsWith(`${prefix}.`) || reported.startsWith(`${prefix}[`)
    );
  }

  #replaceVariables(value: YamlValue, path: ConfigPath): YamlValue {
    if (typeof value === "string") return this.#replaceIn(value, path);
    if (Array.isArray(value)) {
      return value.map((item, index) => this.#replaceVariables(item, [...path, index]));
    }
    if (!isMapping(value)) return undefined;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        this.#replaceVariables(item, [...path, key]),
      ]),
    );
  }

  #replaceIn(text: string, path: ConfigPath): string | undefined {
    let complete = true;
    const replaced = text.replace(VARIABLE, (_, name: string) => {
      const variable = VARIABLE_NAME.test(name) ? this.inputs.env.get(name) : undefined;
      if (variable !== undefined) return variable;
      complete = false;
      this.report(
        path,
        VARIABLE_NAME.test(name)
          ? `environment variable ${name} is not set`
          : "wanted the name of an environment variable between ${ and }",
      );
      return "";
    });
    return complete ? replaced : undefined;
  }
}

/** The error that ends a command whose configuration has `problems`. */
export function configError(file: string, problems: readonly ConfigProblem[]): CommandError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${formatProblem(file, problem)}`);
  return new CommandError(
    "usage",
    [`Cannot use configuration "${file}": ${count}`, ...lines].join("\n"),
    'Correct the file and check it with "warpdrive mount --check --config FILE"',
  );
}

function valueAt(value: YamlValue, path: ConfigPath): YamlValue {
  let current = value;
  for (const key of path) {
    if (typeof key === "number") current = Array.isArray(current) ? current[key] : undefined;
    else current = isMapping(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  }
  return current;
}

function isMapping(value: YamlValue): value is { readonly [key: string]: YamlValue } {
  return typeof value === "object" && !Array.isArray(value);
}

function inFileOrder(one: ConfigProblem, other: ConfigProblem): number {
  return one.position.line - other.position.line || one.position.column - other.position.column;
}
