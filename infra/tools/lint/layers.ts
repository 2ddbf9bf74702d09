/** The arrows between folders: which file may import which, and why not the others. */
import { importedPath, isInfra, isTest, repositoryPath } from "./place.ts";

/** How a file is imported: a type vanishes at run time, a lazy import is loaded when needed. */
export type ImportKind = "value" | "type" | "lazy";

interface Arrow {
  readonly to: RegExp;
  readonly kinds: readonly ImportKind[];
}

interface Layer {
  readonly name: string;
  readonly files: RegExp;
  readonly arrows: readonly Arrow[];
  readonly reason: string;
}

const ANY: readonly ImportKind[] = ["value", "type", "lazy"];

function to(pattern: RegExp, kinds: readonly ImportKind[] = ANY): Arrow {
  return { to: pattern, kinds };
}

const PLATFORM = to(/^cache\/platform\//);
const CACHE = to(/^cache\//);
/** What ctl and the mount say to each other. */
const CONTRACT = to(/^ctl\/api(_[a-z]+)*\.ts$/);

/** One row per layer; the first row that matches a file is its layer. */
const LAYERS: readonly Layer[] = [
  {
    name: "main",
    files: /^main\.ts$/,
    arrows: [
      PLATFORM,
      to(/^(mount|ctl|forge|bench)\/([a-z_]+_)?command\.ts$/, ["lazy", "type"]),
      // Handed to ctl, which may not know the mount and reads its file as it does.
      to(/^mount\/config_file\.ts$/, ["lazy"]),
    ],
    reason: "main.ts loads a subcommand only when it runs, so that --help stays fast",
  },
  {
    name: "cache/platform",
    files: /^cache\/platform\//,
    arrows: [PLATFORM, to(/^deno\.json$/)],
    reason: "cache/platform is the floor: it knows the machine and nothing of WarpDrive",
  },
  {
    name: "cache/backend",
    files: /^cache\/backend\//,
    arrows: [PLATFORM, to(/^cache\/backend\//)],
    reason: "a store does not know who reads from it or what is kept of it",
  },
  {
    name: "cache",
    files: /^cache\//,
    arrows: [CACHE],
    reason: "the cache does not know who asks: mount, ctl and tests all stand on it",
  },
  {
    name: "mount/fuse",
    files: /^mount\/fuse\//,
    arrows: [PLATFORM, to(/^mount\/fuse\//)],
    reason: "mount/fuse is wire only: bytes and descriptors, no inodes, cache or backends",
  },
  {
    name: "mount/fs",
    files: /^mount\/fs\//,
    arrows: [
      CACHE,
      to(/^mount\/fs\//),
      to(/^mount\/fuse\/messages\.ts$/, ["type"]),
      to(/^mount\/fuse\/ids\.ts$/),
      to(/^mount\/(config|namespace)\.ts$/),
    ],
    reason: "mount/fs is operations only and meets the wire in its message types and their ids",
  },
  {
    name: "mount/control",
    files: /^mount\/control\//,
    arrows: [CACHE, CONTRACT, to(/^mount\/(?!fuse\/)/), to(/^mount\/fuse\//, ["type"])],
    reason: "mount/control answers what ctl asks, and knows the wire of FUSE by its types only",
  },
  {
    name: "mount part",
    files: /^mount\/(admin|config|health|namespace|notify|report)[a-z_]*\.ts$/,
    arrows: [CACHE, CONTRACT, to(/^mount\/[a-z_]+\.ts$/)],
    reason: "only the composition in mount/command.ts sees both the wire and the operations",
  },
  {
    name: "mount",
    files: /^mount\//,
    arrows: [CACHE, CONTRACT, to(/^mount\//)],
    reason: "mount shares with ctl the wire contract of ctl/api.ts and nothing else",
  },
  {
    name: "ctl",
    files: /^ctl\//,
    arrows: [CACHE, to(/^ctl\//)],
    reason: "ctl reaches a running mount over its sockets, through ctl/api.ts",
  },
  {
    name: "forge/plan",
    files: /^forge\/plan[a-z_]*\.ts$/,
    arrows: [PLATFORM, to(/^forge\//), to(/^ctl\/client\.ts$/), CONTRACT],
    reason: "forge treats a mount as plain files and hands it a plan through ctl/client.ts",
  },
  {
    name: "forge/dataset target",
    files: /^forge\/dataset\/backend_target\.ts$/,
    arrows: [PLATFORM, to(/^forge\//), to(/^cache\/backend\//), to(/^cache\/source_url\.ts$/)],
    reason: "forge treats a mount as plain files; where a data set is written to may be a store",
  },
  {
    name: "forge",
    files: /^forge\//,
    arrows: [PLATFORM, to(/^forge\//)],
    reason: "forge treats a mount as plain files: no cloud code, no FUSE, no cache",
  },
  {
    name: "bench",
    files: /^bench\//,
    arrows: [PLATFORM, to(/^bench\//)],
    reason: "bench treats a mount as plain files, so that it measures any file system",
  },
];

/** Why the file at `from` may not import the one at `path`; null when it may. */
export function forbiddenImport(from: string, path: string, kind: ImportKind): string | null {
  if (isTest(from) || isInfra(from)) return null;
  if (isTest(path) || isInfra(path)) {
    return `"${from}" imports "${path}": the product never imports tests/ or infra/`;
  }
  const layer = LAYERS.find((row) => row.files.test(from));
  if (layer === undefined) {
    return `"${from}" has no layer: add its folder to infra/tools/lint/layers.ts`;
  }
  const arrow = layer.arrows.find((candidate) => candidate.to.test(path));
  if (arrow?.kinds.includes(kind) === true) return null;
  const how = arrow === undefined ? "" : ` except as ${arrow.kinds.join(" or ")} import`;
  return `"${from}" (${layer.name}) may not import "${path}"${how}: ${layer.reason}`;
}

/** Reports every relative import that goes against the arrows. */
export const layers: Deno.lint.Rule = {
  create(context) {
    const from = repositoryPath(context.filename);
    const check = (node: Deno.lint.Node, specifier: unknown, kind: ImportKind) => {
      if (typeof specifier !== "string" || !/^\.{1,2}\//.test(specifier)) return;
      const message = forbiddenImport(from, importedPath(context.filename, specifier), kind);
      if (message !== null) context.report({ node, message });
    };
    return {
      ImportDeclaration(node) {
        const typeOnly = node.importKind === "type" ||
          node.specifiers.length > 0 &&
            node.specifiers.every((specifier) =>
              specifier.type === "ImportSpecifier" && specifier.importKind === "type"
            );
        check(node, node.source.value, typeOnly ? "type" : "value");
      },
      ImportExpression(node) {
        if (node.source.type === "Literal") check(node, node.source.value, "lazy");
      },
      TSImportType(node) {
        const argument = node.argument;
        if (argument.type !== "TSLiteralType" || argument.literal.type !== "Literal") return;
        check(node, argument.literal.value, "type");
      },
      ExportNamedDeclaration(node) {
        check(node, node.source?.value, node.exportKind);
      },
      ExportAllDeclaration(node) {
        check(node, node.source.value, node.exportKind);
      },
    };
  },
};
