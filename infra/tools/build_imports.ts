/**
 * Makes `import()` of CommonJS give its names in a bundle. The bundler makes such a module a chunk
 * with a default export only, although who imports it, an SDK for one, takes names out of it as
 * Node and Deno give them; those are then undefined where they are used.
 */
import { join } from "node:path/posix";

/** The end of a chunk that is a CommonJS module. */
const COMMONJS = /^export default require_\w+\(\);$/m;
/**
 * An import of another file of the bundle, with what is seen of the names that it takes:
 * `const { a, b: c } = await import(…)`, `(await import(…)).a`.
 */
const IMPORT = /(?:\{([^{}]*)\} = await |\(await )?import\("(\.{1,2}\/[^"]+)"\)(?:\)\.(\w+))?/g;

/**
 * The same bundle, path → text, in which every name that is imported when it is needed is there.
 *
 * @throws {Error} when a file does not export what another takes out of it.
 */
export function commonJsImports(files: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...files].map(([path, text]) => {
    const link = (whole: string, names: string | undefined, url: string, member?: string) => {
      const target = join(path, "..", url);
      const imported = files.get(target);
      if (imported === undefined) return whole;
      const call = `import("${url}")`;
      if (COMMONJS.test(imported)) return whole.replace(call, () => call + WITH_NAMES);
      checkNames(target, imported, namesTaken(names, member));
      return whole;
    };
    return [path, text.replaceAll(IMPORT, link)];
  }));
}

/** What Deno makes of a CommonJS module: its exports by name, and all of them as the default. */
const WITH_NAMES = ".then(({ default: all }) => ({ ...all, default: all }))";

/** The names that an import takes; null where that is not seen. */
function namesTaken(names: string | undefined, member?: string): readonly string[] | null {
  if (member !== undefined) return [member];
  if (names === undefined) return null;
  return names.split(",").map((part) => part.split(":")[0]?.trim() ?? "").filter(Boolean);
}

function checkNames(target: string, text: string, taken: readonly string[] | null): void {
  const exported = namesExported(text);
  const onlyDefault = exported.size === 1 && exported.has("default");
  const missing = taken === null
    ? (onlyDefault ? ["all"] : [])
    : taken.filter((name) => !exported.has(name));
  if (missing.length === 0) return;
  const wanted = missing.map((name) => `"${name}"`).join(", ");
  throw new Error(
    `Import ${wanted} of chunk "${target}": it exports ${[...exported].join(", ")}, wanted those`,
  );
}

function namesExported(text: string): ReadonlySet<string> {
  const lists = [...text.matchAll(/^export \{([^}]*)\};?$/gm)].flatMap(([, list = ""]) =>
    list.split(",").map((part) => part.trim().split(" as ").at(-1) ?? "").filter(Boolean)
  );
  return new Set([...lists, .../^export default /m.test(text) ? ["default"] : []]);
}
