/** Where a file stands in the repository: what every rule asks first. */
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The path of `filename` below the repository root, with `/` between segments. */
export function repositoryPath(filename: string): string {
  return relative(ROOT, filename);
}

/** The repository path that the relative import `specifier` in `filename` leads to. */
export function importedPath(filename: string, specifier: string): string {
  return repositoryPath(resolve(dirname(filename), specifier));
}

/** Tests and what they stand on: they may reach into everything, and nothing reaches into them. */
export function isTest(path: string): boolean {
  return path.startsWith("tests/") || path.endsWith("_test.ts");
}

/** Tools, demo and deployment: development only, never part of the product. */
export function isInfra(path: string): boolean {
  return path.startsWith("infra/");
}

/**
 * A place where the program is put together: there the machine's clock, environment and arguments
 * become parameters for everything else.
 */
export function isCompositionRoot(path: string): boolean {
  return path === "main.ts" || /^(mount|ctl|forge|bench)\/([a-z_]+_)?command\.ts$/.test(path) ||
    /^bench\/[a-z_]+_bench\.ts$/.test(path);
}
