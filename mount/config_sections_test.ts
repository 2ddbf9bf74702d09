/** Holds docs/configuration.md and the sections of the file to one another. */
import { deepEqual, equal } from "node:assert/strict";
import { z } from "zod";
import { AZURE_AUTH } from "../cache/config/azure_auth_config.ts";
import { AZURE_CONFIG } from "../cache/config/azure_config.ts";
import { GCS_AUTH } from "../cache/config/gcs_auth_config.ts";
import { GCS_CONFIG } from "../cache/config/gcs_config.ts";
import { S3_AUTH } from "../cache/config/s3_auth_config.ts";
import { S3_CONFIG } from "../cache/config/s3_config.ts";
import { LOCAL_AUTH, LOCAL_CONFIG, readBackends } from "../cache/config/backend_config.ts";
import { BACKEND_SECTION, CACHE_SECTION } from "../cache/config/cache_config.ts";
import { formatProblem } from "../cache/platform/config_problem.ts";
import { ConfigReader } from "../cache/platform/config_reader.ts";
import { keysAt } from "../cache/platform/setting.ts";
import { TEAM_SECTION } from "../cache/config/teams_config.ts";
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

Deno.test("the documents show backends as the program takes them", async () => {
  // In the form of every secret there is.
  const secret = "QWxsIGtleXMgYXJlIGJhc2U2NCB0ZXh0";
  const pem = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----";
  const inputs = {
    env: { get: (name: string) => name.endsWith("_SAS") ? "sv=1&sig=c2ln" : secret },
    readTextFile: (path: string) => path.endsWith(".pem") ? pem : secret,
  };
  const folder = new URL("../docs/", import.meta.url);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    /\.md$/.test(name)
  );
  const pages = await Promise.all(names.map((name) => Deno.readTextFile(new URL(name, folder))));
  const examples = pages.flatMap((page) =>
    [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text ?? "")
  );
  const shown = examples.filter((text) => /^backends:$/m.test(text));
  for (const example of shown) {
    const written = example.replace(
      /\b(ACCOUNT|BUCKET|CONTAINER)\b/g,
      (name) => name.toLowerCase(),
    );
    const reader = new ConfigReader(written, inputs);
    const backends = readBackends(reader);
    deepEqual(reader.problems.map((problem) => formatProblem("example", problem)), []);
    equal(backends.length, [...example.matchAll(/^ *- name:/gm)].length);
  }
  const types = ["azureblob", "s3", "gcs", "local"];
  deepEqual(types.filter((type) => !shown.some((text) => text.includes(`type: ${type}`))), []);
});
