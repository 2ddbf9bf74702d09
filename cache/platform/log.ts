/**
 * One JSON object per line on stderr, or plain text when stderr is a terminal.
 *
 * Values are printed as JSON prints them, so a `Secret` shows as `***`. Errors are flattened to
 * their messages, with stacks only under `--debug`.
 */

/** Severities, least severe first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Facts of one record, by name. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where records go; `child` returns a logger whose records all carry `fields`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

/** How records are written. */
export interface LogSettings {
  readonly level: LogLevel;
  readonly format: "json" | "text";
  /** Print stack traces of logged errors. */
  readonly stacks: boolean;
  /** Takes one finished line, newline included. */
  readonly write: (line: string) => void;
  readonly now: () => Date;
}

/** A logger that writes as `settings` say. */
export function createLogger(settings: LogSettings, bound: LogFields = {}): Logger {
  const threshold = LOG_LEVELS.indexOf(settings.level);
  const emit = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return;
    const all = flatten({ ...bound, ...fields }, settings.stacks);
    const time = settings.now().toISOString();
    settings.write(
      settings.format === "json"
        ? JSON.stringify({ time, level, message, ...all }) + "\n"
        : textLine(time, level, message, all),
    );
  };
  return {
    debug: (message, fields) => emit("debug", message, fields),
    info: (message, fields) => emit("info", message, fields),
    warn: (message, fields) => emit("warn", message, fields),
    error: (message, fields) => emit("error", message, fields),
    child: (fields) => createLogger(settings, { ...bound, ...fields }),
  };
}

/** A logger that drops everything; for tests and code that runs before there is a log. */
export const silentLogger: Logger = createLogger({
  level: "error",
  format: "json",
  stacks: false,
  write: () => {},
  now: () => new Date(0),
});

/** The message of `error` and of each cause behind it that adds to it, joined by a colon. */
export function describeError(error: unknown): string {
  return addCause("", error);
}

/** `said`, and what `cause` and those behind it say besides. */
export function addCause(said: string, cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const text = said.includes(message) ? said : said === "" ? message : `${said}: ${message}`;
  const behind = cause instanceof Error ? cause.cause : undefined;
  return behind === undefined ? text : addCause(text, behind);
}

function flatten(fields: LogFields, stacks: boolean): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    flat[name] = value instanceof Error ? describeError(value) : value;
    if (stacks && value instanceof Error) flat[`${name}_stack`] = value.stack;
  }
  return flat;
}

function textLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(([name, value]) =>
    ` ${name}=${typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value) ?? ""}`
  );
  return `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${pairs.join("")}\n`;
}
