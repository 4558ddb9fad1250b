//! Sets of characters: classes such as `[a-z]`, and Unicode properties such as `\p{Letter}`.

use icu_properties::props::{
    BinaryProperty, Dash, Emoji, EmojiComponent, EmojiModifier, EmojiModifierBase,
    EmojiPresentation, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup, HexDigit,
    IdContinue, IdStart, Ideographic, Math, RegionalIndicator, Script, VariationSelector,
};
use icu_properties::script::{ScriptWithExtensions, ScriptWithExtensionsBorrowed};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, PropertyParser,
};

/// The range of all code points.
pub(super) const ALL: (u32, u32) = (0, 0x10_ffff);
/// `\d`.
pub(super) const DIGITS: &[(u32, u32)] = &[(0x30, 0x39)];
/// `\w`.
pub(super) const WORD: &[(u32, u32)] = &[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];
/// `\s`: the code points that ECMA-262 calls WhiteSpace and LineTerminator.
pub(super) const SPACE: &[(u32, u32)] = &[
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];
/// The line terminators of ECMA-262, which `.` does not match.
pub(super) const LINE_ENDS: &[(u32, u32)] = &[(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)];

/// Maximum number of characters of a range whose folded forms are added to it.
const MAX_FOLDED: usize = 64;

/// A set of characters as the pattern writes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Set {
    pub(super) ranges: Vec<(u32, u32)>,
    /// The names of properties, and whether the set contains the characters without the property.
    pub(super) properties: Vec<(Box<str>, bool)>,
    pub(super) negated: bool,
    pub(super) ignore_case: bool,
}

impl Set {
    /// Creates a set of ranges, or of all other characters.
    pub(super) fn from_ranges(ranges: &[(u32, u32)], negated: bool) -> Self {
        Set { ranges: ranges.to_vec(), negated, ..Set::default() }
    }

    /// Adds ranges, or all other characters. The ranges must be sorted and disjoint.
    pub(super) fn add(&mut self, ranges: &[(u32, u32)], negated: bool) {
        if !negated {
            self.ranges.extend_from_slice(ranges);
            return;
        }
        let mut start = ALL.0;
        for &(from, to) in ranges {
            if from > start {
                self.ranges.push((start, from - 1));
            }
            start = to + 1;
        }
        self.ranges.push((start, ALL.1));
    }

    /// Adds the folded forms of the characters if case is ignored. Long ranges are alphabets, which
    /// contain them already.
    pub(super) fn add_folded(&mut self) {
        if !self.ignore_case {
            return;
        }
        for (from, to) in self.ranges.clone() {
            let chars = (from..=to).take(MAX_FOLDED).filter_map(char::from_u32);
            let folded = chars.filter(|c| fold(*c) != *c).map(|c| u32::from(fold(c)));
            self.ranges.extend(folded.map(|code| (code, code)));
        }
    }

    /// Prepares the set for fast look-ups.
    pub(super) fn compile(&self) -> CompiledSet {
        let mut sorted = self.ranges.clone();
        sorted.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (from, to) in sorted {
            match ranges.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => ranges.push((from, to)),
            }
        }
        let mut names: Vec<&(Box<str>, bool)> = self.properties.iter().collect();
        names.sort_unstable();
        names.dedup();
        let find =
            |(name, negated): &(Box<str>, bool)| Some((Property::from_name(name)?, *negated));
        let properties = names.into_iter().filter_map(find).collect();
        let (negated, ignore_case) = (self.negated, self.ignore_case);
        let mut set = CompiledSet { ascii: 0, ranges, properties, negated, ignore_case };
        for c in 0..128_u8 {
            set.ascii |= u128::from(set.matches(char::from(c))) << c;
        }
        set
    }
}

/// A set of characters with an index.
#[derive(Debug)]
pub(super) struct CompiledSet {
    /// A bit for each ASCII character of the set.
    ascii: u128,
    /// Sorted and disjoint ranges.
    ranges: Vec<(u32, u32)>,
    properties: Vec<(Property, bool)>,
    negated: bool,
    ignore_case: bool,
}

impl CompiledSet {
    pub(super) fn contains(&self, c: char) -> bool {
        if c.is_ascii() { self.ascii >> u32::from(c) & 1 == 1 } else { self.matches(c) }
    }

    /// Returns the cost of [`CompiledSet::contains`] in steps.
    pub(super) fn cost(&self) -> u64 {
        1 + u64::try_from(self.properties.len()).unwrap_or(u64::MAX)
    }

    fn matches(&self, c: char) -> bool {
        let found = if self.ignore_case {
            cases(c).into_iter().any(|c| self.matches_exactly(c))
        } else {
            self.matches_exactly(c)
        };
        found != self.negated
    }

    fn matches_exactly(&self, c: char) -> bool {
        let code = u32::from(c);
        let index = self.ranges.partition_point(|range| range.1 < code);
        self.ranges.get(index).is_some_and(|range| range.0 <= code)
            || self.properties.iter().any(|(property, negated)| property.contains(c) != *negated)
    }
}

/// Returns a character and those that differ from it only in case.
fn cases(c: char) -> [char; 4] {
    let (lower, upper) = (single(c.to_lowercase(), c), single(c.to_uppercase(), c));
    [c, lower, upper, fold(c)]
}

/// Returns the form of a character in which upper and lower case are equal.
pub(super) fn fold(c: char) -> char {
    // The only character whose upper case is an ASCII letter although the two do not fold to the
    // same character.
    if c == 'ı' {
        return c;
    }
    let upper = single(c.to_uppercase(), c);
    single(upper.to_lowercase(), upper)
}

/// Returns the only character of an iterator, or `c` if the iterator has more.
fn single(mut mapped: impl Iterator<Item = char>, c: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

/// Returns the function for a property without a value, by its long or short name. ECMA-262 has
/// more: those of bidirectional text, case mapping and normalization are not supported, because
/// their tables would make the program larger.
fn binary_property(name: &str) -> Option<fn(char) -> bool> {
    Some(match name {
        "Alphabetic" | "Alpha" => char::is_alphabetic,
        "Any" => |_| true,
        "ASCII" => |c| c.is_ascii(),
        "ASCII_Hex_Digit" | "AHex" => |c| c.is_ascii_hexdigit(),
        "Dash" => has::<Dash>,
        "Emoji" => has::<Emoji>,
        "Emoji_Component" | "EComp" => has::<EmojiComponent>,
        "Emoji_Modifier" | "EMod" => has::<EmojiModifier>,
        "Emoji_Modifier_Base" | "EBase" => has::<EmojiModifierBase>,
        "Emoji_Presentation" | "EPres" => has::<EmojiPresentation>,
        "Extended_Pictographic" | "ExtPict" => has::<ExtendedPictographic>,
        "Hex_Digit" | "Hex" => has::<HexDigit>,
        "ID_Continue" | "IDC" => has::<IdContinue>,
        "ID_Start" | "IDS" => has::<IdStart>,
        "Ideographic" | "Ideo" => has::<Ideographic>,
        "Lowercase" | "Lower" => char::is_lowercase,
        "Math" => has::<Math>,
        "Regional_Indicator" | "RI" => has::<RegionalIndicator>,
        "Uppercase" | "Upper" => char::is_uppercase,
        "Variation_Selector" | "VS" => has::<VariationSelector>,
        "White_Space" | "space" => char::is_whitespace,
        _ => return None,
    })
}

fn has<P: BinaryProperty>(c: char) -> bool {
    CodePointSetData::new::<P>().contains(c)
}

/// A Unicode property of characters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Property {
    Category(CodePointMapDataBorrowed<'static, GeneralCategory>, GeneralCategoryGroup),
    Script(CodePointMapDataBorrowed<'static, Script>, Script),
    ScriptExtensions(ScriptWithExtensionsBorrowed<'static>, Script),
    Binary(fn(char) -> bool),
}

impl Property {
    /// Finds a property by the text in the braces of `\p{…}`. Names are those of ECMA-262.
    pub(super) fn from_name(text: &str) -> Option<Self> {
        let script = |name: &str| PropertyParser::<Script>::new().get_strict(name);
        match text.split_once('=') {
            Some(("General_Category" | "gc", name)) => Self::from_category(name),
            Some(("Script" | "sc", name)) => {
                Some(Property::Script(CodePointMapData::<Script>::new(), script(name)?))
            }
            Some(("Script_Extensions" | "scx", name)) => {
                Some(Property::ScriptExtensions(ScriptWithExtensions::new(), script(name)?))
            }
            Some(_) => None,
            None => match text {
                "Assigned" => {
                    let assigned = GeneralCategoryGroup::Unassigned.complement();
                    Some(Property::Category(CodePointMapData::new(), assigned))
                }
                _ => binary_property(text)
                    .map(Property::Binary)
                    .or_else(|| Self::from_category(text)),
            },
        }
    }

    fn from_category(name: &str) -> Option<Self> {
        let group = PropertyParser::<GeneralCategoryGroup>::new().get_strict(name)?;
        Some(Property::Category(CodePointMapData::new(), group))
    }

    fn contains(self, c: char) -> bool {
        match self {
            Property::Category(categories, group) => group.contains(categories.get(c)),
            Property::Script(scripts, script) => scripts.get(c) == script,
            Property::ScriptExtensions(scripts, script) => scripts.has_script(c, script),
            Property::Binary(contains) => contains(c),
        }
    }
}
