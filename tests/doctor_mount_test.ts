/** The doctor beside a mount that runs, and one whose process is gone. */
import { deepEqual, equal, match } from "node:assert/strict";
import { z } from "zod";
import { runProgram } from "./cli/run_program.ts";
import { Mounted } from "./support/mounted.ts";
import { createPlace, type Place } from "./support/place.ts";

const DIAGNOSES = z.array(z.object({ check: z.string(), state: z.string(), found: z.string() }));

/** State and text of each check of the doctor's report. */
async function diagnose(args: readonly string[]) {
  const words = ["ctl", "doctor", "--format", "json", ...args];
  const { code, stdout, stderr } = await runProgram(words, {}, {});
  if (stdout === "") throw new Error(`The doctor found nothing (${code}): ${stderr}`);
  const rows = DIAGNOSES.parse(JSON.parse(stdout));
  return { code, found: new Map(rows.map((row) => [row.check, `${row.state} ${row.found}`])) };
}

async function mountWithCache(place: Place): Promise<Mounted> {
  return await Mounted.start(place, {
    config: { cache: { path: `${place.root}/cache`, max_size: "64MiB" } },
    fill: (source) => Deno.writeTextFile(`${source}/file`, "hello"),
  });
}

Deno.test("the doctor looks at a running mount by a path in it, and leaves it alone", async () => {
  await using place = await createPlace();
  await Deno.writeTextFile(`${place.source}/file`, "hello");
  await using mounted = await mountWithCache(place);
  const before = [...Deno.readDirSync(`${place.root}/cache`)].map(({ name }) => name).sort();
  const { code, found } = await diagnose([`${mounted.data}/file`]);
  equal(code, 0, JSON.stringify([...found]));
  match(found.get("mount") ?? "", /^ok .* is mounted, and answers$/);
  match(found.get("cache_lock") ?? "", new RegExp(`^ok process ${mounted.program.pid} uses it`));
  match(found.get("index_format") ?? "", /^ok (format \d+|its format is in its log)/);
  match(found.get("memory") ?? "", /the mount has \S+ MiB now$/);
  match(found.get("backend_access") ?? "", /^ok .*reads 5 B of "file"/);
  match(found.get("disk_speed") ?? "", /^(skipped|\w+ .*32 MiB with O_DIRECT, 1 at a time)/);
  const after = [...Deno.readDirSync(`${place.root}/cache`)].map(({ name }) => name).sort();
  deepEqual(after, before);
  equal(await Deno.readTextFile(`${mounted.data}/file`), "hello");
});

Deno.test("the doctor says that the process of a mount is gone, and what to do", async () => {
  await using place = await createPlace();
  await using mounted = await mountWithCache(place);
  await mounted.stop("SIGKILL");
  const config = `${place.root}/config.yaml`;
  const { code, found } = await diagnose(["--quick", "--config", config]);
  equal(code, 1);
  match(found.get("mount") ?? "", /^fail .* is mounted and does not answer: .*not connected/);
  match(found.get("cache_lock") ?? "", /^ok free/);
  equal(found.get("disk_speed"), "skipped --quick");
  const { code: none, stdout, stderr } = await runProgram(["ctl", "doctor", mounted.data], {}, {});
  equal(none, 1);
  equal(stdout, "");
  match(stderr, /^Cannot find the configuration of the mount of .*: no mount answers there/);
  match(stderr, /Hint: Name it: warpdrive ctl doctor --config FILE\n$/);
});

Deno.test("the doctor wants a path or a configuration, not both", async () => {
  const { code, stderr } = await runProgram(["ctl", "doctor", "/mnt", "--config", "x"], {}, {});
  equal(code, 2);
  match(stderr, /^Cannot look at "\/mnt" with --config: wanted one of them\n/);
});
