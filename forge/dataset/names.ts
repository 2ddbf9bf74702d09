/** How shards and samples of a data set are called. */

const DIGITS = 6;
const DRAFT = /^\.shard-\d{6,}\.tar\.partial$/;

/** The name of shard number `index`. */
export function shardName(index: number): string {
  return `shard-${padded(index)}.tar`;
}

/** The name of `shard` while it is written: no reader takes it for one. */
export function draftName(shard: string): string {
  return `.${shard}.partial`;
}

/** Whether `name` is that of a shard being written, or left behind by a run that was killed. */
export function isDraftName(name: string): boolean {
  return DRAFT.test(name);
}

/** The key of sample number `index` of the whole data set. */
export function sampleKey(index: number): string {
  return padded(index);
}

function padded(index: number): string {
  return String(index).padStart(DIGITS, "0");
}
