/** Cloud Storage backends on a server of the tests. */
import { GcsBackend } from "../../cache/backend/gcs/backend.ts";
import type { GcsSource } from "../../cache/backend/gcs/source.ts";
import { systemClock } from "../../cache/platform/clock.ts";
import { type FakeGcs, startFakeGcs } from "./fake_gcs.ts";
import { GcsGate } from "./gcs_gate.ts";
import { GoogleFake } from "./google_fake.ts";
import { TokenBook } from "./token_book.ts";

/** The bucket `bucket` of the service at `endpoint`, without credentials. */
export function gcsSourceAt(endpoint: string, bucket: string): GcsSource {
  return {
    type: "gcs",
    bucket,
    prefix: "",
    endpoint,
    userProject: null,
    caCertificates: null,
    proxy: null,
    listPageSize: 1_000,
    auth: { method: "none" },
  };
}

/** The bare provider at `source`. */
export function openGcs(
  source: GcsSource,
  onRenewal: (status: string, provider: string) => void = () => {},
): GcsBackend {
  return GcsBackend.open("gcs", source, { clock: systemClock, random: () => 0, onRenewal });
}

/** A server with a gate before it, issuers of tokens for the gate, and the key of an account. */
export interface GcsServers extends AsyncDisposable {
  readonly server: FakeGcs;
  readonly tokens: TokenBook;
  readonly issuers: GoogleFake;
  readonly gate: GcsGate;
  /** A file with the key. */
  readonly keyFile: string;
  /** A directory for further files. */
  readonly directory: string;
}

/** Starts all of them. */
export async function startGcsServers(): Promise<GcsServers> {
  await using owned = new AsyncDisposableStack();
  const server = owned.use(await startFakeGcs());
  const tokens = new TokenBook();
  const issuers = owned.use(GoogleFake.start(tokens));
  const gate = owned.use(GcsGate.start(server.endpoint, tokens));
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-gcs-" });
  owned.defer(() => Deno.remove(directory, { recursive: true }));
  const keyFile = `${directory}/key.json`;
  await Deno.writeTextFile(keyFile, JSON.stringify(issuers.key()));
  const ends = owned.move();
  return {
    ...{ server, tokens, issuers, gate, keyFile, directory },
    [Symbol.asyncDispose]: () => ends.disposeAsync(),
  };
}

/** The bucket `bucket` behind the gate, by the key. */
export function gatedSourceAt({ gate, keyFile }: GcsServers, bucket: string): GcsSource {
  const auth = { method: "service_account", keyFile } as const;
  return { ...gcsSourceAt(gate.endpoint, bucket), auth };
}
