/** When the credential of a backend ends for good. */
import type { BackendSettings } from "../settings.ts";

/**
 * The end of the configured credential, in milliseconds since the Unix epoch; null when it does not
 * end, renews itself, or does not say when it ends.
 */
export function credentialExpiryMs({ source }: Pick<BackendSettings, "source">): number | null {
  if (source.type !== "azureblob" || source.auth.method !== "sas") return null;
  // A SAS that refers to a stored access policy has no "se" of its own.
  const written = new URLSearchParams(source.auth.sasToken.reveal()).get("se");
  const expiryMs = written === null ? NaN : Date.parse(written);
  return Number.isNaN(expiryMs) ? null : expiryMs;
}
