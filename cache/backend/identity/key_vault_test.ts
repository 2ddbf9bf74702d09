import { deepEqual, rejects } from "node:assert/strict";
import { createTestAuthority } from "../../../tests/support/test_authority.ts";
import { TRUST } from "../broken_connection.ts";
import { FakeClock } from "../../../tests/support/fake_clock.ts";
import { JudgedCredential } from "./judged_credential.ts";
import { vaultKeys } from "./key_vault.ts";
import { RenewedCredential } from "./renewed_credential.ts";

const never = new AbortController().signal;
const VALUE = JSON.stringify({ access_key: "id", secret_key: "key" });

/** Answers with the next of `answers`, as a vault. */
function serve(answers: Response[]) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response() },
    () => answers.shift() ?? new Response(null, { status: 404 }),
  );
  return { vaultUrl: `http://127.0.0.1:${server.addr.port}`, server };
}

/** An answer that ends before all of it has come. */
function brokenOff(): Response {
  return new Response(
    new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{"value": "')),
      pull: (controller) => controller.error(new Error("The vault was restarted")),
    }),
  );
}

/** The keys in a secret of the vault at `vaultUrl`, and the clock that they are renewed by. */
function keysOf(vaultUrl: string) {
  const clock = new FakeClock();
  const deps = { clock, random: () => 0, onRenewal() {} };
  const issue = () => Promise.resolve({ value: "token", expiresMs: Infinity });
  const words = { what: "access token", hint: "" };
  const token = new JudgedCredential(new RenewedCredential("entra", issue, deps), words);
  const identity = { method: "azure_cli", tenantId: null } as const;
  const credential = vaultKeys({ vaultUrl, secretName: "s", identity }, token, deps);
  const keys = new JudgedCredential(credential, { what: "keys", hint: "Check secret" });
  return { clock, keys };
}

Deno.test("a vault that answers by half or not itself has refused nobody", async () => {
  const page = new Response("<html>Please log in</html>");
  const { vaultUrl, server } = serve([brokenOff(), page, Response.json({ value: VALUE })]);
  const { clock, keys } = keysOf(vaultUrl);
  await using _closing = keys;
  for (const said of [/broke off|was reset|no answer/, /none of a vault/]) {
    await rejects(keys.get(never), { code: "unavailable", message: said });
    await clock.advance(1_000);
  }
  deepEqual(await keys.get(never), { accessKeyId: "id", secretAccessKey: "key" });
  await server.shutdown();
});

Deno.test("a vault whose certificate is not trusted has refused nobody", async () => {
  await using authority = await createTestAuthority();
  const cert = await Deno.readTextFile(authority.certificateFile);
  const key = await Deno.readTextFile(authority.keyFile);
  const loopback = { hostname: "127.0.0.1", port: 0, onListen() {} };
  await using vault = Deno.serve({ ...loopback, cert, key }, () => new Response());
  const host = `127.0.0.1:${vault.addr.port}`;
  await using keys = keysOf(`https://${host}`).keys;
  await rejects(keys.get(never), {
    code: "unavailable",
    message: `no keys (the certificate of ${host} is not trusted)`,
    hint: TRUST,
  });
});
