/** The conformance suite on providers without a server; `X_conformance_test.ts` have the others. */
import { LocalBackend } from "../cache/backend/local/backend.ts";
import { MemoryBackend } from "../cache/backend/memory.ts";
import { NO_HEDGE_MEMORY } from "../cache/backend/guard/hedged.ts";
import { openRemote } from "../cache/backend/open.ts";
import { systemClock } from "../cache/platform/clock.ts";
import { Libc } from "../cache/platform/libc.ts";
import { silentLogger } from "../cache/platform/log.ts";
import { testConformance } from "./backend_conformance.ts";
import { PAGE_SIZE } from "./conformance/case.ts";

testConformance({
  name: "MemoryBackend",
  lacks: {},
  open() {
    const settings = { pageSize: PAGE_SIZE, pieceBytes: 64 * 1024 };
    const backend = new MemoryBackend("memory", settings, systemClock);
    return Promise.resolve({
      backend,
      seed(key, bytes) {
        backend.seed(key, bytes);
        return Promise.resolve();
      },
      [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
    });
  },
});

const libc = Libc.open();

testConformance({
  name: "MemoryBackend under every decorator",
  lacks: {},
  open() {
    const settings = { pageSize: PAGE_SIZE, pieceBytes: 64 * 1024 };
    const memory = new MemoryBackend("memory", settings, systemClock);
    const metrics = { request() {}, error() {}, bytesRead() {}, hedge() {}, authRefresh() {} };
    const hedges = NO_HEDGE_MEMORY;
    const clock = systemClock;
    const deps = { clock, random: () => 0, logger: silentLogger, metrics, libc, hedges };
    const source = { type: "local", root: "/" } as const;
    const limits = { name: "memory", mountPath: "m", timeoutMs: 30_000, requestsMax: 8, source };
    const { backend } = openRemote(memory, limits, deps);
    return Promise.resolve({
      backend,
      seed(key, bytes) {
        memory.seed(key, bytes);
        return Promise.resolve();
      },
      async [Symbol.asyncDispose]() {
        await backend[Symbol.asyncDispose]();
      },
    });
  },
});

testConformance({
  name: "LocalBackend",
  lacks: {
    object_beside_directory: "a file system has one thing of a name",
    placeholders: "a file system has no such names",
    arbitrary_keys: "a file system has no such names",
    directories_are_keys: "pages are of the size that the kernel chooses",
    unicode_only: "names of files are any bytes",
    progressive_reads: "a disk answers a whole range at once",
    checksums: "a file system keeps none",
    checks_length: "it stores what it is given",
  },
  async open() {
    const root = await Deno.makeTempDir({ prefix: "warpdrive-conformance-" });
    const backend = new LocalBackend("local", root, libc);
    return {
      backend,
      seed: (key, bytes) => Deno.writeFile(`${root}/${key}`, bytes),
      async [Symbol.asyncDispose]() {
        await backend[Symbol.asyncDispose]();
        await Deno.remove(root, { recursive: true });
      },
    };
  },
});
