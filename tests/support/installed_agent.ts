/** The compiled program and its unit, installed in a booted system as an operator does it. */
import { join } from "node:path/posix";
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import { BootedSystem } from "./booted_system.ts";

/** The unit under test. */
export const AGENT = "warpdrive-agent.service";
/** Files of the unit and its examples. */
export const UNITS = join(REPOSITORY, "infra", "systemd");

/** The program under test: `dist/warpdrive`, unless WARPDRIVE_BIN names another. */
export function binaryPath(): string {
  return Deno.env.get("WARPDRIVE_BIN") ?? join(REPOSITORY, "dist", "warpdrive");
}

/** What is installed besides. */
export interface Installation {
  /** Sections of `/etc/warpdrive/config.yaml`; by default `/wd/data` shows `/srv/data`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** More files, by their path inside. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Boots a system with the agent installed and one file, `/srv/data/file`, to serve. */
export async function bootWithAgent(installation: Installation = {}): Promise<BootedSystem> {
  return await BootedSystem.boot((root) => installAgent(root, installation));
}

/** Puts the agent into the root file system of a system that is not booted yet. */
export async function installAgent(
  root: string,
  { config, files }: Installation = {},
): Promise<void> {
  const settings = {
    mount_point: "/wd",
    backends: [{ name: "data", type: "local", config: { root: "/srv/data" } }],
    ...config,
  };
  await write(`${root}/etc/warpdrive/config.yaml`, JSON.stringify(settings));
  await write(`${root}/srv/data/file`, "content");
  for (const [path, text] of Object.entries(files ?? {})) await write(`${root}${path}`, text);
  await Deno.mkdir(`${root}/wd`, { recursive: true });
  await Deno.mkdir(`${root}/usr/local/bin`, { recursive: true });
  await Deno.copyFile(binaryPath(), `${root}/usr/local/bin/warpdrive`);
  await Deno.copyFile(`${UNITS}/${AGENT}`, `${root}/etc/systemd/system/${AGENT}`);
}

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, text);
}
