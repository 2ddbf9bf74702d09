/** Numbers as the demo shows them. */
import { formatBytes } from "../../cache/platform/units.ts";
import { type Counters, hitRate } from "./counters.ts";

/** `26,503`; signed, `+26,503` or `-340`. */
export function countText(count: number, sign: "plain" | "signed" = "plain"): string {
  const text = count.toLocaleString("en-US");
  return sign === "signed" && count > 0 ? `+${text}` : text;
}

/** `147.0 MiB`, `0 B`. */
export function bytesText(bytes: number): string {
  return formatBytes(bytes);
}

/** `33,383 ms`. */
export function millisecondsText(ms: number): string {
  return `${countText(Math.round(ms))} ms`;
}

/** `2.3x`. */
export function ratioText(ratio: number): string {
  return Number.isFinite(ratio) ? `${ratio.toFixed(1)}x` : "-";
}

/** The hit rate, `97.5 %`; `-` when no block was asked for. */
export function percentText(counters: Counters): string {
  const rate = hitRate(counters);
  return rate === null ? "-" : `${(100 * rate).toFixed(1)} %`;
}

/** `154 us`, `2.3 ms`. */
export function secondsText(seconds: number): string {
  return seconds < 0.001 ? `${(seconds * 1e6).toFixed(0)} us` : `${(seconds * 1e3).toFixed(1)} ms`;
}
