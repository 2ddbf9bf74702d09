/** Signals of the process as AbortSignals. */
import { Interruption } from "./cli.ts";

/** The first and the second request to stop, as a command sees them. */
export interface Interrupts extends Disposable {
  readonly signal: AbortSignal;
  readonly forceSignal: AbortSignal;
}

/** SIGHUP too: a mount must not outlive its terminal as a dead directory. */
const STOP_SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Listens until disposed. Calls `giveUp` at the third signal, so that a command that does not end
 * can always be left.
 */
export function listenForInterrupts(giveUp: () => void): Interrupts {
  const first = new AbortController();
  const second = new AbortController();
  const listeners = STOP_SIGNALS.map((name) => {
    const listener = () => {
      if (!first.signal.aborted) first.abort(new Interruption(name));
      else if (!second.signal.aborted) second.abort(new Interruption(name));
      else giveUp();
    };
    Deno.addSignalListener(name, listener);
    return { name, listener };
  });
  return {
    signal: first.signal,
    forceSignal: second.signal,
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) Deno.removeSignalListener(name, listener);
    },
  };
}
