// Generates crates/llm-exe/tests/cases/schemas/patterns.json: regular expressions, whether Node.js
// accepts them, and which texts they match.
//
//   node scripts/oracles/patterns.mjs [number of random patterns] [seed] [output file]
//
// The checked-in file has the default number of patterns. A file with more of them, such as 60,000
// with another seed, is a stronger test. `syntax` of a case is "u" if the pattern is valid with the
// flag u, "legacy" if it is valid only without the flag, and otherwise "invalid". `matches` has a 1 or
// 0 for each of the texts, which are those of the case or else those of the file.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const count = Number(process.argv[2] ?? 700);
const output =
  process.argv[4] ?? join(here, "../../crates/llm-exe/tests/cases/schemas/patterns.json");
let state = Number(process.argv[3] ?? 1);

// xorshift32, so that every version of Node.js writes the same file.
function random(limit) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}
const pick = (list) => list[random(list.length)];

const TEXTS = [
  "", "a", "A", "ab", "aab", "abab", "aaa", "b", "1", "12", "a1", "_", "-", "a-b", "a b", " ", "\n",
  "a\nb", "\r", "\u2028", "\u00a0", "\ufeff", "\u0085", "é", "É", "ß", "日本", "😀", "👍🏽", "Ω", "ω",
  "ς", "x", "$", "a$b", "[", "]", "{", "}", "\\", "/", "^", "&&", "a&b", "~", "0", "\u0000", "\b", ".",
  "x-1", "user@example.com", "2024-02-29", "2024-13-01", "1.2.3", "#aabbcc", "+1 555 0100",
  "550e8400-e29b-41d4-a716-446655440000", "Straße", "foo.bar", "12.50", "-7", "١", "K", "ſ", "k", "s",
];

// Patterns as schemas contain them, and edge cases of the syntax.
const PATTERNS = [
  "", "^$", "^", "$", "a", "^x-", "^a", "a$", "^a$", "^ab$", "b", "^[a-z]+$", "^[a-z]{2,3}$", "^[^a]*$",
  "^\\d+$", "^\\d{4}-\\d{2}-\\d{2}$", "^(?:\\d{4})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])$",
  "^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}$", "^\\S+@\\S+\\.\\S+$", "^\\S*$", "^[\\w.]+$",
  "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$",
  "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$",
  "^#(?:[0-9a-f]{3}){1,2}$", "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$", "^-?\\d+(\\.\\d+)?$",
  "^(?!0+$)[+-]?\\d*(?:\\.\\d{0,2})?$", "^(\\p{Extended_Pictographic}|\\p{Emoji_Component})+$",
  "^\\p{L}+$", "^\\p{Lu}", "\\P{L}", "^[\\p{L}\\p{N}_-]+$", "^\\p{Script=Greek}$", "^\\p{sc=Han}+$",
  "^\\p{scx=Hira}", "\\p{Letter}", "\\p{gc=Nd}", "\\p{General_Category=Decimal_Number}", "^\\p{ASCII}+$",
  "\\p{Any}", "\\p{Assigned}", "\\p{Alphabetic}", "\\p{Alpha}", "\\p{White_Space}", "\\p{Emoji}",
  "\\p{RI}", "\\p{digit}", "\\p{letter}", "\\p{Greek}", "\\p{IsGreek}", "\\p{Script=greek}", "\\p{}",
  "\\p{Lx}", "\\p", "\\pL", "\\p{L", "\\p{gc=}", "\\p{=L}", "\\p{Age=3.2}", "\\p{Block=Basic_Latin}",
  "^(?<year>\\d{4})-\\k<year>$", "(?<a>.)\\k<a>", "\\k<a>(?<a>b)", "\\k<b>(?<a>b)", "\\k", "(?<a>a)(?<a>b)",
  "(?<1a>a)", "(?<a", "(?<>a)", "^(a)\\1$", "^(?:(a)|b)\\1$", "\\1(a)", "(a\\1)", "\\2(a)", "\\1", "\\01", "\\0",
  "\\00", "\\8", "(?:(a)|(b))+\\1", "^(?:(a)|(b))*\\1$", "^(a*)*$", "^(a*)+$", "^(?:a?)*?b$", "^(|a)+$",
  "(a+)+b", "(?=a)a", "(?!a).", "(?<=a)b", "(?<!a)b", "(?<=^a*)b", "(?<=(a)\\1)b", "(?<=\\1(a))b",
  "(?<=([ab]+)([bc]+))$", "(?=(a+))a*b\\1", "(?=(a+)).*\\1", "(?!(a))\\1b", "(?=a)*", "(?=a)+", "(?<=a)?",
  "^*", "$+", "\\b+", "*", "+a", "?", "a**", "a+?", "a*?b", "a??b", "a+*", "a{2}{3}", "a{,3}", "a{", "a{1", "a{1,",
  "a{1,2", "{", "}", "]", "a{2,1}", "a{0}", "a{0,0}b", "a{99999999999999999999}", "a{0,99999999999999999999}",
  "x{2,3}?", "()", "(", ")", "(?", "(?:", "(?:a", "(?a)", "(?i", "(?P<n>a)", "(?>a)", "(?#a)", "a|", "|a", "||",
  "[", "[]", "[^]", "[]a]", "[^]a]", "[a", "[a-", "[a-]", "[-a]", "[a-b-c]", "[b-a]", "[\\w-a]", "[a-\\w]", "[\\w-]",
  "[\\d-\\w]", "[\\b]", "[\\B]", "[^\\n]", "[\\s\\S]", "[\\w\\W]", "[a&&b]", "[a--b]", "[a~~b]", "[[a]]", "[[:alpha:]]",
  "[^a-z]", "[\\]]", "[\\\\]", "[/]", "[.]", "[$^]", "[\\x41-\\x5a]", "[\\u0041-\\u005a]", "[\\u{1f600}-\\u{1f64f}]",
  "[😀-🙏]", "[\\cA-\\cZ]", "[\\0]", "[\\1]", "[\\k]", "[\\p{L}-z]", "[^\\P{L}]", "[\\W]", "[^\\W]", "[\\D\\d]",
  "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\b", "\\B", "\\ba\\b", ".", "^.$", "^..$", "\\t", "\\n", "\\v", "\\f",
  "\\r", "\\cJ", "\\cj", "\\c", "\\c1", "\\x41", "\\x4", "\\xg1", "\\u0041", "\\u{41}", "\\u{000041}", "\\u{110000}",
  "\\u{}", "\\u", "\\u{4g}", "\\ud83d\\ude00", "\\/", "\\-", "\\.", "\\$", "\\^", "\\_", "\\@", "\\ ", "\\é",
  "\\a", "\\e", "\\z", "\\Z", "\\A", "\\h", "\\Q", "\\", "\\i", "a\\", "/", "&&", "~", "-", "#", " ", "é", "日", "😀",
  "^😀$", "^.{1,3}$", "^[^\\x00-\\x7F]+$", "^[\\x20-\\x7E]+$", "^(?:a|b|ab)*$", "^(?:(?:a{1,2}){1,2}b?){1,3}$",
  "^[a-z]{1,100000}$", "^(?:[a-z]{1,3}-?){2,}$", "^.{0,65535}$", "a.{2}b", "[ab]{2}1{0,3}$", "^(?:ab?){2,4}$",
];

const ATOMS = [
  "a", "b", "a", "b", "1", "_", "-", "A", ".", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "é", "😀", "\\n",
  "[ab]", "[^ab]", "[a-c1]", "[\\w-]", "[^\\s]", "\\p{L}", "\\P{Lu}", "\\p{Emoji}", "[^\\d\\p{Ll}]", "\\u0061",
];
const ASSERTIONS = ["^", "$", "\\b", "\\B"];
const QUANTIFIERS = ["*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}", "{0}", "{1,3}", "*?", "+?", "??", "{1,2}?", "{0,}?"];

function sequence(depth, groups) {
  let text = "";
  for (let parts = 1 + random(3); parts > 0; parts--) text += part(depth, groups);
  return text;
}

function part(depth, groups) {
  const kind = random(20);
  if (kind === 0) return pick(ASSERTIONS);
  if (kind === 1 && groups.needBacktracking) return `\\${1 + random(groups.count + 1)}`;
  if (kind <= 3 && groups.needBacktracking && depth > 0) {
    return `(?${pick(["=", "!", "<=", "<!"])}${alternatives(depth - 1, groups)})`;
  }
  let text;
  if (kind <= 9 && depth > 0) {
    const captures = random(2) === 0;
    if (captures) groups.count++;
    text = `(${captures ? "" : "?:"}${alternatives(depth - 1, groups)})`;
  } else {
    text = pick(ATOMS);
  }
  return random(3) === 0 ? text + pick(QUANTIFIERS) : text;
}

function alternatives(depth, groups) {
  let text = sequence(depth, groups);
  while (random(4) === 0) text += `|${random(6) === 0 ? "" : sequence(depth, groups)}`;
  return text;
}

function randomPattern() {
  const groups = { count: 0, needBacktracking: random(2) === 0 };
  let text = alternatives(3, groups);
  if (random(3) === 0) text = `^${text}`;
  if (random(3) === 0) text = `${text}$`;
  if (random(8) === 0) {
    const at = random(text.length + 1);
    text = text.slice(0, at) + pick(["(", ")", "[", "]", "{", "}", "\\", "*", "?", "^"]) + text.slice(at);
  }
  // After a back-reference, V8 does not match a character that is two surrogates.
  if (groups.needBacktracking) text = text.replaceAll("😀", "日");
  return text.isWellFormed() ? text : "a";
}

function randomText() {
  let text = "";
  for (let length = random(7); length > 0; length--) {
    text += pick(["a", "b", "a", "b", "1", "_", "-", "A", " ", "\n", "é", "😀", "c"]);
  }
  return text;
}

function compile(pattern, flags) {
  try {
    return new RegExp(pattern, flags);
  } catch {
    return undefined;
  }
}

function describe(pattern, texts) {
  const regex = compile(pattern, "u");
  const syntax = regex ? "u" : compile(pattern, "") ? "legacy" : "invalid";
  const result = { pattern, syntax };
  if (texts !== TEXTS && regex) result.texts = texts;
  const sticky = regex && new RegExp(pattern, "uy");
  if (regex) result.matches = texts.map((text) => Number(contains(sticky, text))).join("");
  return result;
}

// Without the flag y, V8 also finds empty matches between the surrogates of one character.
function contains(sticky, text) {
  let at = 0;
  for (const c of [...text, ""]) {
    sticky.lastIndex = at;
    if (sticky.test(text)) return true;
    at += c.length;
  }
  return false;
}

const cases = PATTERNS.map((pattern) => describe(pattern, TEXTS));
for (let index = 0; index < count; index++) {
  const texts = Array.from({ length: 12 }, randomText);
  cases.push(describe(randomPattern(), texts));
}
const lines = cases.map((entry) => `  ${JSON.stringify(entry)}`).join(",\n");
writeFileSync(output, `{ "texts": ${JSON.stringify(TEXTS)}, "cases": [\n${lines}\n] }\n`);
console.error(`Node.js ${process.version}, Unicode ${process.versions.unicode}: ${cases.length}`);
