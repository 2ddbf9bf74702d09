/**
 * Reads the file it is given through a mapping, and prints the SHA-256 of what is there. A process
 * of its own: where the bytes cannot be had, the kernel ends it with SIGBUS.
 */
import { createHash } from "node:crypto";
import { MAP, Posix } from "../support/posix.ts";

const [path = ""] = Deno.args;
using posix = new Posix();
const fd = await posix.open(path);
const { size } = await Deno.stat(path);
const bytes = await posix.readMapped(fd, size, MAP.SHARED);
Deno.stdout.writeSync(new TextEncoder().encode(createHash("sha256").update(bytes).digest("hex")));
