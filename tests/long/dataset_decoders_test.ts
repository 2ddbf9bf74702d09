/**
 * Synthetic images read by the decoder that training programs use: Pillow, over libjpeg-turbo. In
 * the long form of the tests only, because it is installed first.
 */
import { match } from "node:assert/strict";
import { datasetCommand } from "../../forge/commands/dataset.ts";
import { succeed } from "../support/command.ts";
import { collectedContext } from "../support/command_context.ts";

/** Decodes every image of the shards named on its command line; damage is an error to Pillow. */
const DECODE_ALL = `
import io, sys, tarfile
sys.path.insert(0, sys.argv[1])
from PIL import Image
count, sizes = 0, set()
for path in sys.argv[2:]:
    shard = tarfile.open(path)
    for member in shard:
        if member.name.endswith(".jpg"):
            image = Image.open(io.BytesIO(shard.extractfile(member).read()))
            image.load()
            count, sizes = count + 1, sizes | {image.size}
print(count, sorted(sizes))
`;

Deno.test({
  name: "dataset make draws images that Pillow decodes, from nearly no grain to nothing else",
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "warpdrive-" });
    try {
      const pillow = `${directory}/pillow`;
      await succeed("python3", "-m", "pip", "install", "-q", "--target", pillow, "pillow==13.0.0");
      for (const bytes of ["4KiB", "15KiB", "49KiB"]) {
        const out = `${directory}/${bytes}`;
        const flags = ["--shards", "1", "--samples", "200", "--image-bytes", bytes];
        await datasetCommand.run(["make", "--out", out, ...flags], collectedContext().context);
        const shard = `${out}/train/shard-000000.tar`;
        match(
          await succeed("python3", "-c", DECODE_ALL, pillow, shard),
          /^200 \[\(224, 224\)\]$/m,
        );
      }
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
