/** The third act: what operators do, on the live mount. */
import { REPOSITORY } from "../tools/source_tree.ts";
import { CTL_COMMANDS } from "../../ctl/command.ts";
import type { Evidence } from "./capabilities.ts";
import { type Ended, plainEnvironment, runChild, warpdrive } from "./children.ts";
import { ofAllBackends } from "./counters.ts";
import { compareContents } from "./epochs.ts";
import { foldTables } from "./fold.ts";
import { countersNow, type Scene, shown } from "./scene.ts";
import { SHOWN_COLUMNS } from "./screen.ts";
import { VALIDATION } from "./stocking.ts";

/** Lines shown of an answer, unless a row below says otherwise. */
const LINES_MAX = 40;

interface Tour {
  readonly name: string;
  readonly args: (scene: Scene) => readonly string[];
  readonly linesMax: number;
}

const OF_MOUNT: Tour["args"] = ({ config }) => ["--config", config];

/** Commands in the order they are shown. */
const TOUR: readonly Tour[] = [
  { name: "status", args: OF_MOUNT, linesMax: LINES_MAX },
  { name: "stats", args: OF_MOUNT, linesMax: LINES_MAX },
  {
    name: "usage",
    args: (scene) => [...OF_MOUNT(scene), "--by", "backend"],
    linesMax: LINES_MAX,
  },
  {
    name: "stale",
    args: (scene) => [...OF_MOUNT(scene), "--days", "0", "--limit", "3"],
    linesMax: LINES_MAX,
  },
  {
    name: "explain",
    args: ({ mountPoint, checksums }) => [`${mountPoint}/${[...checksums.keys()][0]}`],
    // How it is kept and opened; the rest is for whoever looks for a fault.
    linesMax: 8,
  },
];

/** Warms a second data set, then asks the mount about itself. */
export async function govern(scene: Scene): Promise<Evidence["governance"]> {
  const { screen } = scene;
  screen.step("Governance, on the live mount");
  const there = new Set(CTL_COMMANDS.map(({ name }) => name));
  const commands: { name: string; code: number }[] = [];
  const run = async (name: string, args: readonly string[], linesMax: number) => {
    const { code } = await ctl(scene, [name, ...args], linesMax);
    commands.push({ name, code });
  };
  let bytesAfterWarm = 0;
  if (there.has("warm")) {
    await run(
      "warm",
      [`${scene.mountPoint}/${scene.regions[1].plan.backend}/${VALIDATION}`],
      LINES_MAX,
    );
    const before = ofAllBackends(await countersNow(scene)).bytes;
    await compareContents(scene, VALIDATION);
    bytesAfterWarm = ofAllBackends(await countersNow(scene)).bytes - before;
    screen.note(`That read took ${bytesAfterWarm} bytes from the backend.`);
  }
  for (const { name, args, linesMax } of TOUR) {
    if (there.has(name)) await run(name, args(scene), linesMax);
  }
  const shownNames = new Set(["warm", ...TOUR.map(({ name }) => name)]);
  const others = CTL_COMMANDS.filter(({ name }) => !shownNames.has(name));
  screen.note(
    `Also there: ${others.map(({ name, summary }) => `${name} (${summary})`).join("; ")}.`,
  );
  return { commands, bytesAfterWarm };
}

async function ctl(scene: Scene, args: readonly string[], linesMax: number): Promise<Ended> {
  const { screen, signal } = scene;
  screen.command(`warpdrive ctl ${shown(scene, args.join(" "))}`);
  const ended = await runChild({
    words: warpdrive(["ctl", ...args]),
    directory: REPOSITORY,
    env: plainEnvironment(),
  }, signal);
  const lines = [...ended.stdout, ...ended.code === 0 ? [] : ended.stderr];
  screen.show(foldTables(lines.slice(0, linesMax), SHOWN_COLUMNS));
  if (lines.length > linesMax) screen.show([`… ${lines.length - linesMax} more lines`]);
  if (ended.code !== 0) screen.say(`FAILED: exit code ${ended.code}`);
  return ended;
}
