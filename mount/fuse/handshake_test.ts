import assert from "node:assert/strict";
import { INIT } from "./abi.ts";
import { negotiate, type Wanted } from "./handshake.ts";
import { requestId } from "./ids.ts";
import type { InitRequest } from "./messages.ts";

const WANTED: Wanted = {
  readAheadBytes: 1 << 20,
  maxBackground: 64,
  congestionThreshold: 48,
  passthrough: true,
  stackDepth: 1,
  pageBytes: 4096,
};

/** What Linux 6.18 offers, as seen on a real one. */
const LINUX_6_18 = 0x5fdn << 32n | 0x73ff_fffbn;
/** Before flags2 and passthrough. */
const LINUX_5_4 = 0x07ff_fffbn;

function offer(major: number, minor: number, flags: bigint): InitRequest {
  return { id: requestId(2), major, minor, readAheadBytes: 131_072, flags };
}

function agreed(init: InitRequest, wanted = WANTED) {
  const handshake = negotiate(init, wanted);
  assert(handshake.kind === "agreed", `Ended ${handshake.kind}`);
  return handshake;
}

Deno.test("negotiate agrees with a current kernel on all that serves reading", () => {
  const { reply, features } = agreed(offer(7, 45, LINUX_6_18));
  assert.deepEqual(features, { minor: 45, passthrough: true, prune: true });
  assert.deepEqual(reply, {
    minor: 45,
    readAheadBytes: 1 << 20,
    flags: INIT.ASYNC_READ | INIT.DO_READDIRPLUS | INIT.READDIRPLUS_AUTO |
      INIT.PARALLEL_DIROPS | INIT.ABORT_ERROR | INIT.MAX_PAGES | INIT.CACHE_SYMLINKS |
      INIT.EXPLICIT_INVAL_DATA | INIT.INIT_EXT | INIT.DIRECT_IO_ALLOW_MMAP | INIT.PASSTHROUGH |
      INIT.NO_EXPORT_SUPPORT,
    maxBackground: 64,
    congestionThreshold: 48,
    maxWriteBytes: 65_536,
    maxPages: 256,
    maxStackDepth: 1,
  });
});

Deno.test("negotiate never sets a flag that was not offered", () => {
  for (const flags of [0n, LINUX_5_4, LINUX_6_18, INIT.INIT_EXT, INIT.PASSTHROUGH]) {
    assert.equal(agreed(offer(7, 45, flags)).reply.flags & ~flags, 0n);
  }
});

Deno.test("negotiate leaves alone what would break passthrough or answer for writes", () => {
  const writeback = 1n << 16n;
  const openOptional = 1n << 17n;
  const automatic = 1n << 12n; // drops cached pages that EXPLICIT_INVAL_DATA keeps
  const everything = (1n << 64n) - 1n;
  const { reply } = agreed(offer(7, 45, everything));
  assert.equal(reply.flags & (writeback | openOptional | automatic), 0n);
});

Deno.test("negotiate serves an old kernel without what it does not know", () => {
  const { reply, features } = agreed(offer(7, 31, LINUX_5_4));
  assert.deepEqual(features, { minor: 31, passthrough: false, prune: false });
  assert.equal(reply.minor, 31);
  assert.equal(reply.flags >> 32n, 0n);
  assert.equal(reply.maxStackDepth, 0);
});

Deno.test("negotiate keeps to the layouts it knows with a kernel of a newer minor version", () => {
  const { reply, features } = agreed(offer(7, 99, LINUX_6_18));
  assert.equal(reply.minor, 45);
  assert.equal(features.prune, true);
});

Deno.test("negotiate refuses kernels older than 7.31 and says what is needed", () => {
  for (const [major, minor] of [[7, 30], [6, 99]] as const) {
    const handshake = negotiate(offer(major, minor, LINUX_5_4), WANTED);
    assert(handshake.kind === "refused");
    assert.match(handshake.reason, new RegExp(`FUSE ${major}\\.${minor}.*7\\.31 is needed`));
  }
});

Deno.test("negotiate lets a kernel of a newer major version try again", () => {
  assert.deepEqual(negotiate(offer(8, 0, LINUX_6_18), WANTED), { kind: "retry" });
});

Deno.test("negotiate does without passthrough where it is not offered or not wanted", () => {
  const unwanted = agreed(offer(7, 45, LINUX_6_18), { ...WANTED, passthrough: false });
  const unoffered = agreed(offer(7, 45, LINUX_6_18 & ~INIT.PASSTHROUGH));
  for (const { reply, features } of [unwanted, unoffered]) {
    assert.equal(features.passthrough, false);
    assert.equal(reply.flags & INIT.PASSTHROUGH, 0n);
    assert.equal(reply.maxStackDepth, 0);
  }
});

Deno.test("negotiate allows one more layer where the files themselves are stacked", () => {
  const { reply } = agreed(offer(7, 45, LINUX_6_18), { ...WANTED, stackDepth: 2 });
  assert.equal(reply.maxStackDepth, 2);
});

Deno.test("negotiate asks for reads of 1 MiB, however large a page is", () => {
  const { reply } = agreed(offer(7, 45, LINUX_6_18), { ...WANTED, pageBytes: 65_536 });
  assert.equal(reply.maxPages, 16);
});
