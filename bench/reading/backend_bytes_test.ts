import assert from "node:assert/strict";
import { backendBytes, sumOf } from "./backend_bytes.ts";

const NEVER = new AbortController().signal;

Deno.test("sumOf adds up all backends, however large their numbers", () => {
  const text = [
    "# TYPE warpdrive_backend_bytes_read_total counter",
    'warpdrive_backend_bytes_read_total{backend="a"} 1.5e+10',
    'warpdrive_backend_bytes_read_total{backend="b"} 7',
    "warpdrive_cache_hit_total 9",
  ].join("\n");
  assert.equal(sumOf(text), 15_000_000_007);
  assert.equal(sumOf("# TYPE warpdrive_backend_bytes_read_total counter\n"), 0);
});

Deno.test("backendBytes takes no other program's metrics for those of a mount", async () => {
  const text = "# TYPE prometheus_build_info gauge\nprometheus_build_info 1\n";
  await using server = Deno.serve({ port: 0, onListen: () => {} }, () => new Response(text));
  const url = `http://127.0.0.1:${server.addr.port}/metrics`;
  await assert.rejects(backendBytes(url, NEVER), ({ cause }: Error) => {
    assert.match(String(cause), /A mount counts/);
    return true;
  });
});

Deno.test("backendBytes asks for where metrics are when nothing answers there", async () => {
  await assert.rejects(backendBytes("http://127.0.0.1:1/metrics", NEVER), (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /Cannot read metrics from "http:\/\/127\.0\.0\.1:1\/metrics"/);
    return true;
  });
});
