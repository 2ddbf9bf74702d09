/** Settings of `fetch` that a backend has for itself. */

/** What the settings of a backend say of its way to the store. */
export interface ClientSettings {
  /** Certificates to trust besides those of the system, in PEM; null: none. */
  readonly caCertificates: string | null;
  /** URL of the proxy to use; null: what the environment says. */
  readonly proxy: string | null;
}

/** The client for `settings`, to be closed by the caller; null where they ask for nothing. */
export function httpClientOf({ caCertificates, proxy }: ClientSettings): Deno.HttpClient | null {
  if (caCertificates === null && proxy === null) return null;
  return Deno.createHttpClient({
    caCerts: caCertificates === null ? [] : [caCertificates],
    ...(proxy === null ? {} : { proxy: { url: proxy } }),
  });
}
