// How one value of the context is read. In: what stands in cdk.json, or the text after `-c name=`.
// Out: the value, or what was expected.

export type Read<T> = { value: T } | { expected: string; got?: unknown };
export type Reader<T> = (given: unknown) => Read<T>;

/** `true` or `false`; on the command line both are text. */
export const flag: Reader<boolean> = (given) => {
  const word = typeof given === 'string' ? given.trim() : given;
  if (word === true || word === 'true') return { value: true };
  if (word === false || word === 'false') return { value: false };
  return { expected: 'true or false' };
};

/** A whole number of a range. */
export function whole(least: number, most: number): Reader<number> {
  return (given) => {
    const number = numberOf(given);
    if (number !== undefined && number >= least && number <= most) return { value: number };
    return { expected: `a whole number from ${least} to ${most}` };
  };
}

/** One of these numbers. */
export function at(numbers: readonly number[]): Reader<number> {
  return (given) => {
    const number = numberOf(given);
    if (number !== undefined && numbers.includes(number)) return { value: number };
    return { expected: `one of ${numbers.join(', ')}` };
  };
}

function numberOf(given: unknown): number | undefined {
  if (typeof given === 'number' && Number.isInteger(given)) return given;
  return typeof given === 'string' && /^\d{1,12}$/.test(given.trim()) ? Number(given) : undefined;
}

/** One of these words. */
export function oneOf<const Word extends string>(...words: Word[]): Reader<Word> {
  return (given) => {
    const found = words.find((word) => typeof given === 'string' && given.trim() === word);
    return found === undefined ? { expected: words.join(', ') } : { value: found };
  };
}

/** Text of a form. */
export function text(fits: RegExp, expected: string): Reader<string> {
  return (given) => {
    const trimmed = typeof given === 'string' ? given.trim() : '';
    return fits.test(trimmed) ? { value: trimmed } : { expected };
  };
}

/** A list; on the command line as JSON, or with commas. */
export function list<T>(item: Reader<T>): Reader<T[]> {
  return (given) => {
    const parsed = typeof given === 'string' ? listOf(given) : given;
    const expected = 'a list';
    if (!Array.isArray(parsed)) return { expected };
    const values: T[] = [];
    for (const one of parsed) {
      const result = item(one);
      if (!('value' in result)) return { expected: `${result.expected}, in a list`, got: one };
      values.push(result.value);
    }
    return { value: values };
  };
}

function listOf(given: string): unknown {
  if (given.trim().startsWith('[')) return jsonOf(given);
  return given.split(',').map((one) => one.trim());
}

/** An object; on the command line as JSON. */
export const jsonObject: Reader<Record<string, unknown>> = (given) => {
  const parsed = typeof given === 'string' ? jsonOf(given) : given;
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  if (!isObject) return { expected: 'a JSON object' };
  return { value: parsed as Record<string, unknown> };
};

/** An object of texts. */
export const texts: Reader<Record<string, string>> = (given) => {
  const read = jsonObject(given);
  const expected = 'a JSON object of texts';
  if (!('value' in read)) return { expected };
  const wrong = Object.entries(read.value).find(([, value]) => typeof value !== 'string');
  if (wrong) return { expected, got: { [wrong[0]]: wrong[1] } };
  return { value: read.value as Record<string, string> };
};

function jsonOf(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return undefined;
  }
}
