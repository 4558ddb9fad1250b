// The known name that somebody most likely meant. In: a name and the known ones. Out: one of them,
// or nothing.
// @ts-check

/**
 * @param {string} name
 * @param {readonly string[]} known
 * @returns {string | undefined}
 */
export function nearest(name, known) {
  const near = known
    .map((one) => ({ one, far: distance(name.toLowerCase(), one.toLowerCase()) }))
    .sort((first, second) => first.far - second.far)[0];
  return near && near.far <= Math.max(2, name.length / 4) ? near.one : undefined;
}

/**
 * Levenshtein's.
 * @param {string} first
 * @param {string} second
 */
function distance(first, second) {
  let row = Array.from({ length: second.length + 1 }, (_, index) => index);
  for (let i = 1; i <= first.length; i++) {
    const next = [i];
    for (let j = 1; j <= second.length; j++) {
      const swap = (row[j - 1] ?? 0) + (first[i - 1] === second[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[second.length] ?? 0;
}
