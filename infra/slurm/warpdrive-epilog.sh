#!/bin/bash
# Slurm Epilog, run by slurmd as root after each job: ends what the prolog began and goes on, and
# reports how the job ended. It ends with 0 whatever happens: Slurm drains the node of one that fails.
set -euo pipefail
export PATH=/usr/bin:/bin LC_ALL=C.UTF-8
# shellcheck disable=SC2034  # the library uses it
TAG=warpdrive-epilog
readonly LIBRARY=/usr/local/lib/warpdrive/slurm_settings.sh
trap 'exit 0' EXIT

# shellcheck source=infra/slurm/slurm_settings.sh
. "$LIBRARY"
read_settings

# The sockets of the mount. By its path they could not be found where the mount is dead.
control_path() {
  if [[ -n $CONTROL_PATH ]]; then
    printf '%s\n' "$CONTROL_PATH"
    return
  fi
  local name=${MOUNT_POINT#/}
  printf '/run/warpdrive/%s\n' "${name//\//-}"
}

# Ends the warming that the prolog left to the mount.
end_warming() {
  local record="$STATE_DIRECTORY/$job" number run
  [[ -r $record ]] || return 0
  read -r number run <"$record" || true
  /usr/bin/rm --force -- "$record"
  # Another run of the agent knows nothing of it, and uses its number for something else.
  [[ $number =~ ^[0-9]+$ && $run == "$(agent_run)" ]] || return 0
  if limited 30 "$WARPDRIVE" ctl warm --cancel "$number" --socket "$control" 2>&1 | log_lines; then
    say info "ended the warming of the job"
  fi
}

# Slurm gives CODE:SIGNAL, and a wait status in versions that do not.
job_status() {
  local wait=${SLURM_JOB_EXIT_CODE:-0}
  if [[ ${SLURM_JOB_EXIT_CODE2:-} =~ ^[0-9]+:[0-9]+$ ]]; then
    printf '%s\n' "$SLURM_JOB_EXIT_CODE2"
  elif [[ $wait =~ ^[0-9]+$ ]]; then
    printf '%d:%d\n' $((wait >> 8 & 255)) $((wait & 127))
  else
    printf 'unknown\n'
  fi
}

report() {
  limited 30 "$WARPDRIVE" ctl job-report --socket "$control" --job-id="$job" \
    --user="${SLURM_JOB_USER:-${SLURM_JOB_UID:-unknown}}" --status="$(job_status)" \
    2>&1 >/dev/null | log_lines || say warning "the job could not be reported"
}

control=$(control_path)
end_warming
[[ $REPORT_JOBS == yes ]] && report
