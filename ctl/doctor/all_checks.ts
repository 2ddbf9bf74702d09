/** Everything the doctor looks at, in the order of the report. */
import type { Host } from "../../cache/platform/host.ts";
import { allowOther } from "./allow_other.ts";
import type { Check } from "./check.ts";
import type { DoctorConfig } from "./doctor_config.ts";
import { fuseDevice } from "./fuse_device.ts";
import { openFiles } from "./open_files.ts";
import { privilege } from "./privilege.ts";

/** What the checks ask with. */
export interface DoctorDeps {
  readonly host: Host;
}

/** The checks for a mount by `config`. */
export function allChecks(config: DoctorConfig, { host }: DoctorDeps): readonly Check[] {
  return [
    fuseDevice(host),
    privilege(host),
    allowOther(config.allowOther, host),
    openFiles(host),
  ];
}
