/** The program for the other machine, made on this one. */
import { equal, match } from "node:assert/strict";
import { installed, succeed } from "../support/command.ts";
import { buildCopy, copySources } from "../support/source_copy.ts";

/** e_machine of Elf64_Ehdr for AArch64 (elf.h). */
const EM_AARCH64 = 183;
/** Libraries of that machine, as Debian's cross packages install them. */
const LIBRARIES = "/usr/aarch64-linux-gnu";

Deno.test("The program is built for aarch64, and runs there", async (test) => {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-build-" });
  try {
    await copySources(directory);
    await buildCopy(directory, "--target", "aarch64-unknown-linux-gnu");
    const program = `${directory}/dist/aarch64-unknown-linux-gnu/warpdrive`;
    using file = await Deno.open(program);
    const head = new Uint8Array(20);
    equal(await file.read(head), head.length);
    equal(new DataView(head.buffer).getUint16(18, true), EM_AARCH64);
    await test.step({
      name: "in an emulator of that machine",
      ignore: !installed("qemu-aarch64"),
      fn: async () => {
        const facts = await succeed("qemu-aarch64", "-L", LIBRARIES, program, "version", "--json");
        match(facts, /"target":"aarch64-unknown-linux-gnu"/);
      },
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
