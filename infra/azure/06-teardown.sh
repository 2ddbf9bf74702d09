#!/bin/bash
# Deletes the resource group with all that is in it, and waits until it is gone. Run on your own
# machine.
#
#   06-teardown.sh [--dry-run] [--yes]
# shellcheck source=infra/azure/00-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/00-env.sh"

confirmed=0
for argument in "$@"; do
  case $argument in
    --dry-run) DRY_RUN=1 ;;
    --yes) confirmed=1 ;;
    *) fail "unknown argument \"$argument\"" "06-teardown.sh [--dry-run] [--yes]" ;;
  esac
done
require_login

exists=$(ask group exists --name "$RESOURCE_GROUP")
if [[ $exists == true ]]; then
  project=$(ask group show --name "$RESOURCE_GROUP" --query tags.project --output tsv)
  [[ $project == warpdrive ]] ||
    fail "resource group \"$RESOURCE_GROUP\" was not made by 01-provision.sh" \
      "Look into it with az resource list --resource-group $RESOURCE_GROUP"
  if [[ $confirmed != 1 ]]; then
    say "This deletes resource group \"$RESOURCE_GROUP\" with everything in it."
    read -r -p 'Its name, to go on: ' answer || answer=
    [[ $answer == "$RESOURCE_GROUP" ]] || fail "not confirmed: nothing was deleted" "--yes does not ask"
  fi
fi
if [[ $exists == true || $DRY_RUN == 1 ]]; then
  # Without --no-wait it returns when everything is gone.
  run az group delete --name "$RESOURCE_GROUP" --yes --output none
fi
if [[ $DRY_RUN != 1 ]]; then
  exists=$(ask group exists --name "$RESOURCE_GROUP")
  [[ $exists == false ]] ||
    fail "resource group \"$RESOURCE_GROUP\" is still there" "Run this script again"
  rm -f -- "$STATE_FILE"
  say "Resource group \"$RESOURCE_GROUP\" is gone"
fi
