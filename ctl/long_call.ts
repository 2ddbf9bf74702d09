/** Calls of streams that say each second that they go on, and end with what they gave. */
import type { z } from "zod";
import type { CommandContext } from "../cache/platform/cli.ts";
import { within } from "../cache/platform/within.ts";
import type { Endpoint } from "./api.ts";
import type { ControlClient } from "./client.ts";
import { ControlError } from "./control_error.ts";

/** Longest silence: a mount that lives says something each second. */
const SILENCE_MS_MAX = 60_000;

/**
 * Does a call until `take` gives something else than null for a record of it, and returns that.
 *
 * @throws {ControlError} when the mount refuses it, ends in the middle, or says nothing any more.
 */
export async function longCall<Request extends z.ZodType, Answer extends z.ZodType, Done>(
  client: ControlClient,
  endpoint: Endpoint & {
    readonly form: "stream";
    readonly request: Request;
    readonly answer: Answer;
  },
  request: z.input<Request>,
  take: (record: z.output<Answer>) => Done | null,
  { clock, signal }: Pick<CommandContext, "clock" | "signal">,
): Promise<Done> {
  const noAnswer = (reason: string) =>
    new ControlError(
      "no_answer",
      `Wait for the mount at "${client.socket}": ${reason}`,
      "See whether the mount still runs, and its log; it is safe to run this again",
    );
  const over = new AbortController();
  const records = client.stream(endpoint, request, AbortSignal.any([signal, over.signal]));
  try {
    for (;;) {
      const { value, done } = await within(
        records.next(),
        SILENCE_MS_MAX,
        clock,
        () => noAnswer(`it has said nothing for ${SILENCE_MS_MAX / 1_000}s`),
      );
      if (done === true) throw noAnswer("it ended its answer early");
      const taken = take(value);
      if (taken !== null) return taken;
    }
  } finally {
    over.abort();
    await records.return();
  }
}
