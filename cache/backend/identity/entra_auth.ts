/** Who somebody is to Entra, for each way that can be configured. */
import type { Secret } from "../../platform/secret.ts";

/** An identity that Entra gives tokens to. */
export type EntraAuth =
  /** The machine's own identity where neither ID is given; never both. */
  | {
    readonly method: "managed_identity";
    readonly clientId: string | null;
    readonly resourceId: string | null;
  }
  | {
    readonly method: "service_principal";
    readonly tenantId: string;
    readonly clientId: string;
    readonly proof: ApplicationProof;
    readonly authorityHost: string | null;
  }
  | {
    readonly method: "workload_identity";
    readonly tenantId: string;
    readonly clientId: string;
    readonly tokenFile: string;
    readonly authorityHost: string | null;
  }
  /** Whoever is logged in with `az login`; `tenantId` null: in the tenant they chose. */
  | { readonly method: "azure_cli"; readonly tenantId: string | null };

/** By what an application shows that it is the one it says. */
export type ApplicationProof =
  | { readonly kind: "secret"; readonly secret: Secret }
  /** A file of certificate and key, in PEM; read at each renewal. */
  | { readonly kind: "certificate"; readonly file: string; readonly password: Secret | null };
