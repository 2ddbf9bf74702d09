import { createLogger, type LogFields, type Logger } from "../../cache/platform/log.ts";

/** A logger and the records it was given, as they would be printed. */
export function collectedLog(): { readonly logger: Logger; readonly records: LogFields[] } {
  const records: LogFields[] = [];
  const logger = createLogger({
    level: "debug",
    format: "json",
    stacks: false,
    write: (line) => records.push(JSON.parse(line)),
    now: () => new Date(0),
  });
  return { logger, records };
}
