#!/bin/bash
# Mounts, trains one epoch cold and one warm, and shows the counters. Run on the machine, as root.
# shellcheck source=infra/azure/00-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/00-env.sh"

parse_dry_run "$@"
[[ $EUID == 0 || $DRY_RUN == 1 ]] || fail "this is not root" "Run it with sudo"
demo=$AZURE_DIRECTORY/../demo
export MOUNT_POINT

# A mount whose process has ended is replaced by the next one; a live one is kept, with its cache.
if ! timeout 10 mountpoint --quiet -- "$MOUNT_POINT" || ! timeout 10 ls -- "$MOUNT_POINT" >/dev/null; then
  run systemctl restart warpdrive-agent.service
fi
run "$WARPDRIVE" ctl status "$MOUNT_POINT"
run "$demo/01_cold.sh"
run "$demo/02_warm.sh"
say "Next, when you are done: 06-teardown.sh on your own machine"
