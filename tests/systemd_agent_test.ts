/** The unit of a compute node under a real systemd, with the compiled program. */
import { equal } from "node:assert/strict";
import { AGENT, bootWithAgent } from "./support/installed_agent.ts";

Deno.test("The agent is ready when the whole system sees the mount", async () => {
  await using system = await bootWithAgent();
  await system.succeed("systemctl", "start", AGENT);
  equal(await system.succeed("cat", "/wd/data/file"), "content");
});
