//! Decides which traces are exported.

use llm_exe::trace::TraceId;

/// The sampler of `OTEL_TRACES_SAMPLER`.
/// <https://opentelemetry.io/docs/specs/otel/trace/sdk/#sampling>
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// Whether the flag of the span around a request decides, if there is one.
    pub is_parent_based: bool,
    /// The share of the other traces that are exported, from 0 to 1.
    pub ratio: f64,
}

impl Default for Sampler {
    fn default() -> Self {
        Sampler { is_parent_based: true, ratio: 1.0 }
    }
}

impl Sampler {
    /// Returns whether a trace is exported. `parent` is the flag of the span around the request.
    pub(super) fn samples(&self, id: TraceId, parent: Option<bool>) -> bool {
        match parent.filter(|_| self.is_parent_based) {
            Some(is_sampled) => is_sampled,
            None => self.is_in_ratio(id),
        }
    }

    /// Decides by the id, so that all services decide in the same way.
    fn is_in_ratio(&self, id: TraceId) -> bool {
        const SCALE: f64 = (1_u64 << 53) as f64;
        let [.., a, b, c, d, e, f, g] = id.0;
        let random = u64::from_be_bytes([0, a, b, c, d, e, f, g]) >> 3;
        #[expect(clippy::cast_precision_loss, reason = "the number has 53 bits")]
        let random = random as f64;
        random / SCALE < self.ratio
    }
}

#[cfg(test)]
mod tests {
    use llm_exe::trace::TraceId;

    use super::Sampler;

    #[test]
    fn the_flag_of_the_parent_decides_only_if_the_sampler_is_parent_based() {
        let id = TraceId::random();
        for (is_parent_based, ratio, parent, expected) in [
            (true, 1.0, None, true),
            (true, 0.0, None, false),
            (true, 1.0, Some(false), false),
            (true, 0.0, Some(true), true),
            (false, 1.0, Some(false), true),
            (false, 0.0, Some(true), false),
        ] {
            let sampler = Sampler { is_parent_based, ratio };
            assert_eq!(sampler.samples(id, parent), expected, "{sampler:?} {parent:?}");
        }
    }

    #[test]
    fn the_ratio_is_the_share_of_sampled_traces() {
        let sampler = Sampler { is_parent_based: true, ratio: 0.25 };
        let ids = std::iter::repeat_with(TraceId::random).take(4_000);
        let sampled = ids.filter(|id| sampler.samples(*id, None)).count();
        assert!((800..1_200).contains(&sampled), "{sampled}");
    }
}
