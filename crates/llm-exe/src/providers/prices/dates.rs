//! Converts times to dates and hours in UTC.

use std::time::SystemTime;

/// Returns the number of seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Returns the date in UTC, such as `2026-12-01`.
pub(crate) fn today() -> String {
    format_date(date_of_day(now() / 86_400))
}

/// Returns a date such as 20261201 for a number of days since 1970-01-01.
///
/// Source: <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>, for days after
/// 1970 only.
pub(super) fn date_of_day(days: u64) -> u32 {
    // The calendar repeats after 400 years of 146,097 days. Years begin in March here.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    u32::try_from(year * 10_000 + month * 100 + day).unwrap_or(u32::MAX)
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
    use super::{date_of_day, format_date, working_hour};

    #[test]
    fn days_are_converted_to_dates() {
        for (days, date) in [
            (0, 19_700_101),
            (11_016, 20_000_229),
            (11_017, 20_000_301),
            (20_783, 20_261_126),
            (20_818, 20_261_231),
            (20_819, 20_270_101),
            (47_540, 21_000_228),
            (47_541, 21_000_301),
        ] {
            assert_eq!(date_of_day(days), date);
        }
        assert_eq!(format_date(20_261_201), "2026-12-01");
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
