//! The tags of requests that are dimensions of metrics.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use llm_exe::Tags;

/// Maximum number of values of a tag that are dimensions of their own. CloudWatch bills each of
/// them as a metric.
const MAX_VALUES: usize = 50;

/// The value of the dimension after [`MAX_VALUES`].
const OTHER: &str = "other";

/// The tags that are dimensions, and the values of each that this process has used.
#[derive(Debug)]
pub(crate) struct MetricTags(Vec<(String, Mutex<HashSet<String>>)>);

impl MetricTags {
    pub(crate) fn new(names: &[String]) -> Self {
        MetricTags(names.iter().map(|name| (name.clone(), Mutex::default())).collect())
    }

    /// Returns the names of those tags that are dimensions, each with the value of the dimension.
    pub(crate) fn dimensions(&self, tags: &Tags) -> Vec<(String, String)> {
        let value_of = |name: &str| tags.iter().find(|(tag, _)| tag == name);
        let dimension = |(name, used): &(String, Mutex<HashSet<String>>)| {
            let (_, value) = value_of(name)?;
            let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
            if used.len() < MAX_VALUES && !used.contains(value) {
                used.insert(value.clone());
            }
            let value = if used.contains(value) { value } else { OTHER };
            Some((name.clone(), value.to_owned()))
        };
        self.0.iter().filter_map(dimension).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::MetricTags;

    #[test]
    fn values_above_the_maximum_share_a_dimension() {
        let tags = MetricTags::new(&["team".to_owned(), "app".to_owned()]);
        let dimension = |value: &str| {
            let request = [("user", "u"), ("team", value)];
            let owned = request.map(|(name, value)| (name.to_owned(), value.to_owned()));
            tags.dimensions(&Arc::new(owned.to_vec()))
        };
        let expected = |value: &str| vec![("team".to_owned(), value.to_owned())];
        for number in 0..50 {
            let value = format!("t{number}");
            assert_eq!(dimension(&value), expected(&value));
        }
        assert_eq!(dimension("t50"), expected("other"));
        assert_eq!(dimension("t7"), expected("t7"));
        assert_eq!(tags.dimensions(&Arc::default()), []);
    }
}
