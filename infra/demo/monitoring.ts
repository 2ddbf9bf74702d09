/** What Prometheus would collect from the mount, as a dashboard. */
import { backendRows, cacheRows, kernelLine, latencyBars } from "./dashboard.ts";
import { plansOf, samplesOf, type Scene } from "./scene.ts";

/** Shows the metrics since the mount started. */
export async function showDashboard(scene: Scene): Promise<void> {
  const { screen, metrics } = scene;
  screen.step("Dashboard, since the mount started");
  screen.command(`curl ${metrics}/metrics`);
  const samples = await samplesOf(scene);
  screen.show([
    `Kernel requests answered: ${kernelLine(samples)}`,
    "",
    "How long those reads took:",
  ]);
  screen.show(latencyBars(samples));
  screen.show([""]);
  screen.values(cacheRows(samples));
  screen.show([""]);
  screen.table(backendRows(samples, plansOf(scene)));
  screen.note(
    "Prometheus scrapes this as it is. Used is bytes in the cache directory; requests are HTTP " +
      "requests, listings included; errors are requests that failed; wasted blocks were read " +
      "ahead and never used.",
  );
}
