#!/bin/bash
# Writes the configuration: both containers as one tree, read by the machine's identity, with the
# cache on the NVMe. Run on the machine, with STORAGE_ACCOUNT_A and STORAGE_ACCOUNT_B exported or
# .env.generated beside this script. Run again, it changes nothing.
# shellcheck source=infra/azure/00-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/00-env.sh"

configuration() {
  cat <<YAML
# Written by 04-gen-warpdrive-config.sh.
mount_point: $MOUNT_POINT
cache:
  path: $NVME/warpdrive-cache
  max_size: 2TB
metrics:
  addr: ":9090"
backends:
  - name: datasets-cac
    type: azureblob
    config: { account: $STORAGE_ACCOUNT_A, root: $CONTAINER }
    auth: { method: managed_identity }
  - name: datasets-wus3
    type: azureblob
    config: { account: $STORAGE_ACCOUNT_B, root: $CONTAINER }
    auth: { method: managed_identity }
YAML
}

parse_dry_run "$@"
require_names
if cmp --silent -- "$CONFIG_FILE" <(configuration); then
  say "\"$CONFIG_FILE\" is as it should be"
elif [[ $DRY_RUN == 1 ]]; then
  say "would write \"$CONFIG_FILE\":"
  configuration
else
  mkdir -p -- "$(dirname "$CONFIG_FILE")"
  configuration >"$CONFIG_FILE.new"
  chmod 0644 -- "$CONFIG_FILE.new"
  # 2: the file is wrong. What the machine and the stores say is for 05-run.sh.
  status=0
  "$WARPDRIVE" mount --check --config "$CONFIG_FILE.new" >&2 || status=$?
  [[ $status != 2 ]] || fail "the configuration is wrong: see above" "Mend the settings"
  mv -- "$CONFIG_FILE.new" "$CONFIG_FILE"
  say "Wrote \"$CONFIG_FILE\""
fi
say "Next: 05-run.sh"
