/**
 * A real Azurite, Microsoft's emulator of Azure Blob Storage, for tests and the demo: installed
 * once outside the tree, then started under Node with everything in memory.
 */
import { exists } from "./exists.ts";
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { TextLineStream } from "../../cache/platform/text_lines.ts";

/** Later versions want a package that not every registry has. */
const VERSION = "3.35.0";
/** The account and key every Azurite has: documented, the same everywhere, and no secret. */
const ACCOUNT = "devstoreaccount1";
const KEY =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const READY = /successfully listens on (https?:\/\/\S+)/;
/**
 * Runs the program named after it. It ends with its standard input: with us, however we end. Once
 * it listens it says no more, so nobody has to read on.
 *
 * Connections may idle for minutes, as those of the real service: by its default Azurite closes
 * them 5 s after it has sent an answer, which a slow link still has under way. It has an option for
 * that, which it reads by another name than the one it takes.
 */
const LEASH = `
  const environment = require("node:path").join(process.argv[1], "../BlobEnvironment.js");
  require(environment).default.prototype.blobKeepAliveTimeout = () => 120;
  process.stdin.resume().on("close", () => process.exit());
  const write = process.stdout.write.bind(process.stdout);
  let listens = false;
  process.stdout.write = (text) => {
    if (!listens) write(text);
    listens ||= String(text).includes("successfully listens");
    return true;
  };
  require(process.argv[1]);
`;

/** A running Azurite; disposing ends it, and all it stored is gone. */
export interface Azurite extends AsyncDisposable {
  /** Blob service URL of the account, as `endpoint` of a backend takes it. */
  readonly endpoint: string;
  readonly account: string;
  readonly key: string;
  /** Creates container `name` unless it is there, and gives access to it past our own code. */
  container(name: string): Promise<ContainerClient>;
}

/** Files of a certificate for 127.0.0.1 and its key, in PEM. */
export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Starts Azurite on a free port; resolves when it listens. Installs it first where needed. */
export function startAzurite(): Promise<Azurite> {
  return start([]);
}

/** The same over https, which it wants for Entra tokens; their signatures are not checked. */
export function startAzuriteWithTokens(certificate: Certificate): Promise<Azurite> {
  const { certificateFile, keyFile } = certificate;
  return start(["--oauth", "basic", "--cert", certificateFile, "--key", keyFile]);
}

async function start(flags: readonly string[]): Promise<Azurite> {
  const program = await installAzurite(new AbortController().signal);
  const child = new Deno.Command("node", {
    args: [
      "--eval",
      LEASH,
      program,
      ...["--blobHost", "127.0.0.1", "--blobPort", "0"],
      ...["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"],
      ...flags,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TextLineStream(),
  );
  const reader = lines.getReader();
  const said: string[] = [];
  let origin: string | null = null;
  while (origin === null) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Cannot start Azurite: it ended, having said ${said.join("; ")}`);
    said.push(value);
    origin = READY.exec(value)?.[1] ?? null;
  }
  await reader.cancel();
  const endpoint = `${origin}/${ACCOUNT}`;
  const credential = new StorageSharedKeyCredential(ACCOUNT, KEY);
  return {
    endpoint,
    account: ACCOUNT,
    key: KEY,
    async container(name) {
      const client = new ContainerClient(`${endpoint}/${name}`, credential);
      await client.createIfNotExists();
      return client;
    },
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
    },
  };
}

/** Makes `container` in an Azurite over https, and objects `names` in it. */
export async function seedAzurite(
  { endpoint, key }: Azurite,
  { trust }: { readonly trust: Readonly<Record<string, string>> },
  container: string,
  names: readonly string[],
): Promise<void> {
  const program = new URL("./azure_seed.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, program, endpoint, container, ...names],
    env: { ...trust, AZURITE_KEY: key },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`Cannot fill Azurite: ${new TextDecoder().decode(stderr)}`);
}

/** The path of Azurite's Blob service program, installed in the user's cache directory. */
export async function installAzurite(signal: AbortSignal): Promise<string> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const cache = `${home}/warpdrive-tests`;
  const directory = `${cache}/azurite-${VERSION}`;
  const program = `${directory}/node_modules/azurite/dist/src/blob/main.js`;
  if (await exists(program)) return program;
  await Deno.mkdir(cache, { recursive: true });
  // Other test runs may be installing too: whoever is first puts the whole directory in place.
  const own = await Deno.makeTempDir({ dir: cache });
  try {
    const npm = await new Deno.Command("npm", {
      args: ["install", "--prefix", own, "--no-audit", "--no-fund", `azurite@${VERSION}`],
      stdout: "piped",
      stderr: "piped",
      signal,
    }).output();
    signal.throwIfAborted();
    if (!npm.success) {
      throw new Error(`Cannot install Azurite: ${new TextDecoder().decode(npm.stderr)}`);
    }
    await Deno.rename(own, directory).catch(async (error: unknown) => {
      if (!(await exists(program))) throw error;
    });
  } finally {
    if (await exists(own)) await Deno.remove(own, { recursive: true });
  }
  return program;
}
