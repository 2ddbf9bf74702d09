/** Worlds of issuers, a store that takes only what is good now, and a mount that reads from it. */
import { AwsSessions } from "./aws_sessions.ts";
import { AzureGate } from "./azure_gate.ts";
import { seedAzurite, startAzuriteWithTokens } from "./azurite.ts";
import { EntraFake } from "./entra_fake.ts";
import { startGcsServers } from "./gcs_place.ts";
import { Mounted } from "./mounted.ts";
import { MountReader } from "./mount_reader.ts";
import { createPlace } from "./place.ts";
import { S3Gate } from "./s3_gate.ts";
import { seededContent } from "./seeded_content.ts";
import { StsFake } from "./sts_fake.ts";
import { createTestAuthority, type TestAuthority } from "./test_authority.ts";
import { startVersitygw } from "./versitygw.ts";
import { PutObjectCommand } from "@aws-sdk/client-s3";

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

/** Who gives out credentials, and can be told to do otherwise. */
export interface TrialIssuer {
  /** In the metrics of renewals. */
  readonly provider: string;
  /** How many it gave out. */
  issued(): number;
  /** Lets what it gives out from now on live for `lifetimeMs`. */
  live(lifetimeMs: number): void;
  /** Ends all it gave out. */
  revokeAll(): void;
  /** Answers the next request with 503. */
  busy(): void;
  /** Gives out nothing, until it is healed. */
  refuse(): void;
  heal(): void;
  /** What a log says when it refuses, and what to do. */
  readonly said: RegExp;
  readonly hint: RegExp;
}

/** A mount of `data`, and who gives it credentials. */
export interface RenewalWorld extends AsyncDisposable {
  readonly mounted: Mounted;
  readonly issuer: TrialIssuer;
  /** What was wrong with the requests that the store refused. */
  refused(): readonly string[];
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
export async function mountAzure(lifetimeMs: number, testMsMax: number): Promise<RenewalWorld> {
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
  const issuer: TrialIssuer = {
    provider: "entra",
    issued: () => entra.tokens.length,
    live: (lifetimeMs) => entra.lifetimeMs = lifetimeMs,
    revokeAll: () => entra.revokeAll(),
    busy: () => entra.fail(503, { error: "busy" }, 1),
    refuse() {
      entra.fail(400, { error: "invalid_request", error_description: "Identity not found" });
    },
    heal: () => entra.fault = null,
    said: /no access token from Entra .*Identity not found/,
    hint: /Run on an Azure machine with a managed identity/,
  };
  return worldOf(mounted, issuer, () => gate.refused, owned.move());
}

/** A mount of a bucket in a role for a token of the machine; sessions live `lifetimeMs`. */
export async function mountS3(lifetimeMs: number, testMsMax: number): Promise<RenewalWorld> {
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
  const issuer: TrialIssuer = {
    provider: "aws_sts",
    issued: () => sessions.all.length,
    live: (lifetimeMs) => sts.lifetimeMs = lifetimeMs,
    revokeAll: () => sessions.revokeAll(),
    busy: () => sts.fail(503, "ServiceUnavailable", 1),
    refuse: () => sts.fail(403, "AccessDenied"),
    heal: () => sts.heal(),
    said: /no AWS credentials .*It is so in this test/,
    hint: /trust policy of/,
  };
  return worldOf(mounted, issuer, () => gate.refused, owned.move());
}

/** A mount of a bucket by the key of an account; tokens live `lifetimeMs`. */
export async function mountGcs(lifetimeMs: number, testMsMax: number): Promise<RenewalWorld> {
  await using owned = new AsyncDisposableStack();
  const { server, issuers, tokens, gate, keyFile } = owned.use(await startGcsServers());
  await server.createBucket(BUCKET);
  for (const key of OBJECTS) await server.upload(BUCKET, key, seededContent(key));
  issuers.lifetimeMs = lifetimeMs;
  const mounted = await mountOn(owned, testMsMax, {
    name: "data",
    type: "gcs",
    config: { root: BUCKET, endpoint: gate.endpoint },
    auth: { method: "service_account", key_file: keyFile },
  }, {});
  const issuer: TrialIssuer = {
    provider: "gcp",
    issued: () => tokens.issued,
    live: (lifetimeMs) => issuers.lifetimeMs = lifetimeMs,
    revokeAll: () => tokens.revoke(),
    busy: () => issuers.busy.push(503),
    refuse: () => issuers.refusal = "The account is disabled",
    heal: () => issuers.refusal = null,
    said: /no Google access token .*The account is disabled/,
    hint: /Check the key in/,
  };
  const refused = () => gate.seen.map(({ state }) => state).filter((state) => state !== "valid");
  return worldOf(mounted, issuer, refused, owned.move());
}

/** Reads from `world` with two readers until `waiting` is over; what they saw. */
export async function readWhile(
  { paths }: RenewalWorld,
  waiting: () => Promise<unknown>,
): Promise<{ readonly reads: number; readonly failures: readonly string[] }> {
  const readers = [new MountReader(paths), new MountReader(paths.toReversed())];
  try {
    await waiting();
  } finally {
    for (const reader of readers) await reader.stop();
  }
  return {
    reads: readers.reduce((sum, { reads }) => sum + reads, 0),
    failures: readers.flatMap(({ failures }) => failures),
  };
}

/** Runs `trial` on every store at once, to the end whoever fails. */
export async function onEveryStore(
  lifetimeMs: number,
  testMsMax: number,
  trial: (world: RenewalWorld) => Promise<void>,
): Promise<void> {
  const trials = [mountAzure, mountS3, mountGcs].map(async (mount) => {
    await using world = await mount(lifetimeMs, testMsMax);
    await trial(world);
  });
  await Promise.allSettled(trials);
  await Promise.all(trials);
}

/** Renewals of `world` that ended with `status`, as its metrics count them. */
export async function renewals(
  { mounted, issuer: { provider } }: RenewalWorld,
  status: "success" | "failure",
): Promise<number> {
  const labels = `{provider="${provider}",status="${status}"}`;
  return (await mounted.metrics()).get(`warpdrive_auth_refresh_total${labels}`) ?? 0;
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

function worldOf(
  mounted: Mounted,
  issuer: TrialIssuer,
  refused: () => readonly string[],
  owned: AsyncDisposableStack,
): RenewalWorld {
  return {
    ...{ mounted, issuer, refused },
    paths: OBJECTS.map((name) => `${mounted.data}/${name}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
