/**
 * A program that a timer signal interrupts every 5 ms while it reads the file it is given, as Go
 * programs and profilers are: prints the SHA-256 of what it read.
 */
import { createHash } from "node:crypto";

const ITIMER_REAL = 0;
const INTERVAL_US = 5_000n;

// The handler only has to be there: without one the signal would end the process.
Deno.addSignalListener("SIGALRM", () => {});
// deno-lint-ignore warpdrive/ambient
const { symbols } = Deno.dlopen("libc.so.6", {
  setitimer: { parameters: ["i32", "buffer", "pointer"], result: "i32" },
});
const timer = new BigUint64Array([0n, INTERVAL_US, 0n, INTERVAL_US]);
symbols.setitimer(ITIMER_REAL, timer, null);
// On the main thread, which is where the kernel delivers signals to the process.
const content = Deno.readFileSync(Deno.args[0] ?? "");
Deno.stdout.writeSync(new TextEncoder().encode(createHash("sha256").update(content).digest("hex")));
Deno.exit(0);
