// Finds the known name that is closest to a misspelled name, for "did you mean" suggestions.

/**
 * Returns the known name with the smallest edit distance to `name`. Returns `undefined` if the
 * distance exceeds both 2 and a quarter of the length of `name`.
 */
export function closest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({
      candidate,
      distance: editDistance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(2, name.length / 4) ? best.candidate : undefined;
}

/** Returns ` (did you mean X?)` for the closest known name, or an empty string. */
export function suggestion(name: string, known: readonly string[]): string {
  const candidate = closest(name, known);
  return candidate ? ` (did you mean ${candidate}?)` : '';
}

/** Returns the Levenshtein distance between two strings. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
