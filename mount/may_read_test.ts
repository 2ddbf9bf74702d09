import { deepEqual, equal } from "node:assert/strict";
import { mayRead } from "./may_read.ts";

function readable(fileMode: number, directoryMode = 0o555, allowOther = true) {
  const defaults = { uid: 1_000, gid: 100, fileMode, directoryMode };
  return { defaults, allowOther, mountUid: 1_000 };
}

Deno.test("mode bits decide as they do for the kernel", () => {
  const owner = { uid: 1_000, gids: [1] };
  const member = { uid: 2_000, gids: [1, 100] };
  const other = { uid: 3_000, gids: [3] };
  const root = { uid: 0, gids: [0] };
  for (
    const [mode, expected] of [
      [0o444, [true, true, true, true]],
      [0o440, [true, true, false, true]],
      [0o400, [true, false, false, true]],
      [0o040, [false, true, false, true]],
    ] as const
  ) {
    const actual = [owner, member, other, root].map((reader) => mayRead(reader, readable(mode)));
    deepEqual(actual, expected, mode.toString(8));
  }
  equal(mayRead(other, readable(0o444, 0o550)), false);
});

Deno.test("without allow_other only the user who mounted may", () => {
  equal(mayRead({ uid: 0, gids: [0] }, readable(0o444, 0o555, false)), false);
  equal(mayRead({ uid: 1_000, gids: [1] }, readable(0o444, 0o555, false)), true);
});
