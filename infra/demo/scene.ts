/** The two stores of the demo, where they are, and the configuration that mounts them. */
import type { Originals } from "./reading.ts";

/** Names of the backends, and of their directories below the mount point. */
export const AZURE = "images";
export const LOCAL = "reference";
/** Environment variable that carries the account key, so that the file has no secret in it. */
export const KEY_VARIABLE = "DEMO_AZURE_KEY";

/** What is there to look at. */
export interface Scene {
  /** The local directory. */
  readonly root: string;
  readonly mountPoint: string;
  /** Path of the configuration file. */
  readonly config: string;
  /** URL of metrics and health. */
  readonly metrics: string;
  readonly endpoint: string;
  readonly account: string;
  /** What was stored, by backend. */
  readonly originals: ReadonlyMap<string, Originals>;
}

/** The configuration file of `scene`. */
export function configText(scene: Scene): string {
  return `mount_point: ${scene.mountPoint}
metrics: {addr: "${new URL(scene.metrics).host}"}
backends:
  - name: ${AZURE}
    type: azureblob
    config: {account: ${scene.account}, root: ${AZURE}, endpoint: "${scene.endpoint}"}
    auth: {method: static, account_key_env: ${KEY_VARIABLE}}
  - name: ${LOCAL}
    type: local
    config: {root: ${scene.root}}
`;
}
