#!/bin/sh
# The same epoch as 01_cold.sh with everything cached: what is not there yet is fetched first, so
# that it also begins well without 01_cold.sh.
#
#   MOUNT_POINT (/wd), TRAIN_ROOT_A, TRAIN_ROOT_B, METRICS (http://127.0.0.1:9090)
#   More arguments are the trainer's: 02_warm.sh --steps 100
set -eu
mount_point=${MOUNT_POINT:-/wd}
root_a=${TRAIN_ROOT_A:-$mount_point/datasets-cac/train}
root_b=${TRAIN_ROOT_B:-$mount_point/datasets-wus3/train}

warpdrive ctl warm "$root_a" "$root_b"
# From the disk, please, not from the kernel's own pages: GNU dd drops them, and reads nothing.
find "$root_a" "$root_b" -name '*.tar' -exec dd if={} iflag=nocache count=0 status=none \;

warpdrive forge --train-root-a "$root_a" --train-root-b "$root_b" \
  --steps 300 --batch-size 32 --num-workers 8 --seed 42 --log-every 50 "$@"
"$(dirname "$0")/03_watch_warpdrive_metrics.sh" --once
