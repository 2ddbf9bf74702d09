import { equal, match } from "node:assert/strict";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));

async function bench(...args: readonly string[]) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "tests/stores_bench.ts", ...args],
    cwd: REPOSITORY,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  return { code, output: new TextDecoder().decode(stdout) };
}

Deno.test("reads of a backend are measured against a loop around fetch", async () => {
  const { output } = await bench("--store", "s3", "--rounds", "1", "--passes", "1");
  match(output, /s3, 4 at once, GB\/s\n +fetch, bytes kept +\d[^\n]*\n +backend +\d/);
  match(output, /(pass|FAIL) {2}s3, 1 at once: \d+\.\d\d, wanted 0\.9/);
});

Deno.test("reads of a store that there is no server of are not measured", async () => {
  const { code, output } = await bench("--store", "ftp");
  equal(code, 2);
  match(output, /Measure "ftp": wanted azure, s3 or gcs/);
});
