/**
 * The list of what a compiled program is made of, in CycloneDX JSON: each npm package whose code is
 * in the bundle, and the runtime.
 */
import { Contrib, Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { z } from "zod";
import { PACKAGES } from "./build_names.ts";

/** A package of the bundle. */
export interface Part {
  readonly name: string;
  readonly version: string;
  /** Of the package as the registry has it, in hex. */
  readonly sha512: string;
  /** What its manifest says; null when nothing. */
  readonly license: string | null;
}

/** The program as a whole. */
export interface Program {
  readonly version: string;
  readonly commit: string;
  /** Of the compiled file, in hex. */
  readonly sha256: string;
  /** Version of Deno in it. */
  readonly runtime: string;
  readonly target: string;
}

const Lock = z.object({ npm: z.record(z.string(), z.object({ integrity: z.string() })) });

/** A package in a path of the bundle. `_1` marks a copy that was resolved in another way. */
const MODULE = new RegExp(
  `\\b${PACKAGES}((?:@[^/\\s"]+/)?[^@/\\s"]+)/(\\d[^/\\s"]*?)(?:_\\d+)?/`,
  "g",
);
/** Identifiers joined by operators; anything else a manifest says is kept as a name. */
const EXPRESSION = /^\(?[\w.+-]+(?: (?:AND|OR|WITH) \(?[\w.+-]+\)?)+\)?$/;

/**
 * The packages that modules of the bundle come from, sorted by name.
 *
 * @param texts The bundle, as `stableBundle` leaves it: the bundler names each module it takes.
 * @param lock Text of `deno.lock`.
 * @param licenseOf What the manifest of a package says.
 */
export function componentsOf(
  texts: Iterable<string>,
  lock: string,
  licenseOf: (name: string, version: string) => string | null,
): Part[] {
  const integrities = new Map(
    Object.entries(Lock.parse(JSON.parse(lock)).npm).map((
      [key, { integrity }],
    ) => [withoutPeers(key), integrity]),
  );
  const parts = new Map<string, Part>();
  for (const text of texts) {
    for (const [, name = "", version = ""] of text.matchAll(MODULE)) {
      const key = `${name}@${version}`;
      if (parts.has(key)) continue;
      const integrity = integrities.get(key);
      if (integrity === undefined) {
        throw new Error(`List package "${key}": it is bundled, and not in deno.lock`);
      }
      const license = licenseOf(name, version);
      parts.set(key, { name, version, sha512: hexOf(key, integrity), license });
    }
  }
  return [...parts.keys()].sort().flatMap((key) => parts.get(key) ?? []);
}

/** `name@version` of a key, which may go on with `_peer@version`. */
function withoutPeers(key: string): string {
  return /^(@?[^@]+@[^_]+)/.exec(key)?.[1] ?? key;
}

/** Subresource integrity (W3C) is base64. */
function hexOf(key: string, integrity: string): string {
  const base64 = /^sha512-(\S+)$/.exec(integrity)?.[1];
  if (base64 === undefined) throw new Error(`List package "${key}": its hash is no sha512`);
  return Uint8Array.fromBase64(base64).toHex();
}

/** The document: the same text for the same build, so without time and serial number. */
export function sbomOf(program: Program, parts: readonly Part[]): string {
  const subject = new Models.Component(Enums.ComponentType.Application, "warpdrive", {
    version: program.version,
    bomRef: "warpdrive",
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], program.sha256]]),
    licenses: licensesOf("MIT"),
    properties: new Models.PropertyRepository([
      new Models.Property("warpdrive:commit", program.commit),
      new Models.Property("warpdrive:target", program.target),
    ]),
  });
  const components = [runtimeComponent(program.runtime), ...parts.map(packageComponent)];
  for (const component of components) subject.dependencies.add(component.bomRef);
  const bom = new Models.Bom({
    metadata: new Models.Metadata({ component: subject }),
    components: new Models.ComponentRepository(components),
  });
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  const serializer = new Serialize.JsonSerializer(factory);
  return serializer.serialize(bom, { sortLists: true, space: 2 }) + "\n";
}

function runtimeComponent(version: string): Models.Component {
  const purl = `pkg:github/denoland/deno@v${version}`;
  return new Models.Component(Enums.ComponentType.Platform, "deno", {
    version,
    bomRef: purl,
    purl,
    licenses: licensesOf("MIT"),
  });
}

function packageComponent({ name, version, sha512, license }: Part): Models.Component {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  const [own = name, group = null] = name.split("/").toReversed();
  return new Models.Component(Enums.ComponentType.Library, own, {
    ...(group === null ? {} : { group }),
    version,
    bomRef: purl,
    purl,
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-512"], sha512]]),
    ...(license === null ? {} : { licenses: licensesOf(license) }),
  });
}

function licensesOf(license: string): Models.LicenseRepository {
  const factory = new Contrib.License.Factories.LicenseFactory((text) => {
    if (!EXPRESSION.test(text)) throw new RangeError("Not a license expression of SPDX");
  });
  return new Models.LicenseRepository([factory.makeFromString(license)]);
}
