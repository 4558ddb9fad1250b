//! Converts times to dates and hours in UTC.

use std::time::{Duration, SystemTime};

/// The last second of the year 9999. Later times can't be formatted.
const MAX_SECONDS: u64 = 253_402_300_799;
/// The length of a date such as `2026-12-01`.
const DATE_LENGTH: usize = 10;

/// Returns the number of seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Returns the date in UTC, such as `2026-12-01`.
pub(crate) fn today() -> String {
    let mut text = format_time(now());
    text.truncate(DATE_LENGTH);
    text
}

/// Returns a date in UTC such as 20261201 for a time in seconds since 1970.
pub(super) fn date_of(seconds: u64) -> u32 {
    let text = format_time(seconds);
    let digits: String = text.chars().take(DATE_LENGTH).filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// Formats a time in seconds since 1970, such as `2026-12-01T02:30:00Z`.
fn format_time(seconds: u64) -> String {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(MAX_SECONDS));
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Returns the hour from 0 to 23 of a time in seconds since 1970, or `None` on a Saturday or
/// Sunday.
pub(super) fn working_hour(seconds: u64) -> Option<u64> {
    // 1970-01-01 was a Thursday.
    let day = (seconds / 86_400 + 3) % 7;
    (day < 5).then_some(seconds / 3600 % 24)
}

/// Formats a date such as 20261201 as `2026-12-01`.
pub(super) fn format_date(date: u32) -> String {
    format!("{:04}-{:02}-{:02}", date / 10_000, date / 100 % 100, date % 100)
}

#[cfg(test)]
mod tests {
    use super::{date_of, format_date, today, working_hour};

    #[test]
    fn times_are_converted_to_dates() {
        for (days, date) in [
            (0, 19_700_101),
            (11_016, 20_000_229),
            (20_783, 20_261_126),
            (20_818, 20_261_231),
            (20_819, 20_270_101),
            (47_541, 21_000_301),
        ] {
            assert_eq!(date_of(days * 86_400), date);
            assert_eq!(date_of(days * 86_400 + 86_399), date);
        }
        assert_eq!(date_of(u64::MAX), 99_991_231);
        assert_eq!(format_date(20_261_201), "2026-12-01");
        assert_eq!(today().len(), 10);
    }

    #[test]
    fn hours_of_weekends_are_not_working_hours() {
        for (seconds, hour) in [
            (0, Some(0)),
            (86_400 + 3600 * 23 + 3599, Some(23)),
            (2 * 86_400, None),
            (4 * 86_400 - 1, None),
            (4 * 86_400, Some(0)),
        ] {
            assert_eq!(working_hour(seconds), hour, "{seconds}");
        }
    }
}
