import { deepEqual, equal } from "node:assert/strict";
import { between, countersOf, hitRate, ofAllBackends } from "./counters.ts";
import { parseSamples } from "./samples.ts";

const BEFORE = parseSamples(`warpdrive_cache_hit_total 10
warpdrive_cache_miss_total 5
warpdrive_fuse_operations_total{operation="read"} 20
warpdrive_fuse_operations_total{operation="lookup"} 7
warpdrive_backend_bytes_read_total{backend="a"} 1000
`);
const AFTER = parseSamples(`warpdrive_cache_hit_total 13
warpdrive_cache_miss_total 6
warpdrive_fuse_operations_total{operation="read"} 24
warpdrive_fuse_operations_total{operation="lookup"} 9
warpdrive_passthrough_opens_total 2
warpdrive_backend_bytes_read_total{backend="a"} 1500
warpdrive_backend_bytes_read_total{backend="b"} 40
warpdrive_backend_request_duration_seconds_count{backend="b",operation="list"} 1
warpdrive_backend_request_duration_seconds_count{backend="b",operation="read"} 2
warpdrive_backend_errors_total{backend="b",error_type="timeout"} 1
`);
const NAMES = ["a", "b"];

Deno.test("counters of a part are what was counted from its beginning to its end", () => {
  const part = between(countersOf(BEFORE, NAMES), countersOf(AFTER, NAMES));
  deepEqual(
    [part.hits, part.misses, part.reads, part.passthroughOpens],
    [3, 1, 4, 2],
  );
  deepEqual(part.backends.get("a"), { bytes: 500, requests: 0, errors: 0 });
  deepEqual(part.backends.get("b"), { bytes: 40, requests: 3, errors: 1 });
  deepEqual(ofAllBackends(part), { bytes: 540, requests: 3, errors: 1 });
  equal(hitRate(part), 0.75);
});

Deno.test("there is no hit rate where no block was asked for", () => {
  const none = countersOf([], NAMES);
  equal(hitRate(none), null);
});
