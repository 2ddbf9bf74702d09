/** Requests that may outlive the interest of who asked. */
import { AbortScope } from "../../cache/backend/abort_scope.ts";

/** A signal that follows the caller's until it has its answer, and the mount's until the end. */
export class FollowedCaller implements Disposable {
  readonly #scope: AbortScope;
  readonly #caller: AbortSignal;
  readonly #abort = () => this.#scope.abort(this.#caller.reason);

  constructor(caller: AbortSignal, mount: AbortSignal) {
    this.#scope = new AbortScope(mount);
    this.#caller = caller;
    if (caller.aborted) this.#abort();
    else caller.addEventListener("abort", this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#scope.signal;
  }

  /** The caller has its answer: what it asked goes on without it. */
  leave(): void {
    this.#caller.removeEventListener("abort", this.#abort);
  }

  [Symbol.dispose](): void {
    this.leave();
    this.#scope[Symbol.dispose]();
  }
}
