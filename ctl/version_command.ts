/** `warpdrive version`: what to say in a bug report, and what a deployment compares. */
import { z } from "zod";
import { PROVIDERS } from "../cache/backend/backend.ts";
import { type Command, createParser, parseArguments } from "../cache/platform/cli.ts";
import { EXIT } from "../cache/platform/exit.ts";
import { COMMIT, VERSION } from "../cache/platform/version.ts";

/** Types of stores that this build has a client for; the one in memory is for tests. */
const STORES = PROVIDERS.filter((provider) => provider !== "memory");

/** `warpdrive version`. */
export const versionCommand: Command = {
  run(args, context) {
    const parser = createParser("version", context)
      .description("Say which version this is, and what it was built for.")
      .option("--json", "as one JSON object");
    const line = parseArguments(parser, args);
    if (line.kind === "help") return Promise.resolve(EXIT.done);
    const { json } = z.object({ json: z.boolean().default(false) }).parse(line.options);
    const facts = versionFacts();
    context.stdout.write(json ? `${JSON.stringify(facts)}\n` : describe(facts));
    return Promise.resolve(EXIT.done);
  },
};

interface VersionFacts {
  readonly version: string;
  /** `source` when it was not built. */
  readonly commit: string;
  readonly runtime: string;
  /** Machine, as compilers name it. */
  readonly target: string;
  readonly features: readonly string[];
}

function versionFacts(): VersionFacts {
  return {
    version: VERSION,
    commit: COMMIT,
    runtime: `deno ${Deno.version.deno}, v8 ${Deno.version.v8}`,
    target: Deno.build.target,
    features: [...(Deno.build.standalone ? ["compiled"] : []), ...STORES],
  };
}

function describe(facts: VersionFacts): string {
  const { features, ...rest } = facts;
  const rows = [...Object.entries(rest), ["features", features.join(", ")] as const];
  return rows.map(([name, value]) => `${name.padEnd(9)}${value}\n`).join("");
}
