/** The program in a process of its own, and its log as it comes. */
import { programCommand } from "../cli/run_program.ts";
import { TextLineStream } from "../../cache/platform/text_lines.ts";

/** Longest wait for anything the program should do. */
const WAIT_MS_MAX = 30_000;

/** A line of the log; `message` is the whole line where it is no record. */
export interface LogRecord {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A run of the program that goes on; disposing kills it. */
export class Program implements AsyncDisposable {
  /** What it said on stderr so far. */
  readonly log: LogRecord[] = [];
  /** All of both outputs so far, as it came. */
  rawLog = "";
  readonly #child: Deno.ChildProcess;
  /** Resolves with the next line. */
  #next = Promise.withResolvers<void>();
  readonly #drained: Promise<unknown>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#drained = Promise.all([this.#follow(), this.#collect()]);
  }

  /** Starts `warpdrive` with `args` and the environment `variables`. */
  static start(
    args: readonly string[],
    variables: Readonly<Record<string, string>> = {},
  ): Program {
    return Program.follow(programCommand(args, "/", variables));
  }

  /** Starts `command`, which runs the program in some other way; its outputs are pipes. */
  static follow(command: Deno.Command): Program {
    return new Program(command.spawn());
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** The log as text, for people. */
  get logText(): string {
    return this.log.map((record) => `${record.level} ${JSON.stringify(record.fields)}`).join("\n");
  }

  signal(name: Deno.Signal): void {
    this.#child.kill(name);
  }

  /** Waits until it ends; its exit code. */
  async exit(): Promise<number> {
    const { code } = await this.#inTime(this.#child.status, "end");
    await this.#drained;
    return code;
  }

  /** Waits for a record that `matches`, past or future. */
  async logged(what: string, matches: (record: LogRecord) => boolean): Promise<LogRecord> {
    for (let seen = 0;; seen += 1) {
      while (seen >= this.log.length) {
        await this.#inTime(Promise.race([this.#next.promise, this.#ended()]), `log ${what}`);
      }
      const record = this.log[seen];
      if (record !== undefined && matches(record)) return record;
    }
  }

  /** Waits until the mount is listable. */
  async ready(): Promise<LogRecord> {
    return await this.logged("that it is ready", ({ fields }) => fields["event"] === "ready");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
    await this.#drained;
  }

  async #ended(): Promise<never> {
    const { code } = await this.#child.status;
    await this.#drained;
    throw new Error(`The program ended with exit code ${code}`);
  }

  async #follow(): Promise<void> {
    const lines = this.#child.stderr.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      this.rawLog += `${line}\n`;
      this.log.push(parseRecord(line));
      this.#next.resolve();
      this.#next = Promise.withResolvers();
    }
  }

  async #collect(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.rawLog += text;
    }
  }

  async #inTime<T>(promise: Promise<T>, what: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`The program did not ${what} in ${WAIT_MS_MAX / 1000} s`)),
      WAIT_MS_MAX,
    );
    try {
      return await Promise.race([promise, late.promise]);
    } catch (error) {
      throw new Error(`Its log:\n${this.logText}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

function parseRecord(line: string): LogRecord {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
      const named = Object.fromEntries(Object.entries(fields));
      return { level: String(named["level"]), message: String(named["message"]), fields: named };
    }
  } catch {
    // The last words of a program that fails are for people.
  }
  return { level: "text", message: line, fields: { line } };
}
