import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { CommandError } from "../../cache/platform/exit.ts";
import { plotFileOf } from "./plot_file.ts";

function refusal(path: string): string {
  let message = "";
  throws(() => plotFileOf(path), (error: unknown) => {
    ok(error instanceof CommandError && error.hint !== null);
    equal(error.code, "usage");
    message = error.message;
    return true;
  });
  return message;
}

Deno.test("plotFileOf refuses before a run what could not be drawn after it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${directory}/directory.svg`);
    equal(refusal("run.gif"), 'Cannot draw "run.gif": wanted a name that ends in .svg or .png');
    ok(refusal(`${directory}/none/run.svg`).endsWith(`there is no directory "${directory}/none"`));
    ok(refusal(`${directory}/directory.svg`).endsWith("it cannot be written"));
    // A directory that takes no files, even of root.
    equal(refusal("/proc/run.svg"), 'Cannot draw "/proc/run.svg": it cannot be written');
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("plotFileOf leaves what is there, and nothing where nothing was", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/old.svg`, "old");
    deepEqual(plotFileOf(`${directory}/old.svg`).kind, "svg");
    deepEqual(plotFileOf(`${directory}/new.PNG`).kind, "png");
    deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["old.svg"]);
    equal(await Deno.readTextFile(`${directory}/old.svg`), "old");
    await Deno.symlink("elsewhere", `${directory}/link.svg`);
    equal(plotFileOf(`${directory}/link.svg`).path, `${directory}/link.svg`);
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name);
    deepEqual(names.sort(), ["link.svg", "old.svg"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
