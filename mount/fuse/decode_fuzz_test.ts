import assert from "node:assert/strict";
import { Fields, kernelMessage } from "../../tests/support/kernel_message.ts";
import { type SeededRandom, withSeed } from "../../tests/support/seeded_random.ts";
import { OPCODES } from "./abi.ts";
import { decode } from "./decode.ts";

const MUTATIONS = 100_000;
const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];

/** A valid message of every opcode, with a name where one fits. */
function corpus(): Uint8Array<ArrayBuffer>[] {
  return [...OPCODES].flatMap(([opcode, row]) => [
    kernelMessage(opcode, new Fields().raw(new Uint8Array(row.bodyBytesMin)).name("name")),
    kernelMessage(opcode, new Fields().u64(1, 2, 3, 4, 5, 6).name("user.warpdrive.key")),
  ]);
}

/** `message` cut or extended, with some bytes changed; mostly with a length that fits. */
function mutate(message: Uint8Array<ArrayBuffer>, random: SeededRandom): Uint8Array<ArrayBuffer> {
  const mutated = new Uint8Array(random.below(4) === 0 ? random.below(160) : message.length);
  mutated.set(message.subarray(0, mutated.length));
  for (let changes = random.below(6); changes > 0 && mutated.length > 0; changes -= 1) {
    mutated[random.below(mutated.length)] = random.below(2) === 0
      ? random.pick(INTERESTING)
      : random.below(256);
  }
  if (mutated.length >= 4 && random.below(4) > 0) {
    new DataView(mutated.buffer).setUint32(0, mutated.length, true);
  }
  return mutated;
}

Deno.test("decode turns 100,000 mutated messages into values and never throws", async () => {
  await withSeed(20_261_122, (random) => {
    const messages = corpus();
    const seen = new Set<string>();
    // The session's buffer is larger than any message and holds the end of the one before.
    const buffer = new Uint8Array(4096).fill(0x61);
    for (let count = 0; count < MUTATIONS; count += 1) {
      const mutated = mutate(random.pick(messages), random);
      buffer.set(mutated);
      seen.add(decode(buffer, mutated.length).kind);
    }
    assert.deepEqual([...seen].sort(), ["init", "interrupt", "malformed", "request"]);
  });
});
