import { deepEqual } from "node:assert/strict";
import { ERRNO } from "../../platform/errno.ts";
import { judgeRoot } from "./root.ts";

Deno.test("judgeRoot tells a root that is missing from one this user may not open", () => {
  const judged = [ERRNO.ENOENT, ERRNO.ENOTDIR, ERRNO.EACCES, ERRNO.EIO].map((errno) => {
    const { code, reason } = judgeRoot("/srv", errno);
    return [code, reason];
  });
  deepEqual(judged, [
    ["unavailable", 'its root "/srv" does not exist'],
    ["unavailable", 'its root "/srv" is no directory'],
    ["denied", 'this user may not open its root "/srv"'],
    ["unavailable", 'its root "/srv" cannot be opened (EIO)'],
  ]);
});
