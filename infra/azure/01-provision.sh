#!/bin/bash
# Makes the resource group, a storage account and a container in each of two regions, a machine with
# an identity, and the roles that let it read. Run on your own machine; run again, it makes what is
# missing, and lets in whom SSH_FROM names now.
# shellcheck source=infra/azure/00-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/00-env.sh"

ensure_group() {
  local exists project
  exists=$(ask group exists --name "$RESOURCE_GROUP")
  if [[ $exists == true ]]; then
    project=$(ask group show --name "$RESOURCE_GROUP" --query tags.project --output tsv)
    [[ $project == warpdrive ]] ||
      fail "resource group \"$RESOURCE_GROUP\" was not made by this script" \
        "Choose another name with RESOURCE_GROUP"
    return
  fi
  run az group create --name "$RESOURCE_GROUP" --location "$LOCATION_A" \
    --tags project=warpdrive --output none
}

# A storage account with the container, at a place.
ensure_storage() {
  local account=$1 location=$2 found
  found=$(ask storage account list --resource-group "$RESOURCE_GROUP" \
    --query "[?name=='$account'].name" --output tsv)
  if [[ -z $found ]]; then
    run az storage account create --name "$account" --resource-group "$RESOURCE_GROUP" \
      --location "$location" --sku Standard_LRS --kind StorageV2 --min-tls-version TLS1_2 \
      --https-only true --allow-blob-public-access false --allow-shared-key-access false \
      --output none
  fi
  found=$(ask storage container-rm list --storage-account "$account" \
    --resource-group "$RESOURCE_GROUP" --query "[?name=='$CONTAINER'].name" --output tsv)
  [[ -n $found ]] || run az storage container-rm create --storage-account "$account" \
    --resource-group "$RESOURCE_GROUP" --name "$CONTAINER" --output none
}

ensure_machine() {
  local found
  found=$(ask vm list --resource-group "$RESOURCE_GROUP" \
    --query "[?name=='$VM_NAME'].name" --output tsv)
  if [[ -z $found ]]; then
    [[ -r $SSH_PUBLIC_KEY || $DRY_RUN == 1 ]] ||
      fail "there is no SSH key at \"$SSH_PUBLIC_KEY\"" "Make one with ssh-keygen, or set SSH_PUBLIC_KEY"
    run az vm create --resource-group "$RESOURCE_GROUP" --name "$VM_NAME" \
      --location "$VM_LOCATION" --size "$VM_SIZE" --image "$VM_IMAGE" \
      --admin-username "$VM_USER" --ssh-key-values "$SSH_PUBLIC_KEY" \
      --assign-identity '[system]' --public-ip-sku Standard --nsg-rule NONE --output none
  fi
  # Nobody reaches the machine but from where its owner says. vm create names the group of rules.
  local rule=(--resource-group "$RESOURCE_GROUP" --nsg-name "${VM_NAME}NSG")
  found=$(ask network nsg rule list "${rule[@]}" \
    --query "[?name=='ssh'].[name, sourceAddressPrefix]" --output tsv)
  rule+=(--name ssh --source-address-prefixes "$SSH_FROM" --output none)
  case $found in
    "") run az network nsg rule create "${rule[@]}" --priority 1000 --direction Inbound \
      --access Allow --protocol Tcp --destination-port-ranges 22 ;;
    ssh$'\t'"$SSH_FROM") ;;
    *) run az network nsg rule update "${rule[@]}" ;;
  esac
}

# A role of somebody on a storage account.
ensure_role() {
  local principal=$1 kind=$2 role=$3 account=$4 scope found
  scope=$(ask storage account show --name "$account" --resource-group "$RESOURCE_GROUP" \
    --query id --output tsv)
  found=$(ask role assignment list --assignee "$principal" --role "$role" --scope "$scope" \
    --query '[].id' --output tsv)
  [[ -n $found ]] || run az role assignment create --assignee-object-id "$principal" \
    --assignee-principal-type "$kind" --role "$role" --scope "$scope" --output none
}

parse_dry_run "$@"
[[ -n $SSH_FROM || $DRY_RUN == 1 ]] ||
  fail "nobody may reach the machine: SSH_FROM is empty" \
    "Set SSH_FROM to your own address, such as 203.0.113.7/32"
require_login
ensure_names
ensure_group
ensure_storage "$STORAGE_ACCOUNT_A" "$LOCATION_A"
ensure_storage "$STORAGE_ACCOUNT_B" "$LOCATION_B"
ensure_machine

machine=$(ask vm show --resource-group "$RESOURCE_GROUP" --name "$VM_NAME" \
  --query identity.principalId --output tsv)
[[ -n $machine || $DRY_RUN == 1 ]] ||
  fail "machine \"$VM_NAME\" has no identity" \
    "Run: az vm identity assign --resource-group $RESOURCE_GROUP --name $VM_NAME"
person=$(ask ad signed-in-user show --query id --output tsv)
for account in "$STORAGE_ACCOUNT_A" "$STORAGE_ACCOUNT_B"; do
  # The machine reads and never writes; who uploads is the person at the keyboard.
  ensure_role "${machine:-MACHINE}" ServicePrincipal 'Storage Blob Data Reader' "$account"
  ensure_role "${person:-PERSON}" User 'Storage Blob Data Contributor' "$account"
done

address=$(ask vm show --show-details --resource-group "$RESOURCE_GROUP" --name "$VM_NAME" \
  --query publicIps --output tsv)
say "Storage accounts: $STORAGE_ACCOUNT_A ($LOCATION_A), $STORAGE_ACCOUNT_B ($LOCATION_B)"
say "Machine: $VM_USER@${address:-ADDRESS}"
say "Next: 02-gen-dataset.sh"
