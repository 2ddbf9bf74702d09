import { equal, match } from "node:assert/strict";
import {
  checkAllowOther,
  checkDevice,
  checkOpenFiles,
  checkPassthrough,
  checkPrivilege,
  mayMount,
} from "./kernel.ts";

Deno.test("mayMount reads CAP_SYS_ADMIN from the effective capabilities", () => {
  equal(mayMount("Name:\tx\nCapPrm:\t0\nCapEff:\t000001ffffffffff\n"), true);
  equal(mayMount("CapEff:\t0000000000200000\n"), true);
  equal(mayMount("CapEff:\t00000000a80425fb\n"), false);
  equal(mayMount(""), false);
});

Deno.test("checkDevice fails without a device, and without access unless a helper opens it", () => {
  equal(checkDevice("ok", false).state, "ok");
  equal(checkDevice("missing", true).state, "fail");
  equal(checkDevice("denied", true).state, "fail");
  equal(checkDevice("denied", false).state, "ok");
});

Deno.test("checkPrivilege wants a capability or fusermount3", () => {
  equal(checkPrivilege(true, null).state, "ok");
  equal(checkPrivilege(false, "/usr/bin/fusermount3").state, "ok");
  equal(checkPrivilege(false, null).state, "fail");
});

Deno.test("checkAllowOther reads fuse.conf as fusermount3 does", () => {
  equal(checkAllowOther(false, false, null).state, "ok");
  equal(checkAllowOther(true, true, null).state, "ok");
  equal(checkAllowOther(true, false, "# x\nuser_allow_other\n").state, "ok");
  equal(checkAllowOther(true, false, "#user_allow_other\n").state, "fail");
  equal(checkAllowOther(true, false, null).state, "fail");
});

Deno.test("checkPassthrough warns where local files will be slower", () => {
  equal(checkPassthrough(true, true, "6.9.0", true).state, "ok");
  equal(checkPassthrough(true, true, "7.0-rc1", true).state, "ok");
  equal(checkPassthrough(true, true, "6.9.0", false).state, "warn");
  match(checkPassthrough(true, true, "5.15.0-91-generic", true).detail, /5\.15.* older than 6\.9/);
  equal(checkPassthrough(true, false, "5.15.0", false).state, "ok");
  equal(checkPassthrough(false, true, "5.15.0", false).state, "ok");
});

Deno.test("checkOpenFiles judges the hard limit, which the mount raises itself to", () => {
  const limits = (hard: string) => `Max open files            1024                 ${hard} files\n`;
  equal(checkOpenFiles(limits("1048576")).state, "ok");
  equal(checkOpenFiles(limits("unlimited")).state, "ok");
  equal(checkOpenFiles(limits("4096")).state, "warn");
  equal(checkOpenFiles("").state, "warn");
});
