/** A subcommand whose place is kept but whose contents this build does not have. */
import { type Command, createParser, parseArguments } from "./cli.ts";
import { CommandError, EXIT } from "./exit.ts";
import { VERSION } from "./version.ts";

/** `warpdrive <name>`, which says so and fails, whatever it is given. */
export function futureCommand(name: string, purpose: string): Command {
  return {
    run(args, context) {
      const parser = createParser(name, context)
        .description(`Will ${purpose}. This build does not contain it yet.`)
        .allowUnknownOption()
        .allowExcessArguments();
      if (parseArguments(parser, args).kind === "help") return Promise.resolve(EXIT.done);
      return Promise.reject(
        new CommandError(
          "failed",
          `Cannot run "warpdrive ${name}": version ${VERSION} does not contain it yet`,
          'Run "warpdrive --help" for what it contains',
        ),
      );
    },
  };
}
