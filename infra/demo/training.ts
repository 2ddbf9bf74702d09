/** What `warpdrive forge train --json` prints, one object per line. */
import { z } from "zod";

const FIGURES = {
  images_per_sec: z.number(),
  data_ms: z.number(),
  compute_ms: z.number(),
  loss: z.number(),
};
const WINDOW = z.object({ event: z.literal("window"), step: z.number(), ...FIGURES });
const SUMMARY = z.object({
  event: z.literal("done"),
  steps: z.number(),
  samples: z.number(),
  order: z.string(),
  ...FIGURES,
});

/** Some steps, as the trainer reports them. */
export type Window = z.infer<typeof WINDOW>;
/** The whole run. */
export type Summary = z.infer<typeof SUMMARY>;

/** One line; null for an event that the demo does not look at. */
export function parseTrainingLine(line: string): Window | Summary | null {
  const record: unknown = JSON.parse(line);
  const window = WINDOW.safeParse(record);
  if (window.success) return window.data;
  const summary = SUMMARY.safeParse(record);
  return summary.success ? summary.data : null;
}
