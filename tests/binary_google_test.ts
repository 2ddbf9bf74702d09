/** That the libraries behind Google's tokens work in the compiled program, too. */
import { deepEqual, match } from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { ACCOUNT, ENTRA_RESOURCE, GoogleFake, POOL, USER } from "./support/google_fake.ts";
import { TokenBook } from "./support/token_book.ts";

const BINARY = join(REPOSITORY, "dist", "warpdrive");

type Mapping = Readonly<Record<string, string>>;

/** A store that holds nothing, and shows that to who has a valid token. */
function startEmptyStore(tokens: TokenBook): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const token = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
    if (tokens.stateOf(token) !== "valid") return new Response("Not you", { status: 401 });
    return Response.json({ kind: "storage#objects" });
  });
}

Deno.test("the binary gets Google's tokens from each kind of issuer", async (t) => {
  const tokens = new TokenBook();
  await using issuers = GoogleFake.start(tokens);
  await using owned = new AsyncDisposableStack();
  const store = startEmptyStore(tokens);
  owned.defer(() => store.shutdown());
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-google-" });
  owned.defer(() => Deno.remove(directory, { recursive: true }));
  const file = async (name: string, content: unknown) => {
    await Deno.writeTextFile(`${directory}/${name}`, JSON.stringify(content));
    return `${directory}/${name}`;
  };
  const user = { type: "authorized_user", ...USER, token_uri: `${issuers.origin}/token` };
  const pool = {
    method: "gcp_wif",
    audience: POOL,
    entra_resource: ENTRA_RESOURCE,
    service_account: ACCOUNT,
    sts_url: `${issuers.origin}/v1/token`,
    iam_endpoint: issuers.origin,
  };
  const keyFile = await file("key.json", issuers.key());
  const userFile = await file("user.json", user);
  const named = { method: "default" };
  const cases: readonly (readonly [auth: Mapping, env: Mapping, seen: readonly string[]])[] = [
    [{ method: "service_account", key_file: keyFile }, {}, ["key"]],
    [named, { GOOGLE_APPLICATION_CREDENTIALS: userFile }, ["user"]],
    [named, { GCE_METADATA_HOST: issuers.host }, ["metadata"]],
    [
      pool,
      { AZURE_POD_IDENTITY_AUTHORITY_HOST: issuers.origin },
      ["entra system", "sts cloud-platform", "iamcredentials"],
    ],
  ];
  for (const [auth, env, seen] of cases) {
    await t.step(seen.join(", "), async () => {
      issuers.seen.length = 0;
      const config = { root: "bucket", endpoint: `http://127.0.0.1:${store.addr.port}` };
      const backends = [{ name: "gcs", type: "gcs", config, auth }];
      const mount = { mount_point: "/mnt/none", metrics: { enabled: false }, backends };
      const configFile = await file("config.yaml", mount);
      const { stdout, stderr } = await new Deno.Command(BINARY, {
        args: ["mount", "--check", "--config", configFile],
        clearEnv: true,
        env,
        cwd: "/",
        stdin: "null",
      }).output();
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      match(said, /backend "gcs" +lists its root in \S+, and holds nothing/);
      deepEqual(issuers.seen, seen);
    });
  }
});
