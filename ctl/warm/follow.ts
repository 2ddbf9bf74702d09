/** Begins a job, hands over its paths and follows it to its end. */
import type { z } from "zod";
import type { CommandContext } from "../../cache/platform/cli.ts";
import { WARM_BEGIN, WARM_MORE, type WarmRecord, type WarmStatus } from "../api_warm.ts";
import type { ControlClient } from "../client.ts";
import { longCall } from "../long_call.ts";
import { callsOf } from "./paths.ts";

/** What is to be done, but for the paths. */
export type WarmOptions = Omit<z.input<typeof WARM_BEGIN.request>, "paths" | "more">;

/**
 * Does a job, telling `onRecord` of all that the mount says; how it ended, or was detached.
 *
 * @throws {ControlError} when the mount refuses it, or ends in the middle.
 * @throws what reading `paths` does; the job is ended then.
 */
export async function followJob(
  client: ControlClient,
  paths: AsyncIterable<string>,
  options: WarmOptions,
  onRecord: (record: WarmRecord) => void,
  context: Pick<CommandContext, "clock" | "signal">,
): Promise<WarmStatus> {
  const calls = callsOf(paths);
  const first = (await calls.next()).value ?? { paths: [], isLast: true };
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  let handing = Promise.resolve();
  const handOver = async (job: string) => {
    try {
      for await (const { paths, isLast } of calls) {
        await client.call(WARM_MORE, { job, paths: [...paths], more: !isLast }, signal);
      }
    } catch (error) {
      // The job has no use for half of its paths.
      over.abort(error);
    }
  };
  const request = { ...options, paths: [...first.paths], more: !first.isLast };
  try {
    return await longCall(client, WARM_BEGIN, request, (record) => {
      onRecord(record);
      switch (record.event) {
        case "begun":
          if (!first.isLast) handing = handOver(record.job);
          return null;
        case "progress":
        case "failed":
          return null;
        case "detached":
        case "ended":
          return record;
      }
    }, { clock: context.clock, signal });
  } finally {
    over.abort();
    await handing;
  }
}
