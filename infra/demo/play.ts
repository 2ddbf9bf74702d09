/** The demo from beginning to end. */
import { systemClock } from "../../cache/platform/clock.ts";
import { EXIT, type ExitCode } from "../../cache/platform/exit.ts";
import { untilAborted } from "./abort.ts";
import { capabilities, type Evidence } from "./capabilities.ts";
import { ofAllBackends } from "./counters.ts";
import { compareContents, compareEpochs, drawEpochs, trainCold, trainWarm } from "./epochs.ts";
import { govern } from "./governance.ts";
import { showDashboard } from "./monitoring.ts";
import type { PlotFile } from "../../forge/plot/plot_file.ts";
import { buildScene, introduce, mountScene, showTree } from "./opening.ts";
import type { DemoOptions } from "./options.ts";
import { total } from "./samples.ts";
import { healthOf, plansOf, samplesOf, type Scene } from "./scene.ts";
import type { Screen } from "./screen.ts";
import { TRAIN } from "./stocking.ts";
import { verdictOf } from "./verdict.ts";

/** What is to be played. */
export type Play = DemoOptions & { readonly kind: "play" };

/** Plays it, and takes everything away again, whatever happens; the exit code says how it went. */
export async function play(screen: Screen, options: Play, signal: AbortSignal): Promise<ExitCode> {
  await using stack = new AsyncDisposableStack();
  const startedMs = systemClock.monotonicMs();
  const directory = await Deno.makeTempDir({ prefix: "wd-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  introduce(screen, options);
  const scene = await buildScene(screen, options, directory, systemClock, stack, signal);
  const tokensBefore = scene.identity.tokensGiven;
  const mount = stack.use(await mountScene(scene));
  const evidence = await perform(scene, options.plot, tokensBefore);
  if (mount.complaints.length > 0) {
    screen.step("What the mount logged as warning or error");
    for (const line of mount.complaints) screen.say(line);
  }
  screen.step("Capabilities, each by what was measured");
  const shown = capabilities(evidence);
  for (const { holds, title, because } of shown) screen.verdict(holds, title, because);
  if (options.keep) await lookAround(scene);

  screen.step("Away again");
  const end = await mount.stop();
  await stack.disposeAsync();
  const tookMs = systemClock.monotonicMs() - startedMs;
  const { code, away, last } = verdictOf(shown.map(({ holds }) => holds), end, tookMs);
  screen.say(away);
  screen.end(code === EXIT.done, last);
  return code;
}

/** All that is done with the mount, and what came of it. */
async function perform(
  scene: Scene,
  plot: PlotFile | null,
  tokensBefore: number,
): Promise<Evidence> {
  await showTree(scene);
  const cold = await trainCold(scene);
  const warm = await trainWarm(scene);
  compareEpochs(scene, cold, warm);
  if (plot !== null) await drawEpochs(scene, plot, cold, warm);
  const contents = await compareContents(scene, TRAIN);
  await showDashboard(scene);
  const governance = await govern(scene);
  const samples = await samplesOf(scene);
  const refreshes = (status: string) => total(samples, "warpdrive_auth_refresh_total", { status });
  return {
    regions: plansOf(scene),
    cold,
    warm,
    contents,
    trainerNetwork: scene.isolation.length > 0 ? "none" : "the machine's",
    identity: {
      tokens: scene.identity.tokensGiven - tokensBefore,
      refreshes: refreshes("success"),
      failures: refreshes("failure"),
      statusesWithoutToken: await Promise.all(
        scene.regions.map((region) => region.statusWithoutToken(scene.signal)),
      ),
    },
    metrics: {
      health: await healthOf(scene),
      series: samples.length,
      countedBytes: ofAllBackends(cold.counters).bytes,
      linkBytes: cold.linkBytes,
    },
    governance,
  };
}

/** Leaves everything running until somebody stops it. */
async function lookAround({ screen, mountPoint, config, metrics, signal, regions }: Scene) {
  const [first] = regions;
  screen.step("Yours to look around");
  screen.say("It stays mounted until you press Ctrl+C here. In another terminal:");
  screen.show([
    `ls -lR ${mountPoint}`,
    `tar tf ${mountPoint}/${first.plan.backend}/${TRAIN}/shard-000000.tar | head`,
    `deno task warpdrive ctl doctor --config ${config}`,
    `METRICS=${metrics} infra/demo/03_watch_warpdrive_metrics.sh`,
  ]);
  const stopped = untilAborted(new Promise<never>(() => {}), signal);
  await stopped.catch((reason: unknown) => {
    if (reason !== signal.reason) throw reason;
  });
}
