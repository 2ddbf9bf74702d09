/** Whether a user may read the objects of a mount: the question the kernel asks by mode bits. */
import type { DefaultAttributes } from "./fs/attributes.ts";

const READ = 4;
const SEARCH = 1;

/** Who asks. */
export interface Reader {
  readonly uid: number;
  /** Primary and other groups. */
  readonly gids: readonly number[];
}

/** Who may, as the mount shows its objects. */
export interface Readability {
  readonly defaults: Pick<DefaultAttributes, "uid" | "gid" | "fileMode" | "directoryMode">;
  /** Others than the user who mounted get through at all. */
  readonly allowOther: boolean;
  /** The user who mounted. */
  readonly mountUid: number;
}

/** Whether `reader` may walk the directories and read the objects. */
export function mayRead(reader: Reader, readability: Readability): boolean {
  const { defaults, allowOther, mountUid } = readability;
  // Without allow_other the kernel lets nobody else in, not even root.
  if (!allowOther && reader.uid !== mountUid) return false;
  if (reader.uid === 0) return true;
  const { fileMode, directoryMode } = defaults;
  const may = (mode: number, bit: number) => ((mode >> shift(reader, defaults)) & bit) !== 0;
  return may(directoryMode, SEARCH) && may(fileMode, READ);
}

/** Where in a mode the bits are that count for `reader`. */
function shift({ uid, gids }: Reader, owner: { readonly uid: number; readonly gid: number }) {
  if (uid === owner.uid) return 6;
  return gids.includes(owner.gid) ? 3 : 0;
}
