// Parsers for single values of the CDK context. A value comes from cdk.json with its JSON type, or
// from `-c name=value` as a string.

/** The parsed value, or what was expected. `got` is set if only a part of the input is invalid. */
export type Parsed<T> = { value: T } | { expected: string; got?: unknown };
export type Parser<T> = (input: unknown) => Parsed<T>;

/** `true` or `false`, or one of these words as a string. */
export const boolean: Parser<boolean> = (input) => {
  const value = typeof input === 'string' ? input.trim() : input;
  if (value === true || value === 'true') return { value: true };
  if (value === false || value === 'false') return { value: false };
  return { expected: 'true or false' };
};

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number): Parser<number> {
  return (input) => {
    const number = toInteger(input);
    if (number !== undefined && number >= min && number <= max) return { value: number };
    return { expected: `a whole number from ${min} to ${max}` };
  };
}

/** One of the given whole numbers. */
export function oneOfNumbers(numbers: readonly number[]): Parser<number> {
  return (input) => {
    const number = toInteger(input);
    if (number !== undefined && numbers.includes(number)) return { value: number };
    return { expected: `one of ${numbers.join(', ')}` };
  };
}

function toInteger(input: unknown): number | undefined {
  if (typeof input === 'number' && Number.isInteger(input)) return input;
  return typeof input === 'string' && /^\d{1,12}$/.test(input.trim()) ? Number(input) : undefined;
}

/** One of the given words. */
export function oneOf<const Word extends string>(...words: Word[]): Parser<Word> {
  return (input) => {
    const value = words.find((word) => typeof input === 'string' && input.trim() === word);
    if (value !== undefined) return { value };
    return { expected: words.join(', ').replace(/, (?=[^,]*$)/, ' or ') };
  };
}

/** A string that matches a pattern; `expected` describes the pattern in error messages. */
export function string(pattern: RegExp, expected: string): Parser<string> {
  return (input) => {
    const value = typeof input === 'string' ? input.trim() : '';
    return pattern.test(value) ? { value } : { expected };
  };
}

/** A list. On the command line it is JSON or comma-separated. */
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

/** An object. On the command line it is JSON. */
export const jsonObject: Parser<Record<string, unknown>> = (input) => {
  const value = typeof input === 'string' ? parseJson(input) : input;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return { expected: 'a JSON object' };
  return { value: value as Record<string, unknown> };
};

/** An object whose values are strings. */
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
