/** Reads through a mount past the page cache, so that every read is a request to the store. */
import { equal } from "node:assert/strict";
import { TaskGroup } from "../../cache/platform/limit.ts";
import { seededContent } from "./seeded_content.ts";

/** Longest wait for one read. */
const READ_SECONDS_MAX = 60;

/** What a read came to: how long it took, or what `dd` said. */
export type ReadOutcome =
  | { readonly kind: "read"; readonly tookMs: number }
  | { readonly kind: "failed"; readonly said: string };

/** Reads the file at `path`, which was seeded by its name, with O_DIRECT. */
export async function readDirect(path: string): Promise<ReadOutcome> {
  const begunMs = performance.now();
  const { success, stdout, stderr } = await new Deno.Command("timeout", {
    args: [String(READ_SECONDS_MAX), "dd", `if=${path}`, "bs=64k", "iflag=direct", "status=none"],
    env: { LC_ALL: "C" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (!success) return { kind: "failed", said: new TextDecoder().decode(stderr).trim() };
  equal(stdout.length, seededContent("").length, `all of "${path}"`);
  equal(
    String(stdout) === String(seededContent(path.slice(path.lastIndexOf("/") + 1))),
    true,
    path,
  );
  return { kind: "read", tookMs: performance.now() - begunMs };
}

/** Reads one file after the other, over and over, until disposed. */
export class MountReader implements AsyncDisposable {
  readonly outcomes: ReadOutcome[] = [];
  readonly #paths: readonly string[];
  readonly #errors: unknown[] = [];
  readonly #running = new TaskGroup((error) => {
    this.#errors.push(error);
  });
  #wanted = true;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
    this.#running.add(this.#read());
  }

  get reads(): number {
    return this.outcomes.filter(({ kind }) => kind === "read").length;
  }

  /** What failed reads said. */
  get failures(): readonly string[] {
    return this.outcomes.flatMap((outcome) => outcome.kind === "failed" ? [outcome.said] : []);
  }

  /** Ends it after the read that goes on; throws when one had wrong bytes. */
  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#running.settled();
    for (const error of this.#errors) throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #read(): Promise<void> {
    for (let turn = 0; this.#wanted; turn += 1) {
      const path = this.#paths[turn % this.#paths.length] ?? "";
      this.outcomes.push(await readDirect(path));
    }
  }
}
