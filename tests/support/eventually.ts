/** Waiting for what nothing announces. */

const WAIT_MS_MAX = 30_000;
const PAUSE_MS = 25;

/** Asks until `check` gives something else than null or false, and returns that. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | null | false>,
): Promise<T> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (performance.now() < endMs) {
    const found = await check();
    if (found !== null && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error(`Waited ${WAIT_MS_MAX / 1_000} s in vain until ${what}`);
}
