/** The second act: the same epoch twice, and every byte compared. */
import { type PlotFile, writePlot } from "../../forge/plot/plot_file.ts";
import type { Curve, Point } from "../../forge/plot/step_series.ts";
import { REPOSITORY } from "../tools/source_tree.ts";
import type { Comparison } from "./capabilities.ts";
import { plainEnvironment, runChild, succeed, warpdrive } from "./children.ts";
import { between } from "./counters.ts";
import { comparisonRows, type Epoch, epochRows, sameTraining } from "./epoch.ts";
import { stepsOf } from "./options.ts";
import { dropPages } from "./page_cache.ts";
import { countersNow, linkBytesNow, plansOf, type Scene, shown } from "./scene.ts";
import { TRAIN } from "./stocking.ts";
import { parseTrainingLine, type Summary, type Window } from "./training.ts";

const WORKERS = 8;
const SEED = 42;
const WINDOW_HEAD = ["step", "images/s", "data ms", "compute ms", "loss"];

/** The first epoch: everything comes from the regions. */
export async function trainCold(scene: Scene): Promise<Epoch> {
  scene.screen.step("Cold epoch: everything is far away");
  scene.screen.note(
    "The model is a stand-in that learns from the raw bytes of JPEGs. Its losses say nothing of " +
      "the images, and everything of whether two runs saw the same.",
  );
  return await trainOnce(scene);
}

/** The same again. */
export async function trainWarm(scene: Scene): Promise<Epoch> {
  const { screen } = scene;
  screen.step("Warm epoch: the same command again");
  const files = [...await filesBelow(scene.cache), ...pathsOf(scene)];
  screen.note(
    await dropPages(files, scene.signal)
      ? "The kernel's page cache of the mount and of WarpDrive's files was dropped first, so " +
        "that this reads the local disk, not memory."
      : "This machine has no GNU dd to drop page caches with: some of this comes from memory.",
  );
  return await trainOnce(scene);
}

/** Cold beside warm. */
export function compareEpochs({ screen }: Scene, cold: Epoch, warm: Epoch): void {
  screen.step("Cold against warm");
  screen.table(comparisonRows(cold, warm));
  if (warm.counters.passthroughOpens === 0) {
    screen.note(
      "The kernel passes opens through to the disk from Linux 6.9 on, and for root only: here " +
        "WarpDrive answered every read itself.",
    );
  }
  const { samples, order } = warm.summary;
  screen.note(
    sameTraining(cold, warm)
      ? `Both saw the same ${samples} samples in the same order (SHA-256 ${order.slice(0, 16)}…) ` +
        "and had the same losses in every window, bit for bit."
      : "The two runs did not see the same samples, or learned something else from them.",
  );
}

/** A picture of both epochs, by the windows that they printed. */
export async function drawEpochs(
  scene: Scene,
  plot: PlotFile,
  cold: Epoch,
  warm: Epoch,
): Promise<void> {
  const [near, far] = plansOf(scene).map(({ distance }) => distance.roundTripMs);
  const title = `One epoch over two regions, ${near} and ${far} ms away, and the same epoch again`;
  const runs = [{ name: "cold", epoch: cold }, { name: "warm", epoch: warm }];
  await writePlot(
    plot,
    title,
    runs.map(({ name, epoch }) => ({ name, curve: progressOf(epoch, scene.scale.batchSize) })),
  );
  scene.screen.say(`Drawn into ${plot.path}`);
}

/** Speeds since the start: batches come a shard at a time, and a window alone says little. */
function progressOf({ windows }: Epoch, batchSize: number): Curve {
  let seconds = 0;
  let steps = 0;
  const points = windows.map(({ step, images_per_sec, loss }): Point => {
    seconds += (step - steps) * batchSize / images_per_sec;
    steps = step;
    return { step, imagesPerSecond: step * batchSize / seconds, loss };
  });
  return { points, meanOf: { kind: "start" } };
}

async function trainOnce(scene: Scene): Promise<Epoch> {
  const { screen, mountPoint, scale, isolation, signal } = scene;
  const [rootA = "", rootB = ""] = plansOf(scene).map((plan) =>
    `${mountPoint}/${plan.backend}/${TRAIN}`
  );
  const args = [
    ...["forge", "--train-root-a", rootA, "--train-root-b", rootB],
    ...["--steps", `${stepsOf(scale)}`, "--batch-size", `${scale.batchSize}`],
    ...["--num-workers", `${WORKERS}`, "--seed", `${SEED}`, "--log-every", `${scale.logEvery}`],
    "--json",
  ];
  screen.command(shown(scene, [...isolation, "warpdrive", ...args].join(" ")));
  screen.show([windowText(WINDOW_HEAD)]);
  const windows: Window[] = [];
  let summary: Summary | null = null;
  const onLine = (line: string) => {
    const record = parseTrainingLine(line);
    if (record?.event === "done") summary = record;
    if (record?.event !== "window") return;
    windows.push(record);
    screen.show([windowText(cellsOf(record))]);
  };
  const before = await countersNow(scene);
  const linkBefore = linkBytesNow(scene);
  const { wallMs } = await succeed({
    words: [...isolation, ...warpdrive(args)],
    directory: REPOSITORY,
    env: plainEnvironment(),
    onLine,
  }, signal);
  if (summary === null) throw new Error('Run "warpdrive forge": it printed no summary');
  const counters = between(before, await countersNow(scene));
  const epoch = { wallMs, windows, summary, counters, linkBytes: linkBytesNow(scene) - linkBefore };
  screen.show([""]);
  screen.values(epochRows(epoch, plansOf(scene)));
  return epoch;
}

function cellsOf(window: Window): readonly string[] {
  return [
    String(window.step),
    window.images_per_sec.toFixed(1),
    window.data_ms.toFixed(2),
    window.compute_ms.toFixed(2),
    window.loss.toFixed(4),
  ];
}

function windowText(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padStart(index === 0 ? 6 : 12)).join("");
}

/** Reads every shard of `prefix` with sha256sum(1) and compares it with what was stored. */
export async function compareContents(scene: Scene, prefix: string): Promise<Comparison> {
  const { screen, directory, mountPoint, signal } = scene;
  const sums = [...scene.checksums].filter(([path]) => path.includes(`/${prefix}/`));
  const list = `${directory}/${prefix}.sha256`;
  await Deno.writeTextFile(list, sums.map(([path, sum]) => `${sum}  ${path}\n`).join(""));
  screen.command(`cd $DEMO/wd && sha256sum --check --quiet $DEMO/${prefix}.sha256`);
  const { code, stdout, stderr } = await runChild({
    words: ["sha256sum", "--check", "--quiet", list],
    directory: mountPoint,
    env: { ...plainEnvironment(), LC_ALL: "C" },
  }, signal);
  const said = [...stdout, ...stderr];
  const differences = code === 0 ? [] : stdout.filter((line) => line.includes(": FAILED"));
  if (code !== 0 && differences.length === 0) throw new Error(`Run sha256sum: ${said.join("; ")}`);
  screen.show(said);
  if (code === 0) screen.show([`all ${sums.length} as they were stored`]);
  return { files: sums.length, differences };
}

function pathsOf({ checksums, mountPoint }: Scene): string[] {
  return [...checksums.keys()].filter((path) => path.includes(`/${TRAIN}/`))
    .map((path) => `${mountPoint}/${path}`);
}

async function filesBelow(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) found.push(...await filesBelow(path));
    else if (isFile) found.push(path);
  }
  return found;
}
