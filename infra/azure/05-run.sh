#!/bin/bash
# Mounts, trains one epoch cold and one warm, and shows the counters. Run on the machine, as root.
# shellcheck source=infra/azure/00-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/00-env.sh"

# What the agent read when it started.
read_at_start=("$CONFIG_FILE" /etc/warpdrive/environment /usr/local/bin/warpdrive
  /etc/systemd/system/warpdrive-agent.service)

# Whether the agent runs with something older.
is_outdated() {
  local started newer
  systemctl --quiet is-active warpdrive-agent.service || return 1
  started=$(systemctl show --value --timestamp=us+utc --property=ExecMainStartTimestamp \
    warpdrive-agent.service)
  newer=$(find "${read_at_start[@]}" -maxdepth 0 -newermt "$started" 2>/dev/null) || true
  [[ -n $newer ]]
}

parse_dry_run "$@"
[[ $EUID == 0 || $DRY_RUN == 1 ]] || fail "this is not root" "Run it with sudo"
demo=$AZURE_DIRECTORY/../demo
export MOUNT_POINT

# A mount whose process has ended is replaced by the next one; a live one is kept, unless what it
# stands on has changed. The cache is kept anyway.
if ! timeout 10 mountpoint --quiet -- "$MOUNT_POINT" ||
  ! timeout 10 ls -- "$MOUNT_POINT" >/dev/null || is_outdated; then
  run systemctl restart warpdrive-agent.service
fi
run "$WARPDRIVE" ctl status "$MOUNT_POINT"
run "$demo/01_cold.sh"
run "$demo/02_warm.sh"
say "Next, when you are done: 06-teardown.sh on your own machine"
