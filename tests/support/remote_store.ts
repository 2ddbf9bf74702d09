/** A store across a network that can fail, for mounts: a real Azurite behind a proxy. */
import type { ContainerClient } from "@azure/storage-blob";
import { type Azurite, startAzurite } from "./azurite.ts";
import { FaultProxy } from "./fault_proxy.ts";

const KEY_VARIABLE = "STORE_KEY";

/** One Azurite and one proxy in front of it. */
export class RemoteStore implements AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly #azurite: Azurite;
  readonly #owned: AsyncDisposableStack;

  private constructor(azurite: Azurite, proxy: FaultProxy, owned: AsyncDisposableStack) {
    this.#azurite = azurite;
    this.proxy = proxy;
    this.#owned = owned;
  }

  static async start(): Promise<RemoteStore> {
    await using owned = new AsyncDisposableStack();
    const azurite = owned.use(await startAzurite());
    const proxy = owned.use(await FaultProxy.start(azurite.endpoint));
    return new RemoteStore(azurite, proxy, owned.move());
  }

  /** The environment that a program which uses the store needs. */
  get variables(): Readonly<Record<string, string>> {
    return { [KEY_VARIABLE]: this.#azurite.key };
  }

  /** A container that holds `objects`; access to it past proxy and mount. */
  async container(
    name: string,
    objects: Readonly<Record<string, Uint8Array>>,
  ): Promise<ContainerClient> {
    const container = await this.#azurite.container(name);
    for (const [key, content] of Object.entries(objects)) {
      await container.getBlockBlobClient(key).upload(content, content.length);
    }
    return container;
  }

  /** Configuration of the backend `container`, reached by way of the proxy or past it. */
  backend(container: string, way: "proxied" | "direct", settings: Record<string, unknown> = {}) {
    const { endpoint, account } = this.#azurite;
    return {
      name: container,
      type: "azureblob",
      config: {
        account,
        root: container,
        endpoint: way === "proxied" ? this.proxy.through(endpoint) : endpoint,
      },
      auth: { method: "static", account_key_env: KEY_VARIABLE },
      ...settings,
    };
  }

  /** Requests for bytes of objects that the proxy saw. */
  get reads(): number {
    return this.proxy.seen.filter(({ request }) => isRead(request)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

/** Answers stop before their first byte. */
export const STALL = { kind: "stall", afterBytes: 0 } as const;

/** Whether a request asks for bytes of an object: a listing is a GET, too. */
export function isRead(request: string): boolean {
  return request.startsWith("GET ") && !request.includes("comp=list");
}
