/** Stands in for STS: gives out sessions for tokens that its judge takes for good. */
import type { AwsSessions } from "./aws_sessions.ts";

/** What it is started with. */
export interface StsSettings {
  readonly sessions: AwsSessions;
  /** How long sessions last at first. */
  readonly lifetimeMs: number;
  /** Whether the token of a caller is good. */
  readonly judge: (token: string) => "good" | "expired" | "unknown";
}

/** A running STS; disposing ends it. */
export class StsFake implements AsyncDisposable {
  /** What was asked for: `ROLE SESSION SECONDS`. */
  readonly seen: string[] = [];
  /** How long sessions last that are given out from now on. */
  lifetimeMs: number;
  #fault: { readonly status: number; readonly code: string; timesLeft: number } | null = null;
  readonly #settings: StsSettings;
  readonly #server;

  constructor(settings: StsSettings) {
    this.#settings = settings;
    this.lifetimeMs = settings.lifetimeMs;
    const loopback = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(loopback, (request) => this.#answer(request));
  }

  /** As AWS_ENDPOINT_URL_STS and `sts_endpoint` take it. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Answers the next `times` requests with an error. */
  fail(status: number, code: string, times = Infinity): void {
    this.#fault = { status, code, timesLeft: times };
  }

  /** Gives out sessions again. */
  heal(): void {
    this.#fault = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    const asked = ["RoleArn", "RoleSessionName", "DurationSeconds"].map((name) => form.get(name));
    this.seen.push(asked.join(" "));
    const fault = this.#fault;
    if (fault !== null && fault.timesLeft > 0) {
      fault.timesLeft -= 1;
      return refused(fault.status, fault.code, "It is so in this test");
    }
    if (
      form.get("Action") !== "AssumeRoleWithWebIdentity" || form.get("Version") !== "2011-06-15"
    ) {
      return refused(400, "InvalidAction", "No such action");
    }
    switch (this.#settings.judge(form.get("WebIdentityToken") ?? "")) {
      case "expired":
        return refused(400, "ExpiredTokenException", "Token expired");
      case "unknown":
        return refused(400, "InvalidIdentityToken", "No such issuer");
      case "good":
        return new Response(this.#session());
    }
  }

  #session(): string {
    const { accessKeyId, secretAccessKey, sessionToken, expiresMs } = this.#settings.sessions
      .give(this.lifetimeMs);
    return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>${accessKeyId}</AccessKeyId>
        <SecretAccessKey>${secretAccessKey}</SecretAccessKey>
        <SessionToken>${sessionToken}</SessionToken>
        <Expiration>${new Date(expiresMs).toISOString()}</Expiration>
      </Credentials></AssumeRoleWithWebIdentityResult>
    </AssumeRoleWithWebIdentityResponse>`;
  }
}

function refused(status: number, code: string, message: string): Response {
  const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>
  </ErrorResponse>`;
  return new Response(body, { status, headers: { "content-type": "text/xml" } });
}
