import { deepEqual, throws } from "node:assert/strict";
import { takeGlobalFlags } from "./global_flags.ts";

Deno.test("takeGlobalFlags takes its flags wherever they stand, with one dash or two", () => {
  deepEqual(takeGlobalFlags(["--debug", "mount", "a", "--log-level", "warn", "b"]), {
    debug: true,
    logLevel: "warn",
    rest: ["mount", "a", "b"],
  });
  deepEqual(takeGlobalFlags(["mount", "-debug", "-log-level=error"]), {
    debug: true,
    logLevel: "error",
    rest: ["mount"],
  });
});

Deno.test("takeGlobalFlags logs at info, and at debug under --debug", () => {
  deepEqual(takeGlobalFlags([]), { debug: false, logLevel: "info", rest: [] });
  deepEqual(takeGlobalFlags(["--debug"]), { debug: true, logLevel: "debug", rest: [] });
});

Deno.test("takeGlobalFlags leaves what follows -- alone", () => {
  deepEqual(takeGlobalFlags(["forge", "--", "train", "--debug"]), {
    debug: false,
    logLevel: "info",
    rest: ["forge", "--", "train", "--debug"],
  });
});

Deno.test("takeGlobalFlags refuses an unknown and a missing level", () => {
  throws(() => takeGlobalFlags(["--log-level", "loud"]), /Cannot use log level "loud"/);
  throws(() => takeGlobalFlags(["--log-level"]), /Cannot use log level ""/);
});
