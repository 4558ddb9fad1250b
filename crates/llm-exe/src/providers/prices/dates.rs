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

/// Returns a date in UTC such as 20261201 for a time in seconds since 1970. It is computed for each
/// call, so no text is formatted.
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
pub(super) fn date_of(seconds: u64) -> u32 {
    // Days since 0000-03-01, in eras of 400 years. The years begin in March.
    let days = seconds.min(MAX_SECONDS) / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next_year;
    u32::try_from(year * 10_000 + month * 100 + day).unwrap_or(0)
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
    let mut text = Vec::with_capacity(DATE_LENGTH);
    write_date(&mut text, date);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes a date such as 20261201 as `2026-12-01`.
pub(super) fn write_date(out: &mut Vec<u8>, date: u32) {
    let mut text = *b"0000-00-00";
    let mut rest = date;
    for (index, byte) in text.iter_mut().enumerate().rev() {
        if index != 4 && index != 7 {
            *byte = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    }
    out.extend_from_slice(&text);
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
