/** The `cache:` section of a configuration file, and the parts of `backends:` all types share. */
import { z } from "zod";
import { CHUNK_BYTES } from "../object/chunk_map.ts";
import type { ConfigReader } from "../platform/config_reader.ts";
import type { ResidencyPolicy } from "../residency/residency.ts";
import {
  absolutePath,
  choice,
  duration,
  flag,
  integer,
  matching,
  ratio,
  refusedKey,
  section,
  setting,
  size,
  text,
} from "../platform/setting.ts";
import { parseDurationMs } from "../platform/units.ts";

const BLOCK_BYTES_MAX = 64 * 1024 * 1024;

/** `cache:` of the file. */
export const CACHE_SECTION = section({
  enabled: flag().optional(),
  path: absolutePath().optional(),
  // The name of the same key in the founding documents' later files.
  dir: absolutePath().optional(),
  max_size: size(1, 'a size such as "500GB" or "2TB"').prefault("2TB"),
  block_size: size(1, 'a size such as "4MiB"').prefault("4MiB"),
  readahead_blocks: integer(0, 64).prefault("4"),
  max_parallel_fetch: integer(1, 1_024).optional(),
  stale_ttl: duration(0, 'a duration such as "60s", or "0" to ask on every open').prefault("60s"),
  offline_ttl: setting('a duration such as "24h", or "unlimited"', parseOfflineTtl)
    .prefault("24h"),
  evict_high_water: ratio().prefault("0.90"),
  evict_low_water: ratio().prefault("0.80"),
  policy: choice(["adaptive", "lru", "none"]).prefault("adaptive"),
  memory: size(64 * 1024 * 1024, 'a size of at least "64MiB", such as "512MiB"').prefault("512MiB"),
  max_listing_entries: integer(1_000, 100_000_000).prefault("200000"),
});

/** One entry of `backends:`; `config` and `auth` are read by its type. */
export const BACKEND_SECTION = section({
  name: matching(
    /^[A-Za-z0-9][\w.-]{0,62}$/,
    "1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit",
  ),
  type: choice(["azureblob", "s3", "gcs", "local"]),
  mount_path: text('a path below the mount point, such as "train"').optional(),
  timeout: duration(1_000, 'a duration of at least one second, such as "30s"').prefault("30s"),
  max_requests: integer(1, 10_000).prefault("64"),
  config: z.unknown().optional(),
  auth: z.unknown().optional(),
  root: refusedKey('it belongs below "config"'),
  account: refusedKey('it belongs below "config"'),
  endpoint: refusedKey('it belongs below "config"'),
});

/** The block cache, where one is configured. Sizes in bytes. */
export interface CacheSettings {
  readonly path: string;
  readonly sizeBytesMax: number;
  readonly blockBytes: number;
  /** Blocks the read-ahead of a handle begins with. */
  readonly readaheadBlocks: number;
  /** Fetches from one store at once, at most; Infinity: as many as the store bears. */
  readonly fetchesMax: number;
  /** How long the last known metadata serve when no store answers; Infinity: for ever. */
  readonly offlineTtlMs: number;
  /** Share of `sizeBytesMax` at which eviction begins, and at which it ends. */
  readonly highWater: number;
  readonly lowWater: number;
  /** Who stays when the cache is full. */
  readonly policy: ResidencyPolicy;
}

/** What `cache:` says: the cache itself, null when it is off, and what bounds memory. */
export interface CacheSection {
  readonly cache: CacheSettings | null;
  /** Budget of all buffers for bytes on their way from the stores, with or without a cache. */
  readonly memoryBytes: number;
  readonly staleTtlMs: number;
  readonly listingEntriesMax: number;
}

/** Reads `cache:`; null when it has problems, which are then reported. */
export function readCacheSection(reader: ConfigReader): CacheSection | null {
  reportContradictions(reader);
  const written = reader.read(CACHE_SECTION.prefault({}), ["cache"]);
  if (written === null) return null;
  const path = written.path ?? written.dir;
  const on = written.enabled ?? path !== undefined;
  if (on && path === undefined) {
    reader.report(["cache", "path"], "wanted an absolute path, because the cache is enabled");
    return null;
  }
  const cache: CacheSettings | null = !on || path === undefined ? null : {
    path,
    sizeBytesMax: written.max_size,
    blockBytes: written.block_size,
    readaheadBlocks: written.readahead_blocks,
    fetchesMax: written.max_parallel_fetch ?? Infinity,
    offlineTtlMs: written.offline_ttl,
    highWater: written.evict_high_water,
    lowWater: written.evict_low_water,
    policy: written.policy,
  };
  return {
    cache,
    memoryBytes: written.memory,
    staleTtlMs: written.stale_ttl,
    listingEntriesMax: written.max_listing_entries,
  };
}

/** What no single key can know; read key by key, so that other mistakes do not hide these. */
function reportContradictions(reader: ConfigReader): void {
  const keys = CACHE_SECTION.shape;
  if (reader.has(["cache", "path"]) && reader.has(["cache", "dir"])) {
    reader.report(["cache", "dir"], 'another name of "path", which is given too: keep one of them');
  }
  const block = reader.read(keys.block_size, ["cache", "block_size"]);
  const max = reader.read(keys.max_size, ["cache", "max_size"]);
  if (block !== null && (!isPowerOfTwo(block) || block < CHUNK_BYTES || block > BLOCK_BYTES_MAX)) {
    reader.report(["cache", "block_size"], "wanted a power of two from 128KiB to 64MiB");
  } else if (block !== null && max !== null && max < 2 * block) {
    reader.report(["cache", "max_size"], "wanted room for at least two blocks of block_size");
  }
  const low = reader.read(keys.evict_low_water, ["cache", "evict_low_water"]);
  const high = reader.read(keys.evict_high_water, ["cache", "evict_high_water"]);
  if (low !== null && high !== null && low >= high) {
    const path = ["cache", "evict_low_water"];
    reader.report(path, `wanted less than evict_high_water, which is ${high}`);
  }
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

function parseOfflineTtl(written: string): number | null {
  return written === "unlimited" ? Infinity : parseDurationMs(written);
}
