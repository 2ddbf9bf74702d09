/** `GET /v1/status`: what a mount is, and how each part of it does. */
import { z } from "zod";
import type { Endpoint } from "./api.ts";

const TIME = z.iso.datetime();

/** The process that serves the mount, and what the kernel gives it. */
const MOUNT_STATUS = z.object({
  mount_point: z.string(),
  pid: z.number(),
  /** User id it runs as. */
  uid: z.number(),
  version: z.string(),
  commit: z.string(),
  started: TIME,
  uptime_seconds: z.number(),
  /** Inodes the kernel knows. */
  nodes: z.number(),
  open_files: z.number(),
  /** Plans being followed, and warm jobs that run. */
  plans: z.number(),
  warm_jobs: z.number(),
});

const KERNEL_STATUS = z.object({
  release: z.string(),
  /** FUSE protocol that was agreed, such as `7.45`. */
  protocol: z.string(),
  /** Complete files are read by the kernel itself. */
  passthrough: z.boolean(),
  /** Idle inodes can be dropped by number. */
  prune: z.boolean(),
});

/** The block cache. `bypassed`: its disk failed, and reads go to the stores. */
const CACHE_STATUS = z.object({
  path: z.string(),
  policy: z.string(),
  state: z.enum(["working", "bypassed"]),
  /** Why it is bypassed, and since when. */
  reason: z.string().nullable(),
  since: TIME.nullable(),
  used_bytes: z.number(),
  size_bytes_max: z.number(),
  /** Bytes of objects that are pinned. */
  pinned_bytes: z.number(),
  /** Object versions kept, complete or not. */
  objects: z.number(),
});

/** One backend. `degraded`: its store does not answer, and is probed. */
const BACKEND_STATUS = z.object({
  name: z.string(),
  type: z.string(),
  mount_path: z.string(),
  state: z.enum(["healthy", "degraded"]),
  /** Of the last listing or stat; null before the first, and while degraded. */
  latency_ms: z.number().nullable(),
  reason: z.string().nullable(),
  since: TIME.nullable(),
  /** Whose names are shown: while the store is silent, those that are known of it. */
  names_from: z.enum(["store", "known"]),
  /** Why the store is taken to be silent, and since when; null while it answers. */
  silent_reason: z.string().nullable(),
  silent_since: TIME.nullable(),
  /** When the credential in use ends, which may renew itself; null: never, or it does not say. */
  credential_expires: TIME.nullable(),
});

/** The answer. */
export const STATUS_ANSWER = z.object({
  mount: MOUNT_STATUS,
  kernel: KERNEL_STATUS,
  cache: CACHE_STATUS.nullable(),
  backends: z.array(BACKEND_STATUS),
});

export type Status = z.infer<typeof STATUS_ANSWER>;

/** How the mount is. Asks no store: what is told is what is known. */
export const STATUS = {
  method: "GET",
  path: "/v1/status",
  request: z.strictObject({}),
  answer: STATUS_ANSWER,
  form: "single",
} satisfies Endpoint;
