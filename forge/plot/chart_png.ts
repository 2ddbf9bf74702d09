/**
 * Turns a drawing into a picture. The renderer is WebAssembly and the font a file of a package:
 * both become part of the program, which then needs nothing of the machine.
 */
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import renderer from "@resvg/resvg-wasm/index_bg.wasm" with { type: "bytes" };
import font from "dejavu-fonts-ttf/ttf/DejaVuSans.ttf" with { type: "bytes" };

/** Pixels per unit of the drawing: sharp on dense screens. */
const SCALE = 2;

/** The SVG document `svg` as a PNG. To be called once: the renderer is set up only once. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  await initWasm(renderer);
  using drawing = disposable(
    new Resvg(svg, {
      fitTo: { mode: "zoom", value: SCALE },
      font: { fontBuffers: [font], defaultFontFamily: "DejaVu Sans" },
    }),
  );
  using picture = disposable(drawing.value.render());
  return picture.value.asPng();
}

/** What lives in the renderer's memory, and is not given back by itself. */
function disposable<T extends { free(): void }>(value: T): Disposable & { readonly value: T } {
  return { value, [Symbol.dispose]: () => value.free() };
}
