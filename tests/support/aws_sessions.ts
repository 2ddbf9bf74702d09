/** Temporary credentials as STS gives them out, and who takes them for good. */

/** One session. */
export interface AwsSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresMs: number;
}

/** All sessions that were given out. */
export class AwsSessions {
  readonly #sessions = new Map<string, AwsSession>();

  /** A new one, good for `lifetimeMs`. */
  give(lifetimeMs: number): AwsSession {
    const session = {
      accessKeyId: `ASIA${crypto.randomUUID().replaceAll("-", "").slice(0, 16).toUpperCase()}`,
      secretAccessKey: `secret+${crypto.randomUUID()}/of=session`,
      sessionToken: `token+${crypto.randomUUID()}/of=session`,
      expiresMs: Date.now() + lifetimeMs,
    };
    this.#sessions.set(session.accessKeyId, session);
    return session;
  }

  find(accessKeyId: string): AwsSession | null {
    return this.#sessions.get(accessKeyId) ?? null;
  }

  /** All that were ever given out. */
  get all(): readonly AwsSession[] {
    return [...this.#sessions.values()];
  }

  /** None given out so far is good any more. */
  revokeAll(): void {
    for (const [id, session] of this.#sessions) {
      this.#sessions.set(id, { ...session, expiresMs: 0 });
    }
  }
}
