/** `--plot FILE`: which kinds of pictures there are, and writing one. */
import { dirname } from "node:path/posix";
import { CommandError } from "../../cache/platform/exit.ts";
import { chartSvg, type DrawnRun } from "./chart_svg.ts";

/** Points of a curve: more would lie closer together than the pixels. */
export const PLOT_POINTS_MAX = 512;

const WRITABLE = "Give a path that this user may write with --plot";

/** A picture to be written when a run is over. */
export interface PlotFile {
  readonly path: string;
  readonly kind: "svg" | "png";
}

/**
 * The picture that `path` names.
 *
 * @throws {CommandError} `usage`, before the run and not after it, when it cannot be written there.
 */
export function plotFileOf(path: string): PlotFile {
  const kind = /\.(svg|png)$/i.exec(path)?.[1]?.toLowerCase();
  if (kind !== "svg" && kind !== "png") {
    throw new CommandError(
      "usage",
      `Cannot draw "${path}": wanted a name that ends in .svg or .png`,
      "Give --plot FILE.svg or --plot FILE.png",
    );
  }
  if (!isDirectory(dirname(path))) {
    throw new CommandError(
      "usage",
      `Cannot draw "${path}": there is no directory "${dirname(path)}"`,
      "Make the directory first, or give another path with --plot",
    );
  }
  tryWriting(path);
  return { path, kind };
}

/** Draws `runs`, none of which is empty. */
export async function writePlot(
  { path, kind }: PlotFile,
  title: string,
  runs: readonly DrawnRun[],
): Promise<void> {
  const svg = chartSvg(title, runs);
  try {
    if (kind === "svg") return await Deno.writeTextFile(path, svg);
    const { pngOf } = await import("./chart_png.ts");
    await Deno.writeFile(path, await pngOf(svg));
  } catch (cause) {
    throw new CommandError("failed", `Cannot write the plot "${path}"`, WRITABLE, { cause });
  }
}

/** Opens `path` to write, and leaves everything as it was. */
function tryWriting(path: string): void {
  const wasThere = exists(path);
  try {
    Deno.openSync(path, { append: true, create: true }).close();
  } catch (cause) {
    throw new CommandError("usage", `Cannot draw "${path}": it cannot be written`, WRITABLE, {
      cause,
    });
  }
  // Through a link to nothing, it is the file that the link names.
  if (!wasThere) Deno.removeSync(Deno.realPathSync(path));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    // Opening it says more.
    return false;
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    // Not there, or out of reach: the message says what is wanted.
    return false;
  }
}
