/** The sections of the configuration file that only the mount reads, with their defaults. */
import { BACKEND_SECTION, CACHE_SECTION } from "../cache/config/cache_config.ts";
import {
  absolutePath,
  choice,
  duration,
  flag,
  integer,
  list,
  networkAddress,
  permissions,
  ratio,
  refusedKey,
  section,
  size,
} from "../cache/platform/setting.ts";
import { TEAMS_SECTION } from "../cache/config/teams_config.ts";
import { CONTROL_SECTION } from "../ctl/api_sockets.ts";

/** Ids above this are reserved: (uid_t) -1 means "no change" to chown(2). */
const ID_MAX = 2 ** 32 - 2;

/** `fuse:`, what the kernel is told and asked for. */
export const FUSE_SECTION = section({
  attr_timeout: duration(0, 'a duration such as "60s", or "0"').prefault("60s"),
  entry_timeout: duration(0, 'a duration such as "60s", or "0"').prefault("60s"),
  negative_timeout: duration(0, 'a duration such as "5s", or "0"').prefault("5s"),
  // Both are 16 bits wide in FUSE_INIT.
  max_background: integer(1, 65_535).prefault("64"),
  congestion_threshold: integer(1, 65_535).optional(),
  max_read_ahead: size(0, 'a size such as "1MiB", or "0"').prefault("1MiB"),
  passthrough: flag().prefault("true"),
  max_nodes: integer(1_000, 1_000_000_000).prefault("1000000"),
});

/** `owner:`, shown for objects that have no owner of their own. */
export const OWNER_SECTION = section({
  uid: integer(0, ID_MAX).optional(),
  gid: integer(0, ID_MAX).optional(),
  file_mode: permissions().prefault("0444"),
  dir_mode: permissions().prefault("0555"),
});

/** `metrics:`. */
export const METRICS_SECTION = section({
  enabled: flag().prefault("true"),
  addr: networkAddress().prefault("127.0.0.1:9090"),
});

/** `telemetry:`, accepted before it is used. */
export const TELEMETRY_SECTION = section({
  enabled: flag().prefault("false"),
  sink: choice(["grpc", "http", "stdout", "file"]).prefault("file"),
  file_path: absolutePath().prefault("/var/log/warpdrive/telemetry.jsonl"),
  control_plane_addr: networkAddress().optional(),
  sample_metadata_ops: ratio().prefault("0.1"),
  batch_size: integer(1, 100_000).prefault("100"),
  flush_interval: duration(1, 'a duration such as "5s"').prefault("5s"),
});

/** `control_plane:`, accepted before it is used. */
export const CONTROL_PLANE_SECTION = section({
  rest_addr: networkAddress().prefault(":8080"),
  storage_crawl_interval: duration(1_000, 'a duration such as "24h"').prefault("24h"),
});

/** Every key of the file. Its sections are read one by one, so that all problems show at once. */
export const MOUNT_FILE = section({
  mount_point: absolutePath(),
  allow_other: flag().optional(),
  fuse_debug: flag().prefault("false"),
  fuse: FUSE_SECTION.prefault({}),
  owner: OWNER_SECTION.prefault({}),
  cache: CACHE_SECTION.prefault({}),
  backends: list(BACKEND_SECTION, 1_000),
  metrics: METRICS_SECTION.prefault({}),
  control: CONTROL_SECTION.prefault({}),
  telemetry: TELEMETRY_SECTION.prefault({}),
  control_plane: CONTROL_PLANE_SECTION.prefault({}),
  teams: TEAMS_SECTION.optional(),
  mountpoint: refusedKey('it is written "mount_point"'),
});
