/** Stands before an Azurite, which does not ask whether a token is good, and does ask. */
import type { Azurite, Certificate } from "./azurite.ts";
import type { EntraFake } from "./entra_fake.ts";

const STORAGE = "https://storage.azure.com";

/** A gate over https; disposing closes it. */
export class AzureGate implements AsyncDisposable {
  /** Requests that were refused, by what was wrong with their token. */
  readonly refused: string[] = [];
  passed = 0;
  readonly #azurite: Azurite;
  readonly #entra: EntraFake;
  readonly #client: Deno.HttpClient;
  readonly #listener;

  private constructor(
    azurite: Azurite,
    entra: EntraFake,
    authority: string,
    certificate: { readonly cert: string; readonly key: string },
  ) {
    this.#azurite = azurite;
    this.#entra = entra;
    this.#client = Deno.createHttpClient({ caCerts: [authority] });
    const loopback = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#listener = Deno.serve(
      { ...loopback, ...certificate },
      (request) => this.#handle(request),
    );
  }

  /** Opens one with the certificate that `azurite` has, too. */
  static async open(
    azurite: Azurite,
    entra: EntraFake,
    files: Certificate & { readonly authorityFile: string },
  ): Promise<AzureGate> {
    return new AzureGate(azurite, entra, await Deno.readTextFile(files.authorityFile), {
      cert: await Deno.readTextFile(files.certificateFile),
      key: await Deno.readTextFile(files.keyFile),
    });
  }

  /** As `endpoint` of a backend takes it. */
  get endpoint(): string {
    return `https://127.0.0.1:${this.#listener.addr.port}${
      new URL(this.#azurite.endpoint).pathname
    }`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.shutdown();
    this.#client.close();
  }

  async #handle(request: Request): Promise<Response> {
    const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    const verdict = this.#entra.judge(token, STORAGE);
    if (verdict !== "good") {
      this.refused.push(verdict);
      return refusal(request.method, verdict);
    }
    this.passed += 1;
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.delete("host");
    return await fetch(new URL(this.#azurite.endpoint).origin + pathname + search, {
      method: request.method,
      headers,
      body: request.method === "PUT" ? await request.bytes() : null,
      redirect: "manual",
      client: this.#client,
    });
  }
}

function refusal(method: string, verdict: string): Response {
  const code = "InvalidAuthenticationInfo";
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code>` +
    `<Message>The token is ${verdict}\nRequestId:1</Message></Error>`;
  const headers = { "x-ms-error-code": code, "content-type": "application/xml" };
  return new Response(method === "HEAD" ? null : body, { status: 401, headers });
}
