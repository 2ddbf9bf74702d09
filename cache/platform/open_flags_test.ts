import assert from "node:assert/strict";
import { openFlagsOf } from "./open_flags.ts";

Deno.test("four flags of open(2) differ between the architectures, and no other", () => {
  const x86 = openFlagsOf("x86_64");
  const arm = openFlagsOf("aarch64");
  const different = Object.entries(x86).filter(([name, value]) => {
    return Object.entries(arm).find(([other]) => other === name)?.[1] !== value;
  });
  assert.deepEqual(different.map(([name]) => name).sort(), [
    "DIRECT",
    "DIRECTORY",
    "LARGEFILE",
    "NOFOLLOW",
  ]);
  // asm-generic/fcntl.h, and arch/arm64/include/uapi/asm/fcntl.h
  assert.deepEqual([x86.DIRECT, x86.DIRECTORY, x86.NOFOLLOW, x86.LARGEFILE], [
    0o40000,
    0o200000,
    0o400000,
    0o100000,
  ]);
  assert.deepEqual([arm.DIRECT, arm.DIRECTORY, arm.NOFOLLOW, arm.LARGEFILE], [
    0o200000,
    0o40000,
    0o100000,
    0o400000,
  ]);
});
