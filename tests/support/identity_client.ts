/** Runs a process of its own that uses a backend, as the configuration of one says. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const PROGRAMS = {
  azure: fileURLToPath(new URL("./azure_identity_client.ts", import.meta.url)),
  s3: fileURLToPath(new URL("./s3_identity_client.ts", import.meta.url)),
};
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** What it read or why it did not, and who gave out credentials. */
export interface IdentityAnswer {
  readonly said: string;
  readonly renewals: readonly string[];
}

/** Writes, reads and lists with `backend`, an entry of `backends:`, in the environment `env`. */
export async function runIdentityClient(
  provider: "azure" | "s3",
  backend: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>>,
): Promise<IdentityAnswer> {
  const program = PROGRAMS[provider];
  const home = Deno.env.get("HOME") ?? "";
  const runtime = {
    PATH: Deno.env.get("PATH") ?? "",
    DENO_DIR: Deno.env.get("DENO_DIR") ?? `${home}/.cache/deno`,
    AWS_REGION: "us-east-1",
  };
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", CONFIG, program, JSON.stringify(backend)],
    clearEnv: true,
    env: { ...runtime, ...env },
    stdout: "piped",
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const answer: unknown = JSON.parse(new TextDecoder().decode(stdout));
  assert.ok(typeof answer === "object" && answer !== null);
  assert.ok("said" in answer && typeof answer.said === "string");
  assert.ok("renewals" in answer && Array.isArray(answer.renewals));
  return { said: answer.said, renewals: answer.renewals.map(String) };
}
