/**
 * What a synthetic image shows: stripes whose direction and colour tell its class, of a brightness
 * and at a place of its own. Whole numbers only, so that every machine draws the same.
 */
import type { Xoshiro128 } from "../../cache/platform/random.ts";

/** One image to draw. Values are levels above or below a middle grey. */
export interface Picture {
  /** Brightness at a point, from -128 to 127. */
  readonly luma: (x: number, y: number) => number;
  /** The colour of the whole image, as it is in Cb and Cr. */
  readonly blue: number;
  readonly red: number;
}

/** Units in which a direction is given. */
const DIRECTION_LENGTH = 64;
/** Pixels from one stripe to the next. */
const PERIOD = 48;
/** Parts of a period. */
const TURN = 256;
const SATURATION = 48;
/** Brightness of whole images differs by this much. */
const BRIGHTNESS_RANGE = 64;

/** The picture of class `label` of `classes` that `random` gives. */
export function drawPicture(
  label: number,
  classes: number,
  random: Pick<Xoshiro128, "below">,
): Picture {
  // Half a turn for the stripes: turned by more they are the same again. No sine of these comes so
  // near to a half that rounding could differ between machines.
  const direction = Math.PI * label / classes;
  const across = Math.round(DIRECTION_LENGTH * Math.cos(direction));
  const down = Math.round(DIRECTION_LENGTH * Math.sin(direction));
  const phase = random.below(TURN);
  const brightness = random.below(BRIGHTNESS_RANGE) - BRIGHTNESS_RANGE / 2;
  const scale = DIRECTION_LENGTH * PERIOD / TURN;
  return {
    luma: (x, y) => brightness + wave(Math.floor((x * across + y * down) / scale) + phase),
    blue: Math.round(SATURATION * Math.cos(2 * direction)),
    red: Math.round(SATURATION * Math.sin(2 * direction)),
  };
}

/** A triangle wave between -64 and 63. */
function wave(position: number): number {
  const place = position & (TURN - 1);
  return place < TURN / 2 ? place - TURN / 4 : TURN * 3 / 4 - 1 - place;
}
