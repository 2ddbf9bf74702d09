/** The repository's own files, as the test runner and the tidy test see them. */
import { fileURLToPath } from "node:url";

/** Absolute path of the repository, without trailing slash. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** Directories that hold results or other people's code, at any depth. */
const SKIPPED = new Set([".git", ".cache", "dist", "node_modules", "shared"]);

/** Paths of all files below the repository root, sorted. */
export function repositoryFiles(): string[] {
  const files: string[] = [];
  const visit = (directory: string) => {
    for (const entry of Deno.readDirSync(`${REPOSITORY}/${directory}`)) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory && !SKIPPED.has(entry.name)) visit(path);
      else if (entry.isFile) files.push(path);
    }
  };
  visit("");
  return files.sort();
}

/** The text of the repository file `path`. */
export function readSource(path: string): string {
  return Deno.readTextFileSync(`${REPOSITORY}/${path}`);
}
