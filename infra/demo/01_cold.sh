#!/bin/sh
# One epoch with nothing of it cached, on a machine where WarpDrive is mounted: takes the shards out
# of the cache, without an unmount, and trains. 02_warm.sh is the other half.
#
#   MOUNT_POINT (/wd), TRAIN_ROOT_A, TRAIN_ROOT_B, METRICS (http://127.0.0.1:9090)
#   More arguments are the trainer's: 01_cold.sh --steps 100
set -eu
mount_point=${MOUNT_POINT:-/wd}
root_a=${TRAIN_ROOT_A:-$mount_point/datasets-cac/train}
root_b=${TRAIN_ROOT_B:-$mount_point/datasets-wus3/train}

warpdrive ctl evict "$root_a" "$root_b"
# The kernel has pages of its own. GNU dd without a count of blocks reads nothing and drops them.
find "$root_a" "$root_b" -name '*.tar' -exec dd if={} iflag=nocache count=0 status=none \;

warpdrive forge --train-root-a "$root_a" --train-root-b "$root_b" \
  --steps 300 --batch-size 32 --num-workers 8 --seed 42 --log-every 50 "$@"
"$(dirname "$0")/03_watch_warpdrive_metrics.sh" --once
