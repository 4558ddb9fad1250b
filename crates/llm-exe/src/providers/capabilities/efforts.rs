//! Sets of values of `effort`.

/// All values of `effort`, in ascending order and separated by spaces.
pub(crate) const EFFORTS: &str = "none minimal low medium high xhigh max";

pub(crate) const NONE: u8 = 1;
pub(crate) const MINIMAL: u8 = 1 << 1;
pub(crate) const LOW: u8 = 1 << 2;
pub(crate) const MEDIUM: u8 = 1 << 3;
pub(crate) const HIGH: u8 = 1 << 4;
pub(crate) const XHIGH: u8 = 1 << 5;
pub(crate) const MAX: u8 = 1 << 6;

/// A set of values of `effort`, with a bit for each value in the order of [`EFFORTS`]. A row of a
/// static table that contains it has no address, which the dynamic linker would adjust.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Efforts(pub(crate) u8);

impl Efforts {
    /// Returns the known values among some words.
    pub(crate) fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Efforts {
        let bits = words.into_iter().filter_map(rank).map(|rank| 1 << rank);
        Efforts(bits.fold(0, |set, bit: u8| set | bit))
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the values in ascending order.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'static str> {
        let words = EFFORTS.split(' ').enumerate();
        words.filter(move |(rank, _)| self.0 >> rank & 1 == 1).map(|(_, word)| word)
    }

    /// Returns the lowest value.
    pub(crate) fn lowest(self) -> Option<&'static str> {
        self.iter().next()
    }

    /// Returns the lowest value that is at least `effort`, or the highest value if all are lower.
    pub(crate) fn nearest(self, effort: &str) -> Option<&'static str> {
        let rank = rank(effort).unwrap_or(0);
        Efforts(self.0 >> rank << rank).lowest().or_else(|| self.iter().last())
    }

    /// Returns the values as a text, separated by commas.
    pub(crate) fn join(self) -> String {
        self.iter().collect::<Vec<_>>().join(", ")
    }
}

/// Returns whether a word is a value of `effort`.
pub(crate) fn is_effort(word: &str) -> bool {
    rank(word).is_some()
}

/// Returns the position of a value in [`EFFORTS`].
fn rank(effort: &str) -> Option<usize> {
    EFFORTS.split(' ').position(|known| known == effort)
}

#[cfg(test)]
mod tests {
    use super::{EFFORTS, Efforts, HIGH, LOW, MAX, MEDIUM, MINIMAL, NONE, XHIGH};

    #[test]
    fn nearest_effort_is_the_next_higher_one_or_the_highest() {
        let supported = Efforts(LOW | MEDIUM | XHIGH);
        for (requested, expected) in [
            ("none", "low"),
            ("minimal", "low"),
            ("medium", "medium"),
            ("high", "xhigh"),
            ("max", "xhigh"),
        ] {
            assert_eq!(supported.nearest(requested), Some(expected), "{requested}");
        }
        assert_eq!(Efforts(0).nearest("low"), None);
    }

    #[test]
    fn bits_are_in_the_order_of_the_words() {
        let bits = [NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX];
        for (word, bit) in EFFORTS.split(' ').zip(bits) {
            assert_eq!(Efforts(bit).join(), word);
            assert_eq!(Efforts::from_words([word, "or", "huge"]), Efforts(bit), "{word}");
        }
        let all = bits.iter().sum();
        assert_eq!(Efforts(all).join(), EFFORTS.replace(' ', ", "));
        assert!(Efforts::default().is_empty() && !Efforts(all).is_empty());
    }
}
