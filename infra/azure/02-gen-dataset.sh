#!/bin/bash
# Makes the shards and uploads those with even numbers to the first account, those with odd ones to
# the second. Run on your own machine; run again, it uploads what is missing.
# shellcheck source=infra/azure/00-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/00-env.sh"

# Of COCO where its images are here, else synthetic ones of the same sizes.
make_shards() {
  local made_by=$WORK_DIRECTORY/.done out
  out=(--out "$WORK_DIRECTORY/a" --out "$WORK_DIRECTORY/b" --prefix "$PREFIX" --force)
  local make=(forge dataset make "${out[@]}" --shards "$SHARDS" --samples "$SAMPLES"
    --image-size "$IMAGE_SIZE" --image-bytes "$IMAGE_BYTES")
  if [[ -n ${COCO_IMAGES:-} ]]; then
    make=(forge dataset pack "$COCO_IMAGES" "${out[@]}" --samples "$SAMPLES"
      --coco "${COCO_ANNOTATIONS:?COCO_IMAGES also wants COCO_ANNOTATIONS}")
  fi
  if [[ -e $made_by ]]; then
    [[ $(<"$made_by") == "$(quoted "${make[@]}")" ]] && return
    fail "\"$WORK_DIRECTORY\" has shards of other settings: $(<"$made_by")" \
      "Give WORK_DIRECTORY another directory and PREFIX another prefix, or the settings they had"
  fi
  run mkdir -p -- "$WORK_DIRECTORY/a" "$WORK_DIRECTORY/b"
  run "$WARPDRIVE" "${make[@]}"
  [[ $DRY_RUN == 1 ]] || quoted "${make[@]}" >"$made_by"
}

list_blobs() {
  ask storage blob list --account-name "$1" --container-name "$CONTAINER" --prefix "$PREFIX/" \
    --num-results '*' --auth-mode login --query '[].name' --output tsv
}

# Waits until the role that allows listing has reached the service, which takes minutes.
wait_for_role() {
  local try
  for ((try = 1; try <= ROLE_TRIES; try++)); do
    (list_blobs "$1") >/dev/null && return
    say "\"$1\" does not let us in yet ($try of $ROLE_TRIES)"
    sleep "$ROLE_PAUSE"
  done
  fail "\"$1\" does not let us in" "See whether 01-provision.sh assigned the role; az login --help"
}

# Uploads what is missing of a directory. One failure does not stop the others, and is not forgotten.
upload() {
  local directory=$1 account=$2 file name present missing=0 failed=0
  wait_for_role "$account"
  present=$(list_blobs "$account") || exit 1
  for file in "$directory/$PREFIX"/*; do
    name=$PREFIX/${file##*/}
    grep -qxF -- "$name" <<<"$present" && continue
    missing=$((missing + 1))
    # Never over what is there: a shard under training must not change.
    (run az storage blob upload --account-name "$account" --container-name "$CONTAINER" \
      --name "$name" --file "$file" --auth-mode login --overwrite false --no-progress \
      --only-show-errors --output none) || failed=$((failed + 1))
  done
  say "$account: $missing to upload, $failed failed"
  [[ $failed == 0 ]]
}

# What is there in the end counts, not what the uploads said.
verify() {
  local directory=$1 account=$2 wanted found
  wanted=$(cd "$directory/$PREFIX" && printf '%s\n' * | sed "s|^|$PREFIX/|" | sort)
  found=$(list_blobs "$account" | sort)
  [[ -z $(comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$found")) ]] ||
    fail "\"$account\" does not have every shard" "Run this script again"
}

parse_dry_run "$@"
require_login
require_names
make_shards
if [[ $DRY_RUN == 1 && ! -d $WORK_DIRECTORY/a/$PREFIX ]]; then
  say "would upload: $WORK_DIRECTORY/a to $STORAGE_ACCOUNT_A, $WORK_DIRECTORY/b to $STORAGE_ACCOUNT_B"
  exit 0
fi
status=0
upload "$WORK_DIRECTORY/a" "$STORAGE_ACCOUNT_A" || status=1
upload "$WORK_DIRECTORY/b" "$STORAGE_ACCOUNT_B" || status=1
[[ $status == 0 ]] || fail "some shards were not uploaded: see above" "Run this script again"
if [[ $DRY_RUN != 1 ]]; then
  verify "$WORK_DIRECTORY/a" "$STORAGE_ACCOUNT_A"
  verify "$WORK_DIRECTORY/b" "$STORAGE_ACCOUNT_B"
fi
say "Next: copy dist/ and infra/ to the machine, and run 03-vm-setup.sh there"
