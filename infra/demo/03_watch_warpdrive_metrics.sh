#!/bin/sh
# The metrics of a mount, every two seconds until Ctrl+C, or --once.
#
#   METRICS (http://127.0.0.1:9090), INTERVAL (seconds, 2)
set -eu
metrics=${METRICS:-http://127.0.0.1:9090}
interval=${INTERVAL:-2}

show() {
  curl --fail --silent --show-error "$metrics/metrics" | awk '
    function label(name,   rest) {
      if (!match($0, name "=\"[^\"]*\"")) return ""
      rest = substr($0, RSTART, RLENGTH)
      return substr(rest, length(name) + 3, length(rest) - length(name) - 3)
    }
    function mib(bytes) { return sprintf("%.1f MiB", bytes / 1048576) }
    /^#/ { next }
    { name = $1; sub(/\{.*/, "", name); total[name] += $NF }
    name == "warpdrive_fuse_operations_total" { kernel[label("operation")] += $NF }
    name == "warpdrive_backend_bytes_read_total" { fetched[label("backend")] += $NF }
    name == "warpdrive_backend_errors_total" { errors[label("backend")] += $NF }
    name == "warpdrive_backend_degraded" { degraded[label("backend")] = $NF }
    name == "warpdrive_backend_request_duration_seconds_count" { requests[label("backend")] += $NF }
    END {
      hits = total["warpdrive_cache_hit_total"]
      misses = total["warpdrive_cache_miss_total"]
      rate = hits + misses > 0 ? sprintf("%.1f %%", 100 * hits / (hits + misses)) : "-"
      printf "kernel     read %d  lookup %d  readdir %d  open %d\n", kernel["read"],
        kernel["lookup"], kernel["readdir"] + kernel["readdirplus"], kernel["open"]
      printf "passed on  %d opens, %s of files read by the kernel itself\n",
        total["warpdrive_passthrough_opens_total"], mib(total["warpdrive_passthrough_bytes_total"])
      printf "cache      hits %d  misses %d  hit rate %s  evictions %d\n", hits, misses, rate,
        total["warpdrive_cache_evictions_total"]
      printf "disk       %s, %.1f %% of the limit\n", mib(total["warpdrive_cache_size_bytes"]),
        100 * total["warpdrive_cache_utilization_ratio"]
      printf "ahead      %d blocks used, %d wasted\n", total["warpdrive_readahead_hit_total"],
        total["warpdrive_readahead_wasted_total"]
      printf "identity   %d credential refreshes\n", total["warpdrive_auth_refresh_total"]
      for (backend in degraded) {
        state = degraded[backend] > 0 ? ", DEGRADED" : ""
        printf "%-20s %s in %d requests, %d errors%s\n", backend, mib(fetched[backend]),
          requests[backend], errors[backend], state | "sort"
      }
    }'
}

case ${1:-} in
  --once) show ;;
  "")
    while :; do
      page=$(show)
      printf '\033[H\033[2J%s  %s\n\n%s\n' "$metrics" "$(date +%T)" "$page"
      sleep "$interval"
    done
    ;;
  *)
    echo "Cannot watch metrics with \"$1\": wanted nothing, or --once" >&2
    exit 2
    ;;
esac
