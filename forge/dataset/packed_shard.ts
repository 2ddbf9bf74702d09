/** The members of a shard made from images that are there: their bytes are copied as they are. */
import { CommandError } from "../../cache/platform/exit.ts";
import { MEMBER_BYTES_MAX } from "../train/tar_members.ts";
import { ImageError, readImageHeader } from "./image_header.ts";
import type { PackedImage, PackJob } from "./jobs.ts";
import type { ShardMember } from "./shard_file.ts";

/**
 * Images with their labels, one after the other; names of images that are left out go to `skipped`.
 *
 * @throws {CommandError} naming an image that cannot be read, or is damaged and not to be left out,
 * and when all of them are damaged.
 */
export function* packedMembers(job: PackJob, skipped: string[]): Generator<ShardMember> {
  const encoder = new TextEncoder();
  for (const image of job.images) {
    const { key, name, label } = image;
    const bytes = read(image);
    const damage = damageOf(bytes);
    if (damage !== null) {
      if (!job.skipDamaged) throw damaged(image, damage);
      skipped.push(name);
      if (skipped.length === job.images.length) throw allDamaged(image, skipped.length - 1);
      continue;
    }
    yield { name: `${key}${extensionOf(name)}`, bytes };
    yield { name: `${key}.cls`, bytes: encoder.encode(String(label)) };
    if (job.withNames) {
      yield { name: `${key}.json`, bytes: encoder.encode(JSON.stringify({ path: name })) };
    }
  }
}

/** Why `bytes` cannot be a sample's image; null when they can. */
function damageOf(bytes: Uint8Array): ImageError | null {
  try {
    if (bytes.length > MEMBER_BYTES_MAX) {
      throw new ImageError(`the image has ${bytes.length} bytes, wanted at most 64 MiB`);
    }
    readImageHeader(bytes);
    return null;
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
}

function read({ path }: PackedImage): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (cause) {
    const hint = "Let this user read it, or move it away";
    throw new CommandError("failed", `Cannot pack "${path}"`, hint, { cause });
  }
}

function damaged({ path }: PackedImage, { message }: ImageError): CommandError {
  const hint = "Mend it or move it away, or leave out such images with --skip-damaged";
  return new CommandError("failed", `Cannot pack "${path}": ${message}`, hint);
}

function allDamaged({ path }: PackedImage, others: number): CommandError {
  const all = others === 0 ? "it is" : "all of them are";
  const more = others === 0 ? "" : ` and ${others} more`;
  const hint = "Mend them or move them away, or put more images into a shard with --samples";
  return new CommandError(
    "failed",
    `Cannot pack "${path}"${more} into a shard: ${all} damaged`,
    hint,
  );
}

/** `.jpg`, `.jpeg` or `.png`: what readers look for is in small letters. */
function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf(".")).toLowerCase();
}
