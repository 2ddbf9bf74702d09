/** Worlds of issuers, a store that takes only what is good now, and a mount that reads from it. */
import { AwsSessions } from "./aws_sessions.ts";
import { AzureGate } from "./azure_gate.ts";
import { seedAzurite, startAzuriteWithTokens } from "./azurite.ts";
import { EntraFake } from "./entra_fake.ts";
import { Mounted } from "./mounted.ts";
import { MountReader } from "./mount_reader.ts";
import { createPlace } from "./place.ts";
import { S3Gate } from "./s3_gate.ts";
import { seededContent } from "./seeded_content.ts";
import { StsFake } from "./sts_fake.ts";
import { createTestAuthority, type TestAuthority } from "./test_authority.ts";
import { startVersitygw } from "./versitygw.ts";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { systemClock } from "../../cache/platform/clock.ts";

/** Objects that are read in turn. */
export const OBJECTS: readonly string[] = Array.from(
  { length: 8 },
  (_, index) => `object-${index}`,
);
/** Role that S3 is read in. */
export const ROLE = "arn:aws:iam::123456789012:role/reader";
/** What tokens for AWS are for. */
export const AUDIENCE = "api://AzureADTokenExchange";
/** The one secret of applications. */
export const CLIENT_SECRET = "the-client/secret+of=the~application";
const BUCKET = "renewed";

/** A mount of `data`, and who gives it credentials. */
export interface RenewalWorld extends AsyncDisposable {
  readonly mounted: Mounted;
  readonly entra: EntraFake;
  /** Paths of the objects. */
  readonly paths: readonly string[];
}

/** An issuer of Entra whose tokens live `lifetimeMs`. */
export async function openEntra(
  authority: TestAuthority,
  lifetimeMs: number,
): Promise<EntraFake> {
  return new EntraFake({
    certificate: await Deno.readTextFile(authority.certificateFile),
    key: await Deno.readTextFile(authority.keyFile),
    lifetimeMs,
    clientSecret: CLIENT_SECRET,
    applicationKey: null,
  });
}

/** Kernel and listings that remember nothing, so that each look is a request. */
export const FORGETFUL = {
  fuse: { attr_timeout: "0", entry_timeout: "0", negative_timeout: "0" },
  cache: { stale_ttl: "0" },
};

/** A mount of a container by the identity of the machine; tokens live `lifetimeMs`. */
export async function mountAzure(
  lifetimeMs: number,
  testMsMax: number,
): Promise<RenewalWorld & { readonly gate: AzureGate }> {
  await using owned = new AsyncDisposableStack();
  const authority = owned.use(await createTestAuthority());
  const azurite = owned.use(await startAzuriteWithTokens(authority));
  await seedAzurite(azurite, authority, BUCKET, OBJECTS);
  const entra = owned.use(await openEntra(authority, lifetimeMs));
  const gate = owned.use(await AzureGate.open(azurite, entra, authority));
  const { account } = azurite;
  const mounted = await mountOn(owned, testMsMax, {
    name: "data",
    type: "azureblob",
    config: { account, root: BUCKET, endpoint: gate.endpoint },
    auth: { method: "managed_identity" },
  }, {
    ...authority.trust,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost,
  });
  return worldOf(mounted, entra, owned.move(), { gate });
}

/** A mount of a bucket in a role for a token of the machine; sessions live `lifetimeMs`. */
export async function mountS3(
  lifetimeMs: number,
  testMsMax: number,
): Promise<
  RenewalWorld & { readonly gate: S3Gate; readonly sts: StsFake; readonly sessions: AwsSessions }
> {
  await using owned = new AsyncDisposableStack();
  const authority = owned.use(await createTestAuthority());
  const server = owned.use(await startVersitygw());
  await server.createBucket(BUCKET);
  for (const Key of OBJECTS) {
    await server.client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key, Body: seededContent(Key) }),
    );
  }
  const entra = owned.use(await openEntra(authority, lifetimeMs));
  const sessions = new AwsSessions();
  const judge = (token: string) => entra.judge(token, AUDIENCE);
  const sts = owned.use(new StsFake({ sessions, lifetimeMs, judge }));
  const gate = owned.use(new S3Gate(server, sessions));
  const mounted = await mountOn(owned, testMsMax, {
    name: "data",
    type: "s3",
    config: { root: BUCKET, endpoint: gate.endpoint, region: "us-east-1" },
    auth: {
      ...{ method: "oidc_federation", role_arn: ROLE, audience: AUDIENCE },
      sts_endpoint: sts.endpoint,
    },
  }, { AZURE_POD_IDENTITY_AUTHORITY_HOST: entra.metadataHost });
  return worldOf(mounted, entra, owned.move(), { gate, sts, sessions });
}

/** Reads from `world` with two readers for `durationMs`; what they saw. */
export async function readFor(
  { paths }: RenewalWorld,
  durationMs: number,
): Promise<{ readonly reads: number; readonly failures: readonly string[] }> {
  const readers = [new MountReader(paths), new MountReader(paths.toReversed())];
  try {
    await systemClock.sleep(durationMs, new AbortController().signal);
  } finally {
    for (const reader of readers) await reader.stop();
  }
  return {
    reads: readers.reduce((sum, { reads }) => sum + reads, 0),
    failures: readers.flatMap(({ failures }) => failures),
  };
}

async function mountOn(
  owned: AsyncDisposableStack,
  testMsMax: number,
  backend: Readonly<Record<string, unknown>>,
  variables: Readonly<Record<string, string>>,
): Promise<Mounted> {
  const place = owned.use(await createPlace());
  const config = { ...FORGETFUL, backends: [backend] };
  return owned.use(await Mounted.start(place, { config, variables, testMsMax }));
}

function worldOf<T extends object>(
  mounted: Mounted,
  entra: EntraFake,
  owned: AsyncDisposableStack,
  more: T,
): RenewalWorld & T {
  return {
    ...more,
    mounted,
    entra,
    paths: OBJECTS.map((name) => `${mounted.data}/${name}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
