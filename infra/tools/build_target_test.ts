import { deepEqual, throws } from "node:assert/strict";
import { wantedTarget } from "./build_target.ts";

const OWN = "x86_64-unknown-linux-gnu";

Deno.test("wantedTarget is this machine, in dist itself, unless told otherwise", () => {
  deepEqual(wantedTarget([], OWN), { target: OWN, directory: "dist" });
  deepEqual(wantedTarget(["--target", "aarch64-unknown-linux-gnu"], OWN), {
    target: "aarch64-unknown-linux-gnu",
    directory: "dist/aarch64-unknown-linux-gnu",
  });
});

Deno.test("wantedTarget refuses machines it has no runtime for", () => {
  throws(() => wantedTarget(["--target", "x86_64-pc-windows-msvc"], OWN), /wanted x86_64-unknown/);
  throws(() => wantedTarget([], "aarch64-apple-darwin"), /no such target/);
  throws(() => wantedTarget(["--targets", OWN], OWN), /targets/);
});
