#!/bin/bash
# Prepares the machine: the program, its unit, and the NVMe. Run on the machine, as root, with dist/
# and infra/ beside each other. Run again, it does what is missing.
#
#   03-vm-setup.sh [--dry-run] [--format DEVICE]
#
# No disk is formatted but the one that --format names, and only when nothing is found on it.
# shellcheck source=infra/azure/00-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/00-env.sh"

format=
# Whether systemd has to read its units again; mounts are units, too.
units_changed=0
while (($# > 0)); do
  case $1 in
    --dry-run) DRY_RUN=1 ;;
    --format)
      format=${2:-}
      [[ -n $format ]] || fail "--format wants a device" "lsblk lists them"
      shift
      ;;
    *) fail "unknown argument \"$1\"" "03-vm-setup.sh [--dry-run] [--format DEVICE]" ;;
  esac
  shift
done

install_program() {
  local program=$AZURE_DIRECTORY/../../dist/warpdrive
  [[ -r $program ]] || fail "there is no \"$program\"" "Copy dist/ to this machine, beside infra/"
  (cd "$(dirname "$program")" && sha256sum --check --quiet warpdrive.sha256) ||
    fail "\"$program\" is not what was built" "Copy dist/ again"
  cmp --silent -- "$program" /usr/local/bin/warpdrive ||
    run install -m 0755 -- "$program" /usr/local/bin/warpdrive
  local unit=$AZURE_DIRECTORY/../systemd/warpdrive-agent.service
  if ! cmp --silent -- "$unit" /etc/systemd/system/warpdrive-agent.service; then
    run install -m 0644 -- "$unit" /etc/systemd/system/warpdrive-agent.service
    units_changed=1
  fi
}

prepare_disk() {
  mountpoint --quiet -- "$NVME" && return
  [[ -n $format ]] || fail "nothing is mounted at \"$NVME\"" \
    "Mount the NVMe there, or name it: 03-vm-setup.sh --format DEVICE; lsblk lists the disks"
  [[ -b $format ]] || fail "\"$format\" is no disk" "lsblk lists the disks"
  local found=0
  # 2: nothing at all was found, no file system, no partition table.
  blkid --probe "$format" >/dev/null || found=$?
  [[ $found == 2 ]] || fail "there is something on \"$format\"" \
    "Look at it with blkid --probe $format; if nothing of it is needed: wipefs --all $format"
  run mkfs.ext4 -q -m 0 -L warpdrive-cache "$format"
  run mkdir -p -- "$NVME"
  run mount -o noatime -- "$format" "$NVME"
}

# Writes a text to a file, if it has another one.
write_file() {
  local path=$1 text=$2
  cmp --silent -- "$path" <(printf '%s\n' "$text") && return
  units_changed=1
  if [[ $DRY_RUN == 1 ]]; then
    say "would write \"$path\""
    return
  fi
  say "write \"$path\""
  mkdir -p -- "$(dirname "$path")"
  printf '%s\n' "$text" >"$path.new"
  chmod 0644 -- "$path.new"
  mv -- "$path.new" "$path"
}

# Has the disk mounted at every start, if it is one that was formatted here. By its UUID, as names of
# disks change; and nobody waits for it, as an NVMe of Azure comes back empty after a deallocation.
# Then the agent stays down, and does not fill the disk of the system.
keep_disk() {
  local device label uuid others
  device=$(findmnt --noheadings --output SOURCE --mountpoint "$NVME") || return 0
  label=$(blkid --probe --match-tag LABEL --output value "$device") || return 0
  [[ $label == warpdrive-cache ]] || return 0
  uuid=$(blkid --probe --match-tag UUID --output value "$device")
  others=$(awk -v place="$NVME" '$2 != place' /etc/fstab)
  write_file /etc/fstab "$others"$'\n'"UUID=$uuid $NVME ext4 noatime,nofail 0 2"
}

# Ties the unit to the disk, and has it start with the machine.
tie_unit() {
  write_file /etc/systemd/system/warpdrive-agent.service.d/50-cache.conf \
    "[Unit]"$'\n'"RequiresMountsFor=$NVME"$'\n'"AssertPathIsMountPoint=$NVME"
  [[ $units_changed == 0 ]] || run systemctl daemon-reload
  systemctl --quiet is-enabled warpdrive-agent.service 2>/dev/null ||
    run systemctl enable warpdrive-agent.service
}

[[ $EUID == 0 || $DRY_RUN == 1 ]] || fail "this is not root" "Run it with sudo"
[[ -e /dev/fuse || $DRY_RUN == 1 ]] || run modprobe fuse
install_program
prepare_disk
keep_disk
tie_unit
# A mount that is dead cannot be looked at, and needs no directory.
[[ -d $NVME/warpdrive-cache ]] || run mkdir -p -- "$NVME/warpdrive-cache"
grep -q " $MOUNT_POINT fuse" /proc/self/mounts || [[ -d $MOUNT_POINT ]] || run mkdir -p -- "$MOUNT_POINT"
say "Next: 04-gen-warpdrive-config.sh"
