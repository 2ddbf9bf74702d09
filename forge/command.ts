/** `warpdrive forge`: the trainer and launcher. Its place; the contents are still to come. */
import type { Command } from "../cache/platform/cli.ts";
import { futureCommand } from "../cache/platform/future_command.ts";

export const forgeCommand: Command = futureCommand(
  "forge",
  "train from tar shards, locally or on a cluster",
);
