/** The walk through a mount: each step shows one thing that can be checked. */
import { formatDuration } from "../../cache/platform/units.ts";
import { untilAborted } from "./abort.ts";
import { backendTable, kernelTable, requestsTo } from "./dashboard.ts";
import { listFiles, type Reading, readTree } from "./reading.ts";
import { parseSamples, type Sample, total } from "./samples.ts";
import { AZURE, LOCAL, type Scene } from "./scene.ts";
import type { Screen } from "./screen.ts";

const TREE_NAMES_MAX = 3;
const HEALTH_TIMEOUT_MS = 10_000;

async function get(url: string, signal: AbortSignal): Promise<Response> {
  return await fetch(url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(HEALTH_TIMEOUT_MS)]),
  });
}

async function samplesOf(scene: Scene, signal: AbortSignal): Promise<Sample[]> {
  return parseSamples(await (await get(`${scene.metrics}/metrics`, signal)).text());
}

/** Lists the mount. */
export async function showTree(screen: Screen, scene: Scene, signal: AbortSignal): Promise<void> {
  screen.step("One tree");
  screen.say("Plain directories and files: `ls`, `tar`, Python and PyTorch need no client for it.");
  const byDirectory = Map.groupBy(
    await listFiles(scene.mountPoint, signal),
    (path) => path.slice(0, path.lastIndexOf("/")),
  );
  for (const [directory, paths] of byDirectory) {
    screen.show([`${directory}/  (${paths.length} ${paths.length === 1 ? "file" : "files"})`]);
    for (const path of paths.slice(0, TREE_NAMES_MAX)) {
      const { size, mode } = await untilAborted(Deno.stat(`${scene.mountPoint}/${path}`), signal);
      const permissions = ((mode ?? 0) & 0o777).toString(8).padStart(4, "0");
      const name = path.slice(directory.length + 1);
      screen.show([`  ${permissions} ${String(size).padStart(10)}  ${name}`]);
    }
    if (paths.length > TREE_NAMES_MAX) screen.show([`  ${" ".repeat(15)}  …`]);
  }
}

/** Reads everything twice; true when every byte was as stored. */
export async function showReads(
  screen: Screen,
  scene: Scene,
  signal: AbortSignal,
): Promise<boolean> {
  screen.step("Every byte, twice");
  screen.say(
    "Each file is read whole and its SHA-256 compared with the original's. The second read of " +
      "an object comes from the kernel's page cache: WarpDrive keeps it across opens as long as " +
      "the object is the same version, and the store is asked again only for what the kernel " +
      "had to give up meanwhile.",
  );
  const rows = [["backend", "read", "files", "MB", "time", "MB/s", "store requests", "content"]];
  const differences: string[] = [];
  for (const [backend, originals] of scene.originals) {
    for (const turn of ["first", "second"]) {
      const before = requestsTo(await samplesOf(scene, signal), backend);
      const reading = await readTree(`${scene.mountPoint}/${backend}`, originals, signal);
      const requests = requestsTo(await samplesOf(scene, signal), backend) - before;
      rows.push(readingRow(backend, turn, reading, requests));
      differences.push(...reading.differences.map((text) => `${turn} read: ${backend}/${text}`));
    }
  }
  screen.table(rows);
  for (const difference of differences) screen.say(`FAILED: ${difference}`);
  return differences.length === 0;
}

function readingRow(backend: string, turn: string, reading: Reading, requests: number): string[] {
  const { files, bytes, milliseconds, differences } = reading;
  return [
    backend,
    turn,
    String(files),
    (bytes / 1e6).toFixed(1),
    formatDuration(milliseconds),
    (bytes / 1e3 / milliseconds).toFixed(0),
    String(requests),
    differences.length === 0 ? "identical" : `${differences.length} FAILED`,
  ];
}

/** Shows who reads local files. */
export async function showPassthrough(
  screen: Screen,
  scene: Scene,
  signal: AbortSignal,
): Promise<void> {
  screen.step("Local files at the speed of the disk");
  const samples = await samplesOf(scene, signal);
  const opens = total(samples, "warpdrive_passthrough_opens_total");
  screen.say(
    opens > 0
      ? `${opens} opens of files in "${LOCAL}" were passed through: the kernel reads the file ` +
        "itself, at the speed of the file system below, and WarpDrive sees no read at all."
      : "This kernel, or this user, may not pass opens through (that takes Linux 6.9 and root), " +
        `so that WarpDrive served the files in "${LOCAL}" itself.`,
  );
}

/** Shows what Prometheus would collect. */
export async function showMetrics(
  screen: Screen,
  scene: Scene,
  signal: AbortSignal,
): Promise<void> {
  screen.step("Seen by Prometheus");
  const samples = await samplesOf(scene, signal);
  screen.say(`From ${scene.metrics}/metrics, which docs/metrics.md describes:`);
  screen.table(kernelTable(samples));
  screen.show([""]);
  screen.table(backendTable(samples, [AZURE, LOCAL]));
  const memory = total(samples, "process_resident_memory_bytes");
  screen.show(["", `resident memory: ${(memory / 2 ** 20).toFixed(0)} MiB`]);
}

/** Asks for health; true when all is well. */
export async function showHealth(
  screen: Screen,
  scene: Scene,
  signal: AbortSignal,
): Promise<boolean> {
  screen.step("Healthy?");
  const response = await get(`${scene.metrics}/healthz`, signal);
  screen.say(`GET ${scene.metrics}/healthz answers ${response.status}:`);
  screen.show((await response.text()).trimEnd().split("\n"));
  if (!response.ok) screen.say("FAILED: a mount whose stores answer should be healthy");
  return response.ok;
}
