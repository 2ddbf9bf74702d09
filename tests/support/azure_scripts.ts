/** The scripts of `infra/azure`, run as their user would, against a stand-in for the cloud. */
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import { programWords } from "../cli/run_program.ts";
import { AZ_STAND_IN, type Call, type Cloud, emptyCloud } from "./az_stand_in.ts";
import type { CommandResult } from "./command.ts";

/** A failure that befalls no call. */
const NOTHING = "^\\b$";
/** A value that no failure pattern matches. */
const SHARDS = "5";

/** A person's machine with the scripts; disposing takes it away. */
export class AzureScripts implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** Prepares an empty cloud. */
  static async open(): Promise<AzureScripts> {
    const directory = await Deno.makeTempDir({ prefix: "warpdrive-azure-" });
    await Deno.mkdir(`${directory}/bin`);
    const standIn = `${REPOSITORY}/tests/support/az_stand_in.ts`;
    const az = `exec "${Deno.execPath()}" run -A --no-check --quiet "${standIn}" "$@"`;
    await program(`${directory}/bin/az`, az);
    const words = programWords().map((word) => `"${word}"`).join(" ");
    await program(`${directory}/bin/warpdrive`, `exec ${words} "$@"`);
    await Deno.writeTextFile(`${directory}/key.pub`, "ssh-ed25519 AAAA\n");
    const scripts = new AzureScripts(directory);
    await scripts.reset();
    return scripts;
  }

  /** Empties the cloud, and forgets names and calls. */
  async reset(): Promise<void> {
    await Deno.writeTextFile(`${this.directory}/cloud`, JSON.stringify(emptyCloud()));
    await this.heal();
    await Deno.remove(`${this.directory}/names`).catch(ignoreAbsence);
  }

  /** Lets calls fail that `pattern` matches. */
  async fail(pattern: RegExp): Promise<void> {
    await Deno.writeTextFile(`${this.directory}/failing`, pattern.source);
  }

  /** Lets nothing fail any more, and forgets the calls. */
  async heal(): Promise<void> {
    await Deno.writeTextFile(`${this.directory}/failing`, NOTHING);
    await Deno.writeTextFile(`${this.directory}/calls`, "");
  }

  /** Runs a script with more settings in its environment. */
  async run(
    script: string,
    args: readonly string[] = [],
    settings: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> {
    const { directory } = this;
    const { code, stdout, stderr } = await new Deno.Command("bash", {
      args: [`${REPOSITORY}/infra/azure/${script}`, ...args],
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      env: {
        ...{ PATH: `${directory}/bin:/usr/sbin:/usr/bin:/sbin:/bin`, [AZ_STAND_IN]: directory },
        ...{ HOME: Deno.env.get("HOME") ?? directory, STATE_FILE: `${directory}/names` },
        ...{ DENO_DIR: Deno.env.get("DENO_DIR") ?? "" },
        ...{ SSH_PUBLIC_KEY: `${directory}/key.pub`, SSH_FROM: "203.0.113.7/32" },
        ...{ WORK_DIRECTORY: `${directory}/shards`, SHARDS, SAMPLES: "2", IMAGE_SIZE: "32x32" },
        ...{ IMAGE_BYTES: "1KiB", ROLE_TRIES: "2", ROLE_PAUSE: "0" },
        ...{ CONFIG_FILE: `${directory}/config.yaml`, NVME: `${directory}/nvme` },
        ...settings,
      },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  async cloud(): Promise<Cloud> {
    return JSON.parse(await Deno.readTextFile(`${this.directory}/cloud`));
  }

  /** Every call since the last `heal`. */
  async calls(): Promise<readonly Call[]> {
    const lines = (await Deno.readTextFile(`${this.directory}/calls`)).split("\n");
    return lines.filter((line) => line !== "").map((line): Call => JSON.parse(line));
  }

  /** Those that make or change something. */
  async creations(): Promise<readonly string[]> {
    const calls = (await this.calls()).map((call) => call.join(" "));
    return calls.filter((call) => / (create|update|upload|delete) /.test(call));
  }

  /** The names that were generated; empty before. */
  async names(): Promise<string> {
    try {
      return await Deno.readTextFile(`${this.directory}/names`);
    } catch (error) {
      ignoreAbsence(error);
      return "";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

async function program(path: string, line: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
}

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
