/** Images with their classes, found where people keep them. */

/** One image. */
export interface LabelledImage {
  /** Where it is. */
  readonly path: string;
  /** Below the directory that was looked through. */
  readonly name: string;
  readonly label: number;
}

/** A data set before it is packed. */
export interface LabelledImages {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** By name. */
  readonly images: readonly LabelledImage[];
  /** Files that were left out, counted, with the reason: `3 without annotation`. */
  readonly leftOut: readonly string[];
}

/** Whether `name` is that of an image that the trainer reads. */
export function isImageName(name: string): boolean {
  return /\.(jpe?g|png)$/i.test(name);
}

/** `images` by name, in an order that no locale changes. */
export function byName(images: readonly LabelledImage[]): LabelledImage[] {
  return images.toSorted((one, other) => one.name < other.name ? -1 : 1);
}
