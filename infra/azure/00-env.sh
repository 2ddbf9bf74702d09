# shellcheck shell=bash disable=SC2034
# What the other scripts share: settings, names, and how they call az. Sourced by them, not run.
# Every setting may be given in the environment; README.md explains them.

set -euo pipefail
umask 077

: "${RESOURCE_GROUP:=warpdrive-forge-rg}"
: "${LOCATION_A:=canadacentral}"
: "${LOCATION_B:=westus3}"
: "${CONTAINER:=coco2017-wds}"
: "${PREFIX:=train}"
: "${VM_NAME:=warpdrive-forge-vm}"
: "${VM_LOCATION:=$LOCATION_A}"
: "${VM_SIZE:=Standard_L8s_v3}"
: "${VM_IMAGE:=Canonical:ubuntu-24_04-lts:server:latest}"
: "${VM_USER:=azureuser}"
: "${SSH_PUBLIC_KEY:=${HOME:-}/.ssh/id_ed25519.pub}"
: "${SSH_FROM:=}"
: "${SHARDS:=200}"
: "${SAMPLES:=592}"
: "${IMAGE_SIZE:=640x480}"
: "${IMAGE_BYTES:=160KiB}"
: "${WORK_DIRECTORY:=${TMPDIR:-/tmp}/warpdrive-shards}"
: "${WARPDRIVE:=warpdrive}"
: "${MOUNT_POINT:=/wd}"
: "${NVME:=/mnt/nvme}"
: "${CONFIG_FILE:=/etc/warpdrive/config.yaml}"
# How often, and how many seconds apart, a role that was just assigned is waited for.
: "${ROLE_TRIES:=40}"
: "${ROLE_PAUSE:=15}"
: "${DRY_RUN:=0}"

AZURE_DIRECTORY=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Names that were generated, once and for all: who loses this file has to look them up by hand.
: "${STATE_FILE:=$AZURE_DIRECTORY/.env.generated}"

say() { printf '%s\n' "$*" >&2; }

# A problem and what to do about it.
fail() {
  printf 'Error: %s\n' "$1" >&2
  [[ -n ${2:-} ]] && printf 'Hint: %s\n' "$2" >&2
  exit 1
}

# A command as it could be typed again.
quoted() { printf '%q ' "$@" | sed 's/ $//'; }

# Changes something: runs a command, or says in a dry run what it would run.
run() {
  if [[ $DRY_RUN == 1 ]]; then
    say "would run: $(quoted "$@")"
    return 0
  fi
  say "run: $(quoted "$@")"
  local status=0
  "$@" || status=$?
  [[ $status == 0 ]] || fail "\"$(quoted "$@")\" failed with exit code $status" \
    "Mend the cause and run this script again"
}

# Asks az without changing anything. In a dry run nobody is asked, and nothing is there. Take the
# answer into a variable before looking at it: in a condition a failure would pass for "no".
ask() {
  if [[ $DRY_RUN == 1 ]]; then
    say "would ask: $(quoted az "$@")"
    return 0
  fi
  az "$@" || fail "\"$(quoted az "$@")\" failed" "Mend the cause and run this script again"
}

# Takes --dry-run off a command line.
parse_dry_run() {
  local argument
  for argument in "$@"; do
    case $argument in
      --dry-run) DRY_RUN=1 ;;
      *) fail "unknown argument \"$argument\"" "There is only --dry-run; settings are variables" ;;
    esac
  done
}

# Asks whether somebody is logged in, before anything else fails because of it.
require_login() {
  if [[ $DRY_RUN != 1 ]]; then
    command -v az >/dev/null || fail "az is not installed" "Install the Azure CLI, 2.50 or later"
  fi
  (ask account show --query id --output tsv) >/dev/null || fail "az knows no account" "Run: az login"
}

# Reads the names from the file; what the environment gives wins. It is parsed and not run.
load_names() {
  [[ -r $STATE_FILE ]] || return 0
  local name value
  while IFS='=' read -r name value; do
    [[ $name =~ ^STORAGE_ACCOUNT_[AB]$ && $value =~ ^[a-z0-9]{3,24}$ ]] ||
      fail "\"$STATE_FILE\" has a line that this script did not write: $name" \
        "Take it out, or remove the file if the resource group is gone"
    [[ -n ${!name:-} ]] || printf -v "$name" '%s' "$value"
  done <"$STATE_FILE"
}

# Names the storage accounts, which are unique in the world, once: a second run must find them.
ensure_names() {
  load_names
  if [[ -z ${STORAGE_ACCOUNT_A:-} || -z ${STORAGE_ACCOUNT_B:-} ]]; then
    local suffix
    suffix=$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
    : "${STORAGE_ACCOUNT_A:=wdforgedatacac$suffix}" "${STORAGE_ACCOUNT_B:=wdforgedatawus$suffix}"
  fi
  [[ $DRY_RUN == 1 ]] && return 0
  printf 'STORAGE_ACCOUNT_A=%s\nSTORAGE_ACCOUNT_B=%s\n' "$STORAGE_ACCOUNT_A" "$STORAGE_ACCOUNT_B" \
    >"$STATE_FILE.new"
  mv -- "$STATE_FILE.new" "$STATE_FILE"
}

# The names, which have to be known.
require_names() {
  load_names
  [[ -n ${STORAGE_ACCOUNT_A:-} && -n ${STORAGE_ACCOUNT_B:-} ]] ||
    fail "the storage accounts have no names yet" \
      "Run 01-provision.sh, or set STORAGE_ACCOUNT_A and STORAGE_ACCOUNT_B"
}
