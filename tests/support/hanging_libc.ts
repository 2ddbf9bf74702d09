/** A C library whose calls to the disk can be made to hang, as on a disk that does not answer. */
import { Libc } from "../../cache/platform/libc.ts";

/** Calls that can hang. */
export type DiskCall =
  | "readLater"
  | "openLater"
  | "statusLater"
  | "writeAtLater"
  | "truncateLater";

/** The real library, and what hangs of it. */
export class HangingLibc {
  readonly libc: Libc;
  readonly #hanging = new Set<DiskCall>();
  #answer = Promise.withResolvers<void>();

  constructor() {
    const real = Libc.open();
    const files = this.#over(real.files);
    this.libc = this.#over(real, { files });
  }

  /** From now on `calls` get no answer. */
  hang(...calls: readonly DiskCall[]): void {
    for (const call of calls) this.#hanging.add(call);
  }

  /** Everything that waits is done after all, and nothing hangs any more. */
  answer(): void {
    this.#hanging.clear();
    this.#answer.resolve();
    this.#answer = Promise.withResolvers();
  }

  #over<T extends object>(real: T, replaced: Readonly<Record<string, unknown>> = {}): T {
    return new Proxy(real, {
      get: (target, name) => {
        if (typeof name === "string" && name in replaced) return replaced[name];
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const call = () => Reflect.apply(member, target, args);
          return this.#hangs(name) ? this.#answer.promise.then(call) : call();
        };
      },
    });
  }

  #hangs(name: string | symbol): boolean {
    return [...this.#hanging].some((call) => call === name);
  }
}
