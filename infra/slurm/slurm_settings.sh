# shellcheck shell=bash disable=SC2034
# What the prolog and the epilog share: their settings and their log. It is sourced; `TAG` is set
# before. A prolog has no PATH, hence the absolute paths.

# Settings and their defaults, each with the values it may have. README.md explains them.
MOUNT_POINT=/wd
WARPDRIVE=/usr/local/bin/warpdrive
AGENT_UNIT=warpdrive-agent.service
CONTROL_PATH=
WARM=yes
WARM_WAIT=yes
WARM_LIMIT_SECONDS=1800
WARM_MAX_SIZE=0
WARM_WORKERS=32
DRAIN_ON_DEAD_MOUNT=yes
DRAIN_ON_FAILED_WARM=no
REPORT_JOBS=yes
declare -A allowed_values=(
  [MOUNT_POINT]='^(/[A-Za-z0-9._-]+)+$'
  [WARPDRIVE]='^(/[A-Za-z0-9._-]+)+$'
  [AGENT_UNIT]='^[A-Za-z0-9@._-]+\.service$'
  [CONTROL_PATH]='^(/[A-Za-z0-9._-]+)+$'
  [WARM]='^(yes|no)$'
  [WARM_WAIT]='^(yes|no)$'
  [WARM_LIMIT_SECONDS]='^[1-9][0-9]{0,5}$'
  [WARM_MAX_SIZE]='^[0-9]{1,15}[KMGTP]?(i?B)?$'
  [WARM_WORKERS]='^[1-9][0-9]{0,2}$'
  [DRAIN_ON_DEAD_MOUNT]='^(yes|no)$'
  [DRAIN_ON_FAILED_WARM]='^(yes|no)$'
  [REPORT_JOBS]='^(yes|no)$'
)

SETTINGS_FILE=/etc/warpdrive/slurm.conf
# What a job's scripts remember between prolog and epilog. Root's alone, gone with a reboot.
STATE_DIRECTORY=/run/warpdrive-slurm

job=${SLURM_JOB_ID:-}
# It becomes the name of a file.
[[ $job =~ ^[0-9]+$ ]] || job=0

# A line for the log of the node, at a syslog priority, and for slurmd's own.
say() {
  local text="job $job: $2"
  printf '%s: %s\n' "$TAG" "$text" >&2
  /usr/bin/logger --tag "$TAG" --priority "daemon.$1" -- "$text" || true
}

# Sends what it reads to the log, line by line.
log_lines() {
  local line
  while IFS= read -r line || [[ -n $line ]]; do say info "$line"; done
}

# Reads NAME=VALUE lines. They are never run as shell: root would run whatever a template, a typo or
# a careless editor left there, before every job. What is not understood is said, and left out.
read_settings() {
  [[ -r $SETTINGS_FILE ]] || return 0
  local line name value
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    name=${line%%=*}
    value=${line#*=}
    if [[ $line != *=* || ! $name =~ ^[A-Z_]+$ || -z ${allowed_values[$name]:-} ]]; then
      say warning "slurm.conf: no such setting: $(printf '%q' "${line:0:200}")"
    elif [[ ! $value =~ ${allowed_values[$name]} ]]; then
      say warning "slurm.conf: $name cannot be $(printf '%q' "${value:0:200}"): the default holds"
    else
      printf -v "$name" '%s' "$value"
    fi
  done <"$SETTINGS_FILE"
}

# Runs a command for so many seconds at most. In the foreground: in a process group of its own it
# would outlive a prolog that Slurm kills.
limited() {
  /usr/bin/timeout --foreground --signal=TERM --kill-after=10 "$@"
}

# What tells one run of the agent from the next: warm jobs are numbered anew in each.
agent_run() {
  limited 10 /usr/bin/systemctl show --value --property=InvocationID "$AGENT_UNIT" || true
}
