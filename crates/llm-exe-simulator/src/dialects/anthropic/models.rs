//! What is known of Claude models by their names: family and version decide what they take.
//!
//! In: a model's name. Out: `Model`. Names without `claude-` belong to nobody that we know, and
//! nothing is refused on their behalf; a Claude without a version is taken for the newest.

/// What a model takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    /// Whether it is known at all.
    known: bool,
    /// Major and minor version.
    version: (u32, u32),
    family: Family,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Opus,
    Haiku,
    Fable,
    Mythos,
    Other,
}

const NEWEST: (u32, u32) = (99, 0);

/// Reads a model's name: `claude-opus-4-7`, `claude-sonnet-4-5-20250929`,
/// `us.anthropic.claude-3-5-haiku-20241022-v1:0`.
pub(crate) fn model(name: &str) -> Model {
    let Some((_, rest)) = name.split_once("claude-") else {
        return Model { known: false, version: NEWEST, family: Family::Other };
    };
    let words: Vec<&str> = rest.split(['-', '@', ':', '.']).collect();
    let family = match () {
        () if words.contains(&"opus") => Family::Opus,
        () if words.contains(&"haiku") => Family::Haiku,
        () if words.contains(&"fable") => Family::Fable,
        () if words.contains(&"mythos") => Family::Mythos,
        () => Family::Other,
    };
    // The version's numbers stand together, before or behind the family; a date is none of them.
    let number = |word: &&str| word.parse::<u32>().ok().filter(|number| *number < 1000);
    let mut numbers = words.iter().skip_while(|word| number(word).is_none()).map_while(number);
    let version = match (numbers.next(), numbers.next()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)),
        (None, _) if words.first() == Some(&"instant") => (1, 0),
        (None, _) => NEWEST,
    };
    Model { known: true, version, family }
}

impl Model {
    fn since(self, major: u32, minor: u32) -> bool {
        self.known && self.version >= (major, minor)
    }

    fn before(self, major: u32, minor: u32) -> bool {
        self.known && self.version < (major, minor)
    }

    /// Whether it is known and of this version or a later one.
    pub(crate) fn is_from(self, major: u32, minor: u32) -> bool {
        self.since(major, minor)
    }

    /// Whether it refuses temperature, top_p and top_k.
    pub(crate) fn refuses_sampling(self) -> bool {
        self.since(4, 7)
    }

    /// Whether it refuses temperature together with top_p.
    pub(crate) fn refuses_both_samplings(self) -> bool {
        self.since(4, 1)
    }

    /// Whether it refuses to go on from a beginning of its own answer.
    pub(crate) fn refuses_prefill(self) -> bool {
        self.since(4, 6)
    }

    /// Whether it refuses `thinking` of type `adaptive`.
    pub(crate) fn refuses_adaptive(self) -> bool {
        self.before(4, 6)
    }

    /// Whether it refuses `thinking` of type `enabled`: too new, or from before there was any.
    pub(crate) fn refuses_budget(self) -> bool {
        self.since(4, 7) || self.before(3, 7)
    }

    /// Whether it refuses `output_config.effort`.
    pub(crate) fn refuses_effort(self) -> bool {
        match self.family {
            Family::Opus => self.before(4, 5),
            _ => self.before(4, 6),
        }
    }

    /// Whether it refuses `output_config.format`.
    pub(crate) fn refuses_format(self) -> bool {
        self.before(4, 1)
    }

    /// Whether it refuses to be forced to call a tool.
    pub(crate) fn refuses_force(self) -> bool {
        match self.family {
            Family::Fable | Family::Mythos => self.since(5, 1),
            Family::Haiku => self.since(5, 6),
            Family::Opus | Family::Other => self.since(5, 5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::model;

    #[test]
    fn versions_are_read() {
        let version = |name| model(name).version;
        assert_eq!(version("claude-opus-4-7"), (4, 7));
        assert_eq!(version("claude-sonnet-4-5-20250929"), (4, 5));
        assert_eq!(version("claude-sonnet-4-20250514"), (4, 0));
        assert_eq!(version("claude-3-5-haiku-latest"), (3, 5));
        assert_eq!(version("claude-3-haiku-20240307"), (3, 0));
        assert_eq!(version("claude-2.1"), (2, 1));
        assert_eq!(version("us.anthropic.claude-opus-4-6-v1:0"), (4, 6));
        assert_eq!(version("claude-haiku-5-5"), (5, 5));
        assert_eq!(version("claude-mythos-preview"), (99, 0));
        assert!(!model("test").refuses_sampling() && !model("test").refuses_format());
    }

    #[test]
    fn newer_models_refuse_forced_tools() {
        for name in
            ["claude-opus-5", "claude-sonnet-5-20260901", "claude-haiku-5-5", "claude-fable-5"]
        {
            assert!(!model(name).refuses_force(), "{name}");
        }
        for name in
            ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1", "claude-opus-latest"]
        {
            assert!(model(name).refuses_force(), "{name}");
        }
        assert!(!model("test").refuses_force());
    }
}
