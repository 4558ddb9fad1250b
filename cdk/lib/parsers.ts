// Parsers for individual values of the CDK context. A value in cdk.json has its JSON type, but a
// value from `-c name=value` is a string.

/**
 * The parsed value, or a description of the expected value. If only a part of the input is invalid,
 * `got` is that part.
 */
export type Parsed<T> = { value: T } | { expected: string; got?: unknown };
export type Parser<T> = (input: unknown) => Parsed<T>;

/** Parses `true` or `false`, as a boolean or as a string. */
export const boolean: Parser<boolean> = (input) => {
  const value = typeof input === 'string' ? input.trim() : input;
  if (value === true || value === 'true') return { value: true };
  if (value === false || value === 'false') return { value: false };
  return { expected: 'true or false' };
};

/** Returns a parser for integers from `min` to `max`, inclusive. */
export function integer(min: number, max: number): Parser<number> {
  return (input) => {
    const number = toInteger(input);
    if (number !== undefined && number >= min && number <= max) return { value: number };
    return { expected: `a whole number from ${min} to ${max}` };
  };
}

/** Returns a parser for one of the given integers. */
export function oneOfNumbers(numbers: readonly number[]): Parser<number> {
  return (input) => {
    const number = toInteger(input);
    if (number !== undefined && numbers.includes(number)) return { value: number };
    return { expected: `one of ${numbers.join(', ')}` };
  };
}

function toInteger(input: unknown): number | undefined {
  if (typeof input === 'number' && Number.isInteger(input)) return input;
  return typeof input === 'string' && /^\d{1,15}$/.test(input.trim()) ? Number(input) : undefined;
}

/** Returns a parser for one of the given strings. */
export function oneOf<const Word extends string>(...words: Word[]): Parser<Word> {
  return (input) => {
    const value = words.find((word) => typeof input === 'string' && input.trim() === word);
    if (value !== undefined) return { value };
    return { expected: words.join(', ').replace(/, (?=[^,]*$)/, ' or ') };
  };
}

/**
 * Returns a parser for strings that match a pattern or a predicate. Error messages contain
 * `expected`, a description of valid strings.
 */
export function string(
  pattern: RegExp | ((value: string) => boolean),
  expected: string,
): Parser<string> {
  const isValid = typeof pattern === 'function' ? pattern : (value: string) => pattern.test(value);
  return (input) => {
    const value = typeof input === 'string' ? input.trim() : '';
    return isValid(value) ? { value } : { expected };
  };
}

/** Returns a parser for arrays. On the command line, an array is JSON or a comma-separated list. */
export function list<T>(parseItem: Parser<T>): Parser<T[]> {
  return (input) => {
    const items = typeof input === 'string' ? splitList(input) : input;
    if (!Array.isArray(items)) return { expected: 'a list' };
    const value: T[] = [];
    for (const item of items) {
      const parsed = parseItem(item);
      if (!('value' in parsed)) {
        return { expected: `a list in which each item is ${parsed.expected}`, got: item };
      }
      value.push(parsed.value);
    }
    return { value };
  };
}

function splitList(input: string): unknown {
  if (input.trim().startsWith('[')) return parseJson(input);
  return input.split(',').map((item) => item.trim());
}

/** Parses an object. On the command line, the object is given as JSON. */
export const jsonObject: Parser<Record<string, unknown>> = (input) => {
  const value = typeof input === 'string' ? parseJson(input) : input;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return { expected: 'a JSON object' };
  return { value: value as Record<string, unknown> };
};

/** Parses a JSON object whose values are strings. */
export const stringMap: Parser<Record<string, string>> = (input) => {
  const parsed = jsonObject(input);
  const expected = 'a JSON object whose values are strings';
  if (!('value' in parsed)) return { expected };
  const invalid = Object.entries(parsed.value).find(([, value]) => typeof value !== 'string');
  if (invalid) return { expected, got: { [invalid[0]]: invalid[1] } };
  return { value: parsed.value as Record<string, string> };
};

function parseJson(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
}
