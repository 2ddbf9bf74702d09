/** `warpdrive bench`: the read benchmark. Its place; the contents are still to come. */
import type { Command } from "../cache/platform/cli.ts";
import { futureCommand } from "../cache/platform/future_command.ts";

export const benchCommand: Command = futureCommand("bench", "measure how fast a directory reads");
