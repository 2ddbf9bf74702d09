/**
 * Looks at every member of a shard and reports all that is wrong, where the trainer ends at the
 * first fault. What belongs together and what is a fault is decided by the trainer's own rules.
 */
import { type Half, halfOf, missingHalf, noSample, SamplePairs } from "../train/tar_samples.ts";
import {
  type Member,
  MEMBER_BYTES_MAX,
  type OpenMember,
  ShardError,
  tarMembers,
  wrongMember,
} from "../train/tar_members.ts";
import { ImageError, readImageHeader } from "./image_header.ts";

/** Problems of one shard that are told one by one. */
const PROBLEMS_MAX = 100;

/** Something that is wrong with a shard. */
export interface ShardProblem {
  /** Where; null when it is not in one place. */
  readonly offsetBytes: number | null;
  readonly message: string;
}

/** How large images are, in pixels. */
export interface ImageSizes {
  readonly widthMin: number;
  readonly widthMax: number;
  readonly heightMin: number;
  readonly heightMax: number;
}

const NO_SIZES: ImageSizes = {
  widthMin: Infinity,
  widthMax: 0,
  heightMin: Infinity,
  heightMax: 0,
};

/** A shard as it was found. */
export interface ShardReport {
  /** Key of each complete sample and where its second member begins, in the order of the shard. */
  readonly samples: readonly { readonly key: string; readonly offsetBytes: number }[];
  /** How many labels there are of each value, by value. */
  readonly labels: ReadonlyMap<number, number>;
  /** Null when no image could be read. */
  readonly images: ImageSizes | null;
  /** The first {@linkcode PROBLEMS_MAX}. */
  readonly problems: readonly ShardProblem[];
  /** All of them. */
  readonly problemCount: number;
}

/**
 * Checks the archive whose bytes are `chunks`.
 *
 * @param classes Labels are to be below it; null when any from 0 on will do.
 */
export async function checkShard(
  chunks: Iterable<Uint8Array>,
  classes: number | null,
): Promise<ShardReport> {
  const check = new ShardCheck(classes);
  try {
    for await (const open of tarMembers(chunks)) await check.look(open);
    check.end();
  } catch (error) {
    // Behind a place where the archive itself is damaged nothing can be made out.
    if (!(error instanceof ShardError)) throw error;
    check.report(error);
  }
  return check.found();
}

/** What is known of a shard so far. */
class ShardCheck {
  readonly #samples: { readonly key: string; readonly offsetBytes: number }[] = [];
  readonly #labels = new Map<number, number>();
  readonly #problems: ShardProblem[] = [];
  #images: ImageSizes | null = null;
  #problemCount = 0;
  readonly #classes: number | null;
  readonly #pairs = new SamplePairs();
  /** Keys of samples of which a half was no good. */
  readonly #faulty = new Set<string>();

  constructor(classes: number | null) {
    this.#classes = classes;
  }

  /** The report, as plain data: it crosses threads. */
  found(): ShardReport {
    return {
      samples: this.#samples,
      labels: this.#labels,
      images: this.#images,
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  /** @throws {ShardError} when the archive ends within the member. */
  async look({ member, read }: OpenMember): Promise<void> {
    if (member.part === "other") return;
    if (member.sizeBytes > MEMBER_BYTES_MAX) {
      this.report(wrongMember(member, `it holds ${member.sizeBytes} bytes, too many for a sample`));
      return;
    }
    const half = this.#half(member, await read());
    if (half === null) {
      this.#faulty.add(member.key);
      return;
    }
    try {
      const sample = this.#pairs.add(half);
      if (sample === null) return;
      this.#samples.push({ key: sample.key, offsetBytes: member.offsetBytes });
    } catch (error) {
      this.#reportShardError(error);
    }
  }

  /** No more members will come. */
  end(): void {
    for (const half of this.#pairs.waiting) {
      // Its other half is there, and what is wrong with that was reported.
      if (this.#faulty.has(half.member.key)) continue;
      this.report(wrongMember(half.member, missingHalf(half)));
    }
    if (this.#samples.length === 0 && this.#problemCount === 0) this.report(noSample());
  }

  report({ offsetBytes, message }: ShardError): void {
    this.#problemCount += 1;
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push({ offsetBytes, message });
  }

  /** What `member` is to its sample; null when it is nothing, which is then reported. */
  #half(member: Member, bytes: Uint8Array): Half | null {
    try {
      const half = halfOf(member, bytes);
      if (half.part === "image") this.#image(half);
      else this.#label(half);
      return half;
    } catch (error) {
      this.#reportShardError(error);
      return null;
    }
  }

  #image({ member, image }: Half & { readonly part: "image" }): void {
    try {
      const { width, height } = readImageHeader(image);
      const { widthMin, widthMax, heightMin, heightMax } = this.#images ?? NO_SIZES;
      this.#images = {
        widthMin: Math.min(widthMin, width),
        widthMax: Math.max(widthMax, width),
        heightMin: Math.min(heightMin, height),
        heightMax: Math.max(heightMax, height),
      };
    } catch (error) {
      if (error instanceof ImageError) throw wrongMember(member, error.message, error);
      throw error;
    }
  }

  #label({ member, label }: Half & { readonly part: "label" }): void {
    if (label < 0) throw wrongMember(member, `wanted a label from 0 on, found ${label}`);
    if (this.#classes !== null && label >= this.#classes) {
      throw wrongMember(member, `wanted a label below ${this.#classes}, found ${label}`);
    }
    this.#labels.set(label, (this.#labels.get(label) ?? 0) + 1);
  }

  #reportShardError(error: unknown): void {
    if (error instanceof ShardError) this.report(error);
    else throw error;
  }
}
