#!/bin/bash
# Slurm Prolog, run by slurmd as root before each job: makes sure of the mount, and brings what the
# job names into the cache. README.md says how to install it and what it promises.
#
# Slurm drains the node of a prolog that fails. So this one ends with 1 for two reasons only, both
# of them settings (DRAIN_ON_DEAD_MOUNT, DRAIN_ON_FAILED_WARM), and with 0 whatever else happens.
set -euo pipefail
export PATH=/usr/bin:/bin LC_ALL=C.UTF-8
TAG=warpdrive-prolog
readonly LIBRARY=/usr/local/lib/warpdrive/slurm_settings.sh

verdict=
# shellcheck disable=SC2317  # the trap calls it
end() {
  local status=$?
  if [[ -z $verdict ]]; then
    /usr/bin/logger --tag "$TAG" --priority daemon.err -- \
      "job ${SLURM_JOB_ID:-0}: the prolog failed with exit code $status: the job begins as it is" ||
      true
    verdict=0
  fi
  exit "$verdict"
}
trap end EXIT

finish() {
  verdict=$1
  exit "$verdict"
}

# shellcheck source=infra/slurm/slurm_settings.sh
. "$LIBRARY"
read_settings

# Prints what is at the mount point: alive, dead (nothing, or a mount whose process has ended), or
# silent (a mount that does not answer).
mount_state() {
  local status=0
  limited 10 /usr/bin/mountpoint --quiet -- "$MOUNT_POINT" || status=$?
  if ((status == 0)); then limited 10 /usr/bin/ls -- "$MOUNT_POINT" >/dev/null 2>&1 || status=$?; fi
  case $status in
    0) echo alive ;;
    124 | 137) echo silent ;;
    *) echo dead ;;
  esac
}

# Restarts an agent whose mount is dead. One that is merely silent is its watchdog's business: a
# restart would break the reads of the other jobs of the node.
ensure_mount() {
  local state
  state=$(mount_state)
  [[ $state == alive ]] && return 0
  if [[ $state == dead ]]; then
    # Of several jobs that begin together one restarts it, and the others find it done.
    exec {lock}>"$STATE_DIRECTORY/restart.lock"
    limited 120 /usr/bin/flock "$lock" || true
    state=$(mount_state)
    if [[ $state == dead ]]; then
      say warning "\"$MOUNT_POINT\" is not mounted: restarting $AGENT_UNIT"
      # It returns when the mount can be listed; a node under load gets another moment.
      if limited 90 /usr/bin/systemctl restart -- "$AGENT_UNIT" 2>&1 | log_lines; then
        for _ in 1 2 3 4 5; do
          state=$(mount_state)
          [[ $state == alive ]] && break
          /usr/bin/sleep 1
        done
      fi
    fi
    exec {lock}>&-
  fi
  [[ $state == alive ]]
}

# Runs a command as the user of the job, who may warm what that user may read, and is charged for
# it. Untrusted words never reach a command that runs as root.
as_user() {
  local seconds=$1
  shift
  limited "$seconds" /usr/bin/setpriv --reuid="$SLURM_JOB_UID" --regid="$SLURM_JOB_GID" \
    --init-groups --no-new-privs -- /usr/bin/env -i PATH=/usr/bin:/bin HOME=/ LC_ALL=C.UTF-8 "$@"
}

refuse() {
  say notice "no warming: $1: $(printf '%q' "${request:0:200}")"
  finish 0
}

# Checks the words of the user by themselves, before any file is looked at.
check_request() {
  local bytes
  [[ $request == "$MOUNT_POINT"/?* ]] || refuse "not below $MOUNT_POINT"
  bytes=$(printf '%s' "$request" | /usr/bin/wc --bytes)
  ((bytes < 4096)) || refuse "too long"
  printf '%s' "$request" | /usr/bin/iconv --from-code=UTF-8 --to-code=UTF-8 >/dev/null 2>&1 ||
    refuse "not UTF-8"
  [[ $request == *[[:cntrl:]]* ]] && refuse "with a control character"
  case "$request/" in
    *//* | */./* | */../*) refuse "not normalised" ;;
  esac
}

# Follows links as the user, and leaves the path that is meant in `request`.
resolve_request() {
  local real
  real=$(as_user 30 /usr/bin/realpath --canonicalize-existing -- "$request" 2>/dev/null) ||
    refuse "it is not there, or the user may not see it"
  local root
  root=$(limited 10 /usr/bin/realpath --canonicalize-existing -- "$MOUNT_POINT") ||
    refuse "the mount does not answer"
  [[ $real == "$root"/?* ]] || refuse "it leads out of $MOUNT_POINT"
  # Whoever may make links there chose these words, too.
  [[ $real == *[[:cntrl:]]* ]] && refuse "with a control character"
  request=$real
}

# Waits for the end of warming, for the limit at most.
warm() {
  local status=0
  say info "warming $request, for $WARM_LIMIT_SECONDS s at most"
  as_user "$WARM_LIMIT_SECONDS" "$WARPDRIVE" ctl warm \
    --max-size "$WARM_MAX_SIZE" --workers "$WARM_WORKERS" -- "$request" 2>&1 | log_lines ||
    status=${PIPESTATUS[0]}
  case $status in
    0) return 0 ;;
    124 | 137)
      # The store is slow, not the node broken; what came stays.
      say warning "warming is not done after $WARM_LIMIT_SECONDS s: the job reads the rest itself"
      ;;
    *)
      say warning "warming failed with exit code $status"
      [[ $DRAIN_ON_FAILED_WARM == yes ]] && finish 1
      ;;
  esac
  return 0
}

# Begins warming in the mount, which goes on beside the job; the epilog ends it.
warm_aside() {
  local answer
  if ! answer=$(as_user 60 "$WARPDRIVE" ctl warm --detach --json \
    --max-size "$WARM_MAX_SIZE" --workers "$WARM_WORKERS" -- "$request" 2>&1); then
    printf '%s\n' "$answer" | log_lines
    say warning "warming could not be begun"
    [[ $DRAIN_ON_FAILED_WARM == yes ]] && finish 1
    return 0
  fi
  [[ $answer =~ \"job\":\"([0-9]+)\" ]] || return 0
  say info "warming $request beside the job, as warm job ${BASH_REMATCH[1]}"
  printf '%s %s\n' "${BASH_REMATCH[1]}" "$(agent_run)" >"$STATE_DIRECTORY/$job"
}

/usr/bin/install --directory --mode=0700 -- "$STATE_DIRECTORY"
if ! ensure_mount; then
  say err "\"$MOUNT_POINT\" is not mounted, or does not answer: see journalctl -u $AGENT_UNIT"
  [[ $DRAIN_ON_DEAD_MOUNT == yes ]] && finish 1
  finish 0
fi

[[ $WARM == yes ]] || finish 0
request=${WARPDRIVE_WARMUP_PATH:-${SLURM_JOB_COMMENT:-}}
# Any other comment is the user's own affair.
[[ $request == /* ]] || finish 0
[[ ${SLURM_JOB_UID:-} =~ ^[0-9]+$ && ${SLURM_JOB_GID:-} =~ ^[0-9]+$ ]] || refuse "whose job is it"
check_request
resolve_request
if [[ $WARM_WAIT == yes ]]; then warm; else warm_aside; fi
finish 0
