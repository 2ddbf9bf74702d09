/**
 * A program that a timer signal interrupts every 5 ms while it reads the file it is given, as Go
 * programs and profilers are: prints the SHA-256 of what it read, and how often it was interrupted.
 *
 * It reads past the page cache, where the kernel waits for our answer in the reader's own name and
 * tells us of its signals.
 */
import { createHash } from "node:crypto";
import { alignedMemory } from "../../cache/platform/aligned_memory.ts";
import { ERRNO } from "../../cache/platform/errno.ts";
import { cString } from "../../cache/platform/libc.ts";
import { OPEN_FLAGS } from "../../cache/platform/open_flags.ts";

const ITIMER_REAL = 0;
const INTERVAL_US = 5_000n;
const READ_BYTES = 1 << 20;
/** A multiple of what any disk asks of O_DIRECT, where a file is passed through. */
const ALIGNMENT = 4_096;

// The handler only has to be there: without one the signal would end the process.
Deno.addSignalListener("SIGALRM", () => {});
// deno-lint-ignore warpdrive/ambient
const { symbols } = Deno.dlopen("libc.so.6", {
  __errno_location: { parameters: [], result: "pointer" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  setitimer: { parameters: ["i32", "buffer", "pointer"], result: "i32" },
});
const location = symbols.__errno_location();
if (location === null) throw new Error("Cannot find errno: libc gave no address");
const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));

const { size } = Deno.statSync(Deno.args[0] ?? "");
const fd = symbols.open(cString(Deno.args[0] ?? ""), OPEN_FLAGS.RDONLY | OPEN_FLAGS.DIRECT);
symbols.setitimer(ITIMER_REAL, new BigUint64Array([0n, INTERVAL_US, 0n, INTERVAL_US]), null);
const hash = createHash("sha256");
const buffer = alignedMemory(READ_BYTES, ALIGNMENT);
let interrupted = 0;
for (let total = 0; total < size;) {
  // On the main thread, which is where the kernel delivers the signals of a process.
  const length = Number(symbols.read(fd, buffer, BigInt(buffer.length)));
  // Not asked for: behind the end, a position that is no multiple of a disk's block is refused.
  if (length === 0) fail(`"${Deno.args[0]}" ends at ${total}: wanted ${size} bytes`);
  total += Math.max(0, length);
  if (length > 0) hash.update(buffer.subarray(0, length));
  else if (errno[0] === ERRNO.EINTR) interrupted += 1;
  else fail(`Cannot read "${Deno.args[0]}": errno ${errno[0]}`);
}
disarm();
const report = { sum: hash.digest("hex"), interrupted };
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)));
Deno.exit(0);

/** The handler goes before the process does. */
function disarm(): void {
  symbols.setitimer(ITIMER_REAL, new BigUint64Array(4), null);
}

function fail(message: string): never {
  disarm();
  throw new Error(message);
}
