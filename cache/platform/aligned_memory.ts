/** Memory that O_DIRECT takes: the kernel wants its address to be a multiple of a disk's sector. */
import type { Memory } from "./libc.ts";

/** `bytes` of zeros whose address is a multiple of `alignment`. */
export function alignedMemory(bytes: number, alignment: number): Memory {
  const memory = new Uint8Array(bytes + alignment);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory));
  const over = Number(BigInt(address) % BigInt(alignment));
  return memory.subarray(over === 0 ? 0 : alignment - over).subarray(0, bytes);
}
