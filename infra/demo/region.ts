/** A region of the demo: Azurite over HTTPS, far away, that lets in whoever has a token. */
import type { Clock } from "../../cache/platform/clock.ts";
import { type Azurite, startAzuriteWithTokens } from "../../tests/support/azurite.ts";
import type { TestAuthority } from "../../tests/support/test_authority.ts";
import { type Distance, RegionLink } from "./region_link.ts";

/** A region before it is built. */
export interface RegionPlan {
  readonly title: string;
  /** In tables. */
  readonly tag: string;
  /** The backend that shows it, and its directory below the mount point. */
  readonly backend: string;
  readonly distance: Distance;
}

/** The container in every region. */
export const CONTAINER = "coco2017-wds";
/** A version of the service that knows tokens; headers of a request must name one. */
const SERVICE_VERSION = "2023-11-03";

/** A running region; disposing ends it, and what it stored is gone. */
export class Region implements AsyncDisposable {
  readonly plan: RegionPlan;
  readonly link: RegionLink;
  readonly #azurite: Azurite;
  readonly #client: Deno.HttpClient;
  readonly #owned: AsyncDisposableStack;

  private constructor(
    plan: RegionPlan,
    azurite: Azurite,
    link: RegionLink,
    client: Deno.HttpClient,
    owned: AsyncDisposableStack,
  ) {
    this.plan = plan;
    this.link = link;
    this.#azurite = azurite;
    this.#client = client;
    this.#owned = owned;
  }

  /** Starts the store and the link to it; `authority` signs its certificate. */
  static async start(plan: RegionPlan, authority: TestAuthority, clock: Clock): Promise<Region> {
    await using owned = new AsyncDisposableStack();
    const azurite = owned.use(await startAzuriteWithTokens(authority));
    const link = owned.use(new RegionLink(new URL(azurite.endpoint), plan.distance, clock));
    const caCerts = [await Deno.readTextFile(authority.authorityFile)];
    const client = owned.adopt(Deno.createHttpClient({ caCerts }), (open) => open.close());
    return new Region(plan, azurite, link, client, owned.move());
  }

  /** What a mount is configured with: the far end of the link. */
  get endpoint(): string {
    return this.#azurite.endpoint.replace(/:\d+\//, `:${this.link.port}/`);
  }

  get account(): string {
    return this.#azurite.account;
  }

  /** Makes the container, past the link. */
  async createContainer(token: string, signal: AbortSignal): Promise<void> {
    await this.#store("?restype=container", token, new Uint8Array(), signal);
  }

  /** Stores a blob, past the link: it was always there, as far as the demo goes. */
  async put(
    name: string,
    bytes: Uint8Array<ArrayBuffer>,
    token: string,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#store(`/${name}`, token, bytes, signal);
  }

  /** HTTP status of a listing by somebody without a token. */
  async statusWithoutToken(signal: AbortSignal): Promise<number> {
    const url = `${this.endpoint}/${CONTAINER}?restype=container&comp=list`;
    const headers = { "x-ms-version": SERVICE_VERSION };
    const answer = await fetch(url, { client: this.#client, headers, signal });
    await answer.body?.cancel();
    return answer.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }

  async #store(
    target: string,
    token: string,
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<void> {
    const url = `${this.#azurite.endpoint}/${CONTAINER}${target}`;
    const headers = {
      authorization: `Bearer ${token}`,
      "x-ms-version": SERVICE_VERSION,
      "x-ms-blob-type": "BlockBlob",
    };
    const answer = await fetch(url, { method: "PUT", client: this.#client, headers, body, signal });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`Store "${url}": ${answer.status} ${said}`);
  }
}
