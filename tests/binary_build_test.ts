/** What the build leaves beside the compiled program, and that it depends on the sources alone. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path/posix";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { REPOSITORY } from "../infra/tools/source_tree.ts";
import { succeed } from "./support/command.ts";
import { buildCopy, copySources } from "./support/source_copy.ts";

const DIST = join(REPOSITORY, "dist");
const BESIDE = ["warpdrive", "warpdrive.cdx.json", "warpdrive.sha256"];

Deno.test("The program is the same file wherever and beside whatever it is built", async () => {
  const parent = await Deno.makeTempDir({ prefix: "warpdrive-build-" });
  try {
    const places = [`${parent}/one`, `${parent}/elsewhere/and deeper`];
    for (const place of places) await copySources(place);
    // Twice in one of them at the same time.
    const builds = [...places, `${parent}/one`].map((place) => buildCopy(place));
    const failed = (await Promise.allSettled(builds)).filter(({ status }) => status === "rejected");
    deepEqual(failed, []);
    for (const name of BESIDE) {
      const [one, other] = await Promise.all(
        places.map(async (place) =>
          createHash("sha256").update(await Deno.readFile(`${place}/dist/${name}`)).digest("hex")
        ),
      );
      equal(other, one, name);
    }
    deepEqual([...Deno.readDirSync(`${parent}/one/.cache`)], []);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("sha256sum accepts the checksum beside the program", async () => {
  const said = await succeed("sh", "-c", `cd "$1" && sha256sum -c warpdrive.sha256`, "sh", DIST);
  equal(said, "warpdrive: OK\n");
});

Deno.test("The list of parts is valid CycloneDX 1.6 and names what is in the program", async () => {
  const text = await Deno.readTextFile(`${DIST}/warpdrive.cdx.json`);
  equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
  const { metadata, components } = JSON.parse(text);
  deepEqual(metadata.component.hashes.map(({ alg }: { alg: string }) => alg), ["SHA-256"]);
  const { npm } = JSON.parse(await Deno.readTextFile(join(REPOSITORY, "deno.lock")));
  const purls = components.map(({ purl }: { purl: string }) => purl);
  for (const name of ["commander", "zod", "%40azure/storage-blob", "%40aws-sdk/client-s3"]) {
    ok(purls.some((purl: string) => purl.startsWith(`pkg:npm/${name}@`)), name);
  }
  ok(purls.some((purl: string) => purl.startsWith("pkg:github/denoland/deno@v")));
  // Tools of the build and of the tests are in the lock file, and not in the program.
  equal(purls.some((purl: string) => /cyclonedx|fast-check|ajv/.test(purl)), false);
  ok(components.length - 1 < Object.keys(npm).length);
  for (const { purl, hashes, licenses } of components) {
    match(purl, /^pkg:(npm|github)\//);
    ok(licenses?.length > 0, `${purl} has no license`);
    if (purl.startsWith("pkg:npm/")) match(hashes[0].content, /^[0-9a-f]{128}$/);
  }
});
