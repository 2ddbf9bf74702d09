/** Holds the documents and the sections of the file to one another. */
import { deepEqual } from "node:assert/strict";
import { z } from "zod";
import type { Source } from "../cache/backend/settings.ts";
import { AZURE_AUTH } from "../cache/config/azure_auth_config.ts";
import { AZURE_CONFIG } from "../cache/config/azure_config.ts";
import { GCS_AUTH } from "../cache/config/gcs_auth_config.ts";
import { GCS_CONFIG } from "../cache/config/gcs_config.ts";
import { S3_AUTH } from "../cache/config/s3_auth_config.ts";
import { S3_CONFIG } from "../cache/config/s3_config.ts";
import { LOCAL_AUTH, LOCAL_CONFIG } from "../cache/config/backend_config.ts";
import { BACKEND_SECTION, CACHE_SECTION } from "../cache/config/cache_config.ts";
import { formatProblem } from "../cache/platform/config_problem.ts";
import { keysAt } from "../cache/platform/setting.ts";
import { TEAM_SECTION } from "../cache/config/teams_config.ts";
import { type MountConfigInputs, parseMountConfig } from "./config_file.ts";
import {
  CONTROL_PLANE_SECTION,
  FUSE_SECTION,
  METRICS_SECTION,
  MOUNT_FILE,
  OWNER_SECTION,
  TELEMETRY_SECTION,
} from "./config_sections.ts";
import { CONTROL_SECTION } from "../ctl/api_sockets.ts";

const PAGE = await Deno.readTextFile(new URL("../docs/configuration.md", import.meta.url));

/** Each heading of the page with a table of keys, and the section it describes. */
const DOCUMENTED: Readonly<Record<string, z.ZodObject>> = {
  "Top level": MOUNT_FILE,
  "fuse": FUSE_SECTION,
  "owner": OWNER_SECTION,
  "cache": CACHE_SECTION,
  "backends": BACKEND_SECTION,
  "config of type local": LOCAL_CONFIG,
  "auth of type local": LOCAL_AUTH,
  "config of type azureblob": AZURE_CONFIG,
  "auth of type azureblob": AZURE_AUTH,
  "config of type s3": S3_CONFIG,
  "auth of type s3": S3_AUTH,
  "config of type gcs": GCS_CONFIG,
  "auth of type gcs": GCS_AUTH,
  "metrics": METRICS_SECTION,
  "control": CONTROL_SECTION,
  "telemetry": TELEMETRY_SECTION,
  "control_plane": CONTROL_PLANE_SECTION,
  "teams": TEAM_SECTION,
};

/** Rows of the tables whose first column is headed `Key`, by the heading above them. */
function documentedRows(): Map<string, string[][]> {
  const rows = new Map<string, string[][]>();
  let heading = "";
  let inKeys = false;
  for (const line of PAGE.split("\n")) {
    if (line.startsWith("#")) heading = line.replace(/^#+ /, "");
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    if (cells.length === 0) inKeys = false;
    else if (cells[0] === "Key") inKeys = true;
    else if (inKeys && !/^-+$/.test(cells[0] ?? "")) {
      rows.set(heading, [...(rows.get(heading) ?? []), cells]);
    }
  }
  return rows;
}

/** The default of `schema` in a person's words; null where it has none of its own. */
function defaultOf(schema: unknown): string | null {
  if (!(schema instanceof z.ZodPrefault)) return null;
  const { defaultValue } = schema.def;
  return typeof defaultValue === "string" && defaultValue !== "" ? `\`${defaultValue}\`` : null;
}

Deno.test("configuration.md lists every key of every section, in their order", () => {
  const documented = [...documentedRows()].map(([heading, rows]) =>
    [heading, rows.map(([key]) => key?.replaceAll("`", ""))] as const
  );
  const accepted = Object.entries(DOCUMENTED).map(([heading, section]) =>
    [heading, keysAt(section, [])] as const
  );
  deepEqual(Object.fromEntries(documented), Object.fromEntries(accepted));
});

Deno.test("configuration.md names the default of every key that has one", () => {
  const rows = documentedRows();
  const wrong = Object.entries(DOCUMENTED).flatMap(([heading, section]) =>
    (rows.get(heading) ?? []).flatMap(([key, documented]) => {
      const wanted = defaultOf(section.shape[key?.replaceAll("`", "") ?? ""]);
      return wanted === null || wanted === documented ? [] : [`${heading} ${key}: ${wanted}`];
    })
  );
  deepEqual(wrong, []);
});

type Shown = Exclude<Source["type"], "local">;
type MethodOf<Type extends Shown> = Extract<Source, { type: Type }>["auth"]["method"];

/** Every method of every provider; `Record` has the compiler look for one that is new. */
const METHODS: { readonly [Type in Shown]: Readonly<Record<MethodOf<Type>, true>> } = {
  azureblob: {
    managed_identity: true,
    service_principal: true,
    workload_identity: true,
    azure_cli: true,
    account_key: true,
    sas: true,
    none: true,
  },
  s3: {
    default: true,
    static: true,
    profile: true,
    web_identity: true,
    oidc_federation: true,
    static_keyvault: true,
    none: true,
  },
  gcs: { default: true, service_account: true, gcp_wif: true, none: true },
};

/** The YAML examples of a page, as files: what an example leaves out is added. */
function examplesOf(page: string): readonly string[] {
  return [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => {
    const written = text.replace(/\b(ACCOUNT|BUCKET|CONTAINER)\b/g, (name) => name.toLowerCase());
    const mountPoint = /^mount_point:/m.test(text) ? "" : "\nmount_point: /wd";
    const backends = /^backends:/m.test(text) ? "" : `\n${ANY_BACKEND}`;
    return `${written}${mountPoint}${backends}`;
  });
}

const ANY_BACKEND = "backends: [{name: any, type: local, config: {root: /srv/any}}]";

Deno.test("the mount takes every example of the documents, of every method there is", async () => {
  // In the form of every secret there is.
  const secret = "QWxsIGtleXMgYXJlIGJhc2U2NCB0ZXh0";
  const pem = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----";
  const inputs: MountConfigInputs = {
    env: { get: (name) => name.endsWith("_SAS") ? "sv=1&sig=c2ln" : secret },
    readTextFile: (path) => path.endsWith(".pem") ? pem : secret,
    user: { uid: 0, gid: 0 },
  };
  const root = new URL("../", import.meta.url);
  const pages = [...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => `docs/${name}`);
  const shown = new Set<string>();
  for (const page of ["README.md", ...pages.filter((name) => name.endsWith(".md"))]) {
    for (const example of examplesOf(await Deno.readTextFile(new URL(page, root)))) {
      const outcome = parseMountConfig(example, inputs);
      const problems = outcome.ok ? [] : outcome.problems;
      deepEqual(problems.map((problem) => formatProblem(page, problem)), []);
      for (const { source } of outcome.ok ? outcome.config.backends : []) {
        shown.add(source.type === "local" ? "local" : `${source.type} ${source.auth.method}`);
      }
    }
  }
  const wanted = Object.entries(METHODS).flatMap(([type, methods]) =>
    Object.keys(methods).map((method) => `${type} ${method}`)
  );
  deepEqual([...shown].sort(), [...wanted, "local"].sort());
});
