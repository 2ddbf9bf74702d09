/** Signals of the process as AbortSignals. */
import { Interruption } from "./cli.ts";

/** The first and the second request to stop, as a command sees them. */
export interface Interrupts extends Disposable {
  readonly signal: AbortSignal;
  readonly forceSignal: AbortSignal;
}

/**
 * The signals that ask this process to stop, given its `/proc/self/status`. SIGHUP too, because a
 * mount must not outlive its terminal as a dead directory; but not where the process was started
 * with it ignored, which is how nohup(1) asks for just that.
 */
export function stopSignals(status: string): readonly Deno.Signal[] {
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  const hangupIgnored = (BigInt(`0x${ignored}`) & 1n) === 1n; // bit N-1 is signal N, SIGHUP is 1
  return hangupIgnored ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP"];
}

/**
 * Listens for `signals` until disposed. Calls `giveUp` at the third signal, so that a command
 * that does not end can always be left.
 */
export function listenForInterrupts(
  signals: readonly Deno.Signal[],
  giveUp: () => void,
): Interrupts {
  const first = new AbortController();
  const second = new AbortController();
  const listeners = signals.map((name) => {
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
