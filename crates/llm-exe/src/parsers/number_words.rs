//! Words and signs around a number that change its value, such as `million` and `minus`.
//!
//! [`read_context`] reads the ones with an exact meaning and rejects the others. Ordinary words,
//! such as units and currencies, do not change the value. Words are compared in lower case.

use super::js_text::{
    self, CharTest, clause_before, is_space, is_word_char, last_chars, last_words,
};
use crate::word_list::{contains_phrase, contains_word};

/// How the words around a number change its value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Context {
    /// Whether `minus` or `negative` precedes the number, or a minus sign its currency sign.
    pub(super) negative: bool,
    /// The power of ten of the scale words that follow the number.
    pub(super) exponent: usize,
}

/// The scale words that are read, with their powers of ten.
const SCALES: &[(&str, usize)] =
    &[("hundred", 2), ("thousand", 3), ("million", 6), ("billion", 9), ("trillion", 12)];

/// Scale words, their abbreviations, and words for parts that are rejected after a number: they
/// have several meanings, belong to another language, or are not exact.
const REJECTED_AFTER: &str = "\
    hundreds thousands millions billions trillions quadrillion quintillion sextillion septillion \
    octillion nonillion decillion googol zillion gazillion milliard milliards billiard billiards \
    trilliard myriad myriads dozen dozens gross lakh lakhs lac lacs crore crores tens score \
    scores divided multiplied squared cubed factorial doubled tripled halved grand mega giga \
    tera x pi tau k mil mill mio mln mn mrd mld bil bn bln tn trn tln b cr thsd tsd hundert \
    tausend millionen milliarde milliarden billionen dutzend mille millier milliers billón \
    billones millón millones millardo millardos docena docenas douzaine cien ciento milhão \
    milhões bilhão bilhões trilhão trilhões dúzia dúzias mila milione milioni miliardo miliardi \
    dozzina honderd duizend miljoen miljard biljoen tysiąc tysiące tysięcy milion miliony \
    milionów miliard miliardy miliardów tysíc tisíc tusen miljon miljoner miljarder millioner \
    milliarder bin milyon milyar ribu juta miliar triliun nghìn ngàn triệu tỷ тысяча тысячи \
    тысяч тыс миллион миллиона миллионов млн миллиард миллиарда миллиардов млрд трлн мільйон \
    мільйонів мільярд χιλιάδες εκατομμύρια δισεκατομμύρια ألف آلاف مليون ملايين مليار אלף מיליון \
    מיליארד लाख करोड करोड़ हज़ार हजार ล้าน พัน หมื่น แสน";

/// Abbreviations that are rejected in upper case only, because `m` and `t` are common units.
const REJECTED_CAPITALS: &str = "M MM T G";

/// Abbreviations that are units, except after an amount of money.
const REJECTED_AFTER_MONEY: &str = "m mm t g l tr";

/// Large scales of scripts without spaces between words, which follow a number after at most
/// [`MAX_COUNTER_CHARS`] other characters.
const REJECTED_LARGE_SCALES: &[char] = &['万', '萬', '億', '亿', '兆', '만', '억'];

/// Maximum number of characters between a number and a large scale, as in `5个百万`.
const MAX_COUNTER_CHARS: usize = 3;

/// Scales of scripts without spaces between words, which directly follow a number.
const REJECTED_PREFIXES: &str = "十 百 千 万 萬 億 亿 兆 割 折 半 십 백 천 만 억 조 ล้าน พัน หมื่น แสน";

/// Scale words that are rejected anywhere in the reply, as in "(in dozens)". Those of [`SCALES`]
/// are, too.
const REJECTED_ANYWHERE: &str = "\
    hundreds thousands millions billions trillions dozen dozens lakh lakhs crore crores \
    hexadecimal octal thousandths millionths billionths trillionths";

/// Words for parts and multiples.
const FRACTIONS: &str = "\
    trillionth trillionths medio media demi demie halb mezzo mezza meio meia halv pół \
    half halves third thirds quarter quarters fourth fourths fifth fifths sixth sixths seventh \
    sevenths eighth eighths ninth ninths tenth tenths hundredth hundredths thousandth \
    thousandths millionth millionths billionth billionths";

const NUMBER_WORDS: &str = "\
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen \
    fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty \
    ninety";

/// Words that connect a number with a part, directly or after a unit.
const PART_CONNECTORS: &str = "and plus minus y et und e i og";

/// Words that directly after a number connect it with a number in words.
const NUMBER_CONNECTORS: &str = "and or to point dot plus minus times over by in of out per for";

/// Words between a connector and a number, as in "one in every 5".
const DETERMINERS: &str = "every each";

/// Maximum number of words between two numbers that they connect.
const MAX_CONNECTORS: usize = 3;

/// Words before a number that are rejected because they change its value.
const REJECTED_BEFORE: &str = "\
    not never except half twice thrice double triple quadruple root sqrt log ln lg sin cos tan \
    exp times factorial hex octal binary tenfold moins menos meno eksi \
    âm минус мінус μείον";

/// Words and signs before a number that are rejected if the text before the number ends with them.
const REJECTED_SUFFIXES: &str = "负 負 零下 マイナス 마이너스 영하 ลบ − √ ∛ ∜ ± ∓ ≠ ^ × ÷ / -|";

/// Words between a part and the number that it refers to, as in "half of 10".
const PREPOSITIONS: &str = "of past to the a";

/// Words that with a preposition change the value of a number, as in "the root of 9".
const FUNCTIONS: &str = "root square cube dozen double triple twice multiple multiples reciprocal \
                         inverse factorial logarithm sine cosine";

/// Phrases that change the value of a number anywhere in a reply.
const REJECTED_PHRASES: &str = "\
    in hex|in binary|below zero|under zero|below freezing|to the power|anything but";

/// Maximum length in bytes of a word that is an abbreviation only on the line of its number.
const MAX_ABBREVIATION: usize = 4;

/// Maximum length in bytes of an HTML tag before a number.
const MAX_TAG: usize = 100;

/// Maximum number of words after a number that are searched for "and a half".
const MAX_WORDS_AFTER: usize = 5;

/// Reads the words around the number at `text[start..end]`. Returns `None` if one of them changes
/// the value in a way that is not exact or not known.
pub(super) fn read_context(text: &str, start: usize, end: usize) -> Option<Context> {
    let before = skip_markup_before(text.get(..start).unwrap_or_default());
    let after = text.get(end..).unwrap_or_default();
    if is_operand(before, after) {
        return None;
    }
    let after = skip_markup_after(after)?;
    let lower = text.to_lowercase();
    if contains_phrase(&lower, REJECTED_PHRASES)
        || has_other_number(before, after)
        || is_denied(before)
        || has_scaled_currency(before)
    {
        return None;
    }
    let signed = text.get(start..end).is_some_and(|number| number.starts_with(['+', '-', '−']));
    let negative = read_sign(before, signed)?;
    let is_money = before.trim_end_matches(is_space).ends_with(is_currency);
    let (exponent, scale_words) = read_scale(after, is_money)?;
    // "5 (five) million" and "minus about 5"
    let words = || lower.split(|c| !is_letter(c));
    let scales = std::iter::once("").chain(words()).zip(words()).filter(|(before, word)| {
        // "5 per thousand" is a unit.
        scale(word).is_some() && *before != "per"
    });
    let has_other_scale =
        scales.count() > scale_words || words().any(|word| contains_word(REJECTED_ANYWHERE, word));
    let has_other_minus = words().filter(|word| *word == "minus").count() > usize::from(negative);
    if has_other_scale || has_other_minus || is_called_negative(before, after, negative) {
        return None;
    }
    Some(Context { negative, exponent })
}

/// Maximum number of characters before a number that are searched for other numbers.
const MAX_CLAUSE_CHARS: usize = 300;

/// Returns whether the clause of a number contains another number in words, as in "1 in five",
/// "five to 10" and "5 - ten". `one`, which is also a pronoun, and `zero`, as in "5 degrees above
/// zero", count only if a dash joins them.
fn has_other_number(before: &str, after: &str) -> bool {
    let is_end: CharTest = |c| "\n\r;:!?()".contains(c);
    let before = last_chars(before, MAX_CLAUSE_CHARS);
    let before = before.rsplit(is_end).next().unwrap_or_default();
    let before = before.rfind(". ").and_then(|at| before.get(at + 1..)).unwrap_or(before);
    let after = after.split(is_end).next().unwrap_or_default();
    let after = after.find(". ").and_then(|at| after.get(..at)).unwrap_or(after);
    let is_dash: CharTest = |c| is_space(c) || "-–—‒~….".contains(c);
    let is_other: CharTest = |c| !is_letter(c);
    let previous = before.trim_end_matches(is_dash);
    let next = after.trim_start_matches(is_dash);
    let last_word = previous.rsplit(is_other).next().unwrap_or_default();
    let first_word = next.split(is_other).next().unwrap_or_default();
    if is_joined(before.len() - previous.len(), last_word)
        || is_joined(after.len() - next.len(), first_word)
    {
        return true;
    }
    let before = before.rfind(" - ").and_then(|at| before.get(at..)).unwrap_or(before);
    let after = after.find(" - ").and_then(|at| after.get(..at)).unwrap_or(after);
    [before, after].into_iter().any(|text| {
        text.split(is_other).any(|word| {
            let word = word.to_lowercase();
            !matches!(&*word, "one" | "zero") && contains_word(NUMBER_WORDS, &word)
        })
    })
}

/// Returns whether a word is a number that the bytes of dashes and spaces join to another number.
fn is_joined(dash: usize, word: &str) -> bool {
    let word = word.to_lowercase();
    contains_word(NUMBER_WORDS, &word) && (word != "one" || dash == 1)
}

/// Words around a number that make a negation before it a bound, as in "not more than 5".
const BOUNDS: &str = "more less fewer greater higher lower larger smaller over under above below \
                      exceed exceeds least most than before after until but";

/// Returns whether one of the last words before a number negates it, as in "not quite 5".
fn is_denied(before: &str) -> bool {
    let words = last_words(clause_before(before), 3);
    let is_denial = |word: &String| {
        contains_word("not never cannot nicht pas", word) || js_text::ends_with_not(word)
    };
    let bound = words.iter().position(|word| contains_word(BOUNDS, word));
    bound.is_none() && words.iter().any(is_denial)
}

/// Returns whether the text before a number names a currency with an abbreviated scale, as in
/// "EUR bn: 5" and "$k 5".
fn has_scaled_currency(before: &str) -> bool {
    let label = before.trim_end_matches(|c| is_separator(c) || ":=)".contains(c));
    let Some((word, rest, _)) = previous_word(label) else { return false };
    let lower = word.to_lowercase();
    let is_scale =
        contains_word(REJECTED_AFTER, &lower) || contains_word(REJECTED_AFTER_MONEY, &lower);
    let is_code = previous_word(rest).is_some_and(|(word, ..)| is_currency_code(word));
    is_scale && (is_code || rest.trim_end().ends_with(is_currency))
}

fn is_currency_code(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// TeX commands that contain a number or follow it without changing its value.
const NEUTRAL_COMMANDS: &str = "boxed fbox text textbf textit textrm textsf mathrm mathbf mathit \
                                mathsf emph underline operatorname displaystyle left right big Big \
                                quad qquad degree circ percent end n t r";

/// Returns whether a number is a part of a formula, as in `2^n`, `2**n`, `5 + x`, `n * 5` and
/// `\sqrt{5}`.
fn is_operand(before: &str, after: &str) -> bool {
    // Marks of emphasis around the number are not operators.
    let marks = before.len() - before.trim_end_matches('*').len();
    let closing = after.len() - after.trim_start_matches('*').len();
    let after = after.get(marks.min(closing)..).unwrap_or_default().trim_start_matches('}');
    has_operator_after(after) || has_operator_before(before)
}

fn has_operator_after(after: &str) -> bool {
    let spaced = after.trim_start_matches(is_blank);
    let Some(operator) = spaced.chars().next() else { return false };
    let right = spaced.trim_start_matches(operator);
    let next = right.trim_start_matches(is_blank);
    let (is_spaced, is_tight) = (spaced.len() < after.len(), next.len() == right.len());
    let word = next.get(..word_len(next)).unwrap_or_default();
    match operator {
        '^' => !"\\circ {\\circ °".split(' ').any(|degree| next.starts_with(degree)),
        // "5*x" and "5 * x", but not "5 *note*" and "5+ years"
        '*' | '+' => !word.is_empty() && is_spaced != is_tight,
        '×' | '÷' | '±' => !word.is_empty(),
        '·' | '⋅' | '/' | '-' | '−' => is_variable(word),
        _ => false,
    }
}

fn has_operator_before(before: &str) -> bool {
    if let Some(command) = before.trim_end().strip_suffix('{') {
        let rest = command.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let name = command.get(rest.len()..).unwrap_or_default();
        let is_command = rest.ends_with('\\') && !contains_word(NEUTRAL_COMMANDS, name);
        return is_command || command.ends_with(['^', '_', '}']);
    }
    let line = before.rsplit(['\n', '\r']).next().unwrap_or_default().trim_end();
    let Some(left) = line.strip_suffix(['*', '+']) else { return false };
    let left = left.trim_end_matches('*').trim_end();
    is_variable(left.rsplit(|c| !is_word_char(c)).next().unwrap_or_default())
}

fn is_blank(c: char) -> bool {
    is_space(c) && c != '\n' && c != '\r'
}

fn word_len(text: &str) -> usize {
    text.find(|c| !is_word_char(c)).unwrap_or(text.len())
}

/// Returns whether a word is a usual variable of a formula.
fn is_variable(word: &str) -> bool {
    matches!(word, "n" | "x" | "N" | "X" | "π")
}

/// Returns whether the text calls a number negative in another form than "negative 5", such as
/// "negative: 5" or "5 (negative)".
fn is_called_negative(before: &str, after: &str, negative: bool) -> bool {
    let label = before.trim_end_matches(|c| is_separator(c) || ":=".contains(c));
    let has_label = !negative && previous_word(label).is_some_and(|(word, ..)| is_negative(word));
    let note = after.trim_start_matches(is_space).strip_prefix('(');
    let has_note = note.and_then(next_word).is_some_and(|(word, ..)| is_negative(word));
    has_label || has_note
}

fn is_negative(word: &str) -> bool {
    word.eq_ignore_ascii_case("negative")
}

/// Reads the sign before a number. Returns `None` if the text before the number changes its value
/// in another way.
fn read_sign(before: &str, signed: bool) -> Option<bool> {
    let trimmed = before.trim_end();
    if REJECTED_SUFFIXES.split(' ').any(|suffix| trimmed.ends_with(suffix)) {
        return None;
    }
    // "The balance: - 5". At the start of a line, the hyphen marks a list item.
    let line = before.rsplit(['\n', '\r']).next().unwrap_or_default();
    let spaced = line.trim_end_matches(is_space);
    let item = spaced.trim_end_matches(['-', '−']);
    let has_spaced_sign = spaced.len() < line.len() && item.len() < spaced.len();
    if !signed && has_spaced_sign && !item.trim_start().is_empty() {
        return None;
    }
    // "-(5)"
    if ["-(", "−("].iter().any(|sign| trimmed.ends_with(sign)) {
        return None;
    }
    let unpriced = before.trim_end_matches(is_currency);
    if unpriced.len() < before.len() && unpriced.ends_with(['-', '−', '–', '—', '‒']) {
        // The sign of "-$5" is a minus, but "US-$5" has a hyphen, and a dash is not clear.
        return if ends_with_hyphen(unpriced) {
            Some(false)
        } else {
            (unpriced.ends_with(['-', '−']) && !signed).then_some(true)
        };
    }
    let Some((word, rest, separator)) = previous_word(before) else {
        return Some(false);
    };
    let lower = word.to_lowercase();
    if matches!(&*lower, "minus" | "negative") {
        let is_value = previous_word(rest).is_some_and(|(word, ..)| {
            let lower = word.to_lowercase();
            is_number_word(&lower) || word.chars().count() == 1 || &*lower == "minus"
        });
        let is_direct = !separator.contains(['-', '−', '(', '\n', '\r']);
        return (!signed && !is_value && is_direct).then_some(true);
    }
    if separator.contains(['\n', '\r']) {
        return Some(false);
    }
    // "-USD 5"
    let is_code = word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_signed_code = is_code && rest.ends_with(['-', '−']) && !ends_with_hyphen(rest);
    let is_rejected = contains_word(REJECTED_BEFORE, &lower)
        || is_number_word(&lower)
        || ends_with_not(&lower)
        || is_part_before(&lower, rest)
        || is_signed_code;
    if is_rejected {
        return None;
    }
    // "one hundred and 5" and "one out of every 5"
    (!follows_number_word(&lower, rest)).then_some(false)
}

/// Returns whether a number in words precedes the connectors before a number, of which `word` is
/// the last one.
fn follows_number_word(word: &str, rest: &str) -> bool {
    let (mut word, mut rest) = (word.to_owned(), rest);
    for _ in 0..MAX_CONNECTORS {
        if !contains_word(NUMBER_CONNECTORS, &word) && !contains_word(DETERMINERS, &word) {
            return false;
        }
        let Some((next, before, _)) = previous_word(rest) else { return false };
        (word, rest) = (next.to_lowercase(), before);
        if is_number_word(&word) {
            return true;
        }
    }
    false
}

/// Returns whether a text ends with a hyphen that belongs to a word, as in `US-`.
fn ends_with_hyphen(text: &str) -> bool {
    let word = text.trim_end_matches(['-', '−', '–', '—', '‒']);
    word.len() < text.len() && word.ends_with(char::is_alphanumeric)
}

/// Returns whether a word is a contraction of `not`, such as "isn't".
fn ends_with_not(word: &str) -> bool {
    word.ends_with("n't") || word.ends_with("n’t")
}

/// Returns whether the words before a preposition are a part or a root, as in "half of 10".
fn is_part_before(word: &str, rest: &str) -> bool {
    let (mut word, mut rest) = (word.to_owned(), rest);
    for _ in 0..2 {
        if !contains_word(PREPOSITIONS, &word) {
            return false;
        }
        let Some((next, before, _)) = previous_word(rest) else {
            return false;
        };
        (word, rest) = (next.to_lowercase(), before);
        if contains_word(FRACTIONS, &word) || contains_word(FUNCTIONS, &word) {
            return true;
        }
    }
    false
}

/// Reads the scale words after a number as a power of ten. Also returns their number. Returns
/// `None` if the text after the number changes its value in another way.
fn read_scale(after: &str, is_money: bool) -> Option<(usize, usize)> {
    let direct = after.trim_start();
    let mut counter = direct.chars().take_while(|c| is_word_char(*c)).take(MAX_COUNTER_CHARS + 1);
    if REJECTED_PREFIXES.split(' ').any(|prefix| direct.starts_with(prefix))
        || counter.any(|c| REJECTED_LARGE_SCALES.contains(&c))
    {
        return None;
    }
    let (mut exponent, mut count) = (0, 0);
    let mut rest = after;
    while let Some((word, next, separator)) = next_word(rest) {
        let Some(scale) = scale(&word.to_lowercase()) else {
            break;
        };
        let is_direct = !separator.contains(['\n', '\r', '(']);
        // "5 hundred million" has one meaning, but "5 million hundred" does not.
        let is_ordered = exponent == 0 || (exponent == 2 && scale > 2);
        if !is_direct || !is_ordered {
            return None;
        }
        exponent += scale;
        count += 1;
        rest = next;
    }
    if exponent > 0 {
        // "2 million, five hundred thousand"
        rest = rest.trim_start_matches(',');
    }
    (!has_rejected_word(rest, is_money) && !has_part(rest)).then_some((exponent, count))
}

/// Returns whether the next word changes the value of the number before it.
fn has_rejected_word(after: &str, is_money: bool) -> bool {
    let Some((word, rest, separator)) = next_word(after) else {
        return false;
    };
    // "5 EUR bn"
    if !is_money && is_currency_code(word) && has_rejected_word(rest, true) {
        return true;
    }
    let lower = word.to_lowercase();
    let is_one_of = |words: &str| contains_word(words, &lower);
    let is_in_line = !separator.contains(['\n', '\r']);
    if is_one_of(REJECTED_AFTER) && (is_in_line || word.len() > MAX_ABBREVIATION) {
        return true;
    }
    // "5 (five)" and "5 - one of the best" repeat or explain the number.
    let is_loose = ["(", " -", "- "].iter().any(|text| separator.contains(text));
    (is_in_line && separator.chars().all(is_space) && is_one_of(NUMBER_WORDS))
        || (is_in_line
            && !is_loose
            && (is_one_of(FRACTIONS)
                || contains_word(REJECTED_CAPITALS, word)
                || (is_money && contains_word(REJECTED_AFTER_MONEY, &lower))))
}

/// Returns whether the words after a number add a part or a number in words to it, as in "5 years
/// and a half" and "2 point five".
fn has_part(after: &str) -> bool {
    let mut rest = after.split(|c| ".,;:!?()\n\r".contains(c)).next().unwrap_or_default();
    let (mut adds_part, mut adds_number, mut is_power) = (false, false, false);
    let mut previous = String::new();
    for index in 0..MAX_WORDS_AFTER {
        let Some((word, next, _)) = next_word(rest) else {
            return false;
        };
        let lower = word.to_lowercase();
        let lower = &*lower;
        // "5 per thousand" is a unit.
        let is_number = is_number_word(lower) && previous != "per";
        let is_part = contains_word(FRACTIONS, lower);
        if (adds_part && is_part)
            || (is_power && (is_part || is_variable(lower)))
            || (adds_number && (is_number || is_variable(lower)))
        {
            return true;
        }
        let continues = matches!(lower, "a" | "an" | "ein" | "une") || is_number;
        adds_part = contains_word(PART_CONNECTORS, lower) || (adds_part && continues);
        // "5 to the fourth"
        is_power = lower == "the" && previous == "to";
        let connects = contains_word(NUMBER_CONNECTORS, lower);
        adds_number = (index == 0 && connects)
            || (adds_number && (connects || contains_word(DETERMINERS, lower)));
        previous = lower.to_owned();
        rest = next;
    }
    false
}

/// Skips closing HTML tags, non-breaking spaces and TeX commands after a number. Returns `None` if
/// a command changes its value.
fn skip_markup_after(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        let spaced = rest.trim_start_matches(is_space);
        let skipped = match spaced.strip_prefix('\\') {
            Some(command) => {
                let rest = command.trim_start_matches(|c: char| c.is_ascii_alphabetic());
                let name = command.get(..command.len() - rest.len())?;
                // "5 \\times x"
                if !name.is_empty() && !contains_word(NEUTRAL_COMMANDS, name) {
                    return None;
                }
                Some(rest.strip_prefix(['{', ',', ';', ':', ' ']).unwrap_or(rest))
            }
            None => spaced.strip_prefix("&nbsp;").or_else(|| {
                spaced.strip_prefix("</").and_then(|tag| tag.split_once('>')).map(|(_, rest)| rest)
            }),
        };
        match skipped {
            Some(skipped) => rest = skipped,
            None => return Some(rest),
        }
    }
}

/// Skips opening HTML tags and non-breaking spaces between a word and the number after it.
fn skip_markup_before(text: &str) -> &str {
    let mut rest = text;
    loop {
        let spaced = rest.trim_end_matches(is_space);
        let skipped = spaced.strip_suffix("&nbsp;").or_else(|| {
            let (before, tag) = spaced.strip_suffix('>')?.rsplit_once('<')?;
            let is_tag = tag.starts_with(|c: char| c.is_ascii_alphabetic()) && tag.len() < MAX_TAG;
            is_tag.then_some(before)
        });
        match skipped {
            Some(skipped) => rest = skipped,
            None => return rest,
        }
    }
}

fn scale(word: &str) -> Option<usize> {
    SCALES.iter().find(|(name, _)| *name == word).map(|(_, exponent)| *exponent)
}

fn is_number_word(word: &str) -> bool {
    contains_word(NUMBER_WORDS, word) || scale(word).is_some()
}

/// Returns whether a character is a currency sign.
fn is_currency(c: char) -> bool {
    "$€£¥₹₽₩₪₫₴₺₦₱฿¢".contains(c)
}

/// Returns whether a character can be between a number and a word that belongs to it: white space,
/// a hyphen, a quote or emphasis.
fn is_separator(c: char) -> bool {
    is_space(c) || is_currency(c) || "*`_~\"'“”‘’-−(".contains(c)
}

/// Returns the first word of a text, the text after it and the separator before it. Returns `None`
/// if another character precedes the first letter.
fn next_word(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find(|c| !is_separator(c))?;
    let (separator, rest) = text.split_at_checked(start)?;
    let len = rest.find(|c| !is_letter(c)).unwrap_or(rest.len());
    let (word, rest) = rest.split_at_checked(len)?;
    (!word.is_empty()).then_some((word, rest, separator))
}

/// Returns the last word of a text, the text before it and the separator after it. Returns `None`
/// if another character follows the last letter.
fn previous_word(text: &str) -> Option<(&str, &str, &str)> {
    let rest = text.trim_end_matches(is_separator);
    let separator = text.get(rest.len()..)?;
    let before = rest.trim_end_matches(|c| is_letter(c) || "'’".contains(c));
    let word = rest.get(before.len()..)?.trim_start_matches(['\'', '’']);
    (!word.is_empty()).then_some((word, before, separator))
}

fn is_letter(c: char) -> bool {
    is_word_char(c) && !c.is_numeric()
}
