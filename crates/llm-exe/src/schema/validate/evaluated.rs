//! The properties or items of a value that keywords have evaluated, which `unevaluatedProperties`
//! and `unevaluatedItems` depend on.

/// A set of positions of properties in an object, or of items in an array.
#[derive(Debug, Default)]
pub(super) struct EvaluatedParts {
    bits: Vec<u64>,
}

const BITS: usize = 64;

impl EvaluatedParts {
    pub(super) fn add(&mut self, position: usize) {
        let word = position / BITS;
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= 1 << (position % BITS);
        }
    }

    pub(super) fn add_all(&mut self, other: &EvaluatedParts) {
        if self.bits.len() < other.bits.len() {
            self.bits.resize(other.bits.len(), 0);
        }
        for (bits, more) in self.bits.iter_mut().zip(&other.bits) {
            *bits |= more;
        }
    }

    pub(super) fn contains(&self, position: usize) -> bool {
        self.bits.get(position / BITS).is_some_and(|bits| bits & (1 << (position % BITS)) != 0)
    }

    /// Returns the number of units of work to merge the set into another one.
    pub(super) fn work(&self) -> u64 {
        u64::try_from(self.bits.len()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::EvaluatedParts;

    #[test]
    fn positions_are_merged() {
        let (mut first, mut second) = (EvaluatedParts::default(), EvaluatedParts::default());
        first.add(3);
        second.add(64);
        second.add(200);
        first.add_all(&second);
        let found: Vec<usize> = (0..300).filter(|position| first.contains(*position)).collect();
        assert_eq!(found, [3, 64, 200]);
    }
}
