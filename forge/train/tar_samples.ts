/**
 * The samples of a tar archive, by WebDataset's rule: members that share a path up to the first dot
 * of their name belong together. A sample needs an image (`.jpg`, `.jpeg`, `.png`) and a label
 * (`.cls`, a whole number); other members are passed over.
 */
import { type Member, ShardError, tarMembers, wrongMember } from "./tar_members.ts";

/** Samples of which only one half was seen so far. */
const HALVES_MAX = 1_024;

/** An image with its class. */
export interface Sample {
  /** Path of its members without what follows the first dot of the name. */
  readonly key: string;
  /** Not empty. */
  readonly image: Uint8Array;
  readonly label: number;
}

/** One member of a sample. */
export type Half =
  | { readonly part: "image"; readonly member: Member; readonly image: Uint8Array }
  | { readonly part: "label"; readonly member: Member; readonly label: number };

/**
 * The samples of the archive whose bytes are `chunks`, in the order in which they become complete.
 *
 * @throws {ShardError} when the archive is cut short or damaged, a sample is incomplete, or the
 * archive has none.
 */
export function* tarSamples(chunks: Iterable<Uint8Array>): Generator<Sample> {
  const pairs = new SamplePairs();
  let samples = 0;
  for (const { member, read } of tarMembers(chunks)) {
    if (member.part === "other") continue;
    const sample = pairs.add(halfOf(member, read()));
    if (sample === null) continue;
    samples += 1;
    yield sample;
  }
  pairs.refuseLeftovers();
  if (samples === 0) throw noSample();
}

/** The error about a shard that adds nothing to an epoch: of such shards a run would never end. */
export function noSample(): ShardError {
  const wanted = "wanted images (.jpg, .jpeg, .png) with labels (.cls)";
  return new ShardError(`it holds no sample: ${wanted}`, null);
}

/**
 * What `bytes` of a member that is an image or a label are to its sample.
 *
 * @throws {ShardError} when the image is empty or the label is no number.
 */
export function halfOf(member: Member, bytes: Uint8Array): Half {
  if (member.part === "image") {
    if (bytes.length === 0) throw wrongMember(member, "the image is empty");
    return { part: "image", member, image: bytes };
  }
  const text = new TextDecoder().decode(bytes).trim();
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    const found = JSON.stringify(text.slice(0, 40));
    throw wrongMember(member, `wanted a whole number, found ${found}`);
  }
  return { part: "label", member, label: Number(text) };
}

/** The halves of samples that wait for the other one. */
export class SamplePairs {
  readonly #halves = new Map<string, Half>();

  /** Halves without the other one, in the order they came. */
  get waiting(): Iterable<Half> {
    return this.#halves.values();
  }

  /**
   * The sample that `half` completes; null when it has to wait.
   *
   * @throws {ShardError} when the sample has one already, or too many samples are incomplete.
   */
  add(half: Half): Sample | null {
    const { key } = half.member;
    const other = this.#halves.get(key);
    if (other === undefined) {
      if (this.#halves.size >= HALVES_MAX) {
        throw wrongMember(half.member, `${HALVES_MAX} samples before it wait for their other half`);
      }
      this.#halves.set(key, half);
      return null;
    }
    const sample = sampleOf(half, other) ?? sampleOf(other, half);
    if (sample === null) {
      throw wrongMember(half.member, `sample "${key}" has a second ${half.part}`);
    }
    this.#halves.delete(key);
    return sample;
  }

  /** @throws {ShardError} when a sample is incomplete. */
  refuseLeftovers(): void {
    const [first] = this.#halves.values();
    if (first === undefined) return;
    const more = this.#halves.size - 1;
    const others = more === 0 ? "" : `, and ${more} more samples are incomplete`;
    throw wrongMember(first.member, `${missingHalf(first)}${others}`);
  }
}

function sampleOf(image: Half, label: Half): Sample | null {
  if (image.part !== "image" || label.part !== "label") return null;
  return { key: image.member.key, image: image.image, label: label.label };
}

/** What is wrong with a sample of which only `half` is there. */
export function missingHalf({ part }: Half): string {
  return `its sample has no ${part === "image" ? "label (.cls)" : "image (.jpg, .jpeg, .png)"}`;
}
