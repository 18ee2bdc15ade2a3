use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The time written in `text`: RFC 3339, or a date with or without a time of day, which is taken to be UTC.
pub fn written(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    text.parse().ok().or_else(civil)
}

/// The time that many seconds after the beginning of 1970, to the microsecond.
pub fn unix(seconds: f64) -> Option<Timestamp> {
    // Casting saturates, and the extremes are no times.
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let noon = written("2024-05-01T12:00:00Z").unwrap();
        for text in ["2024-05-01T14:00:00+02:00", "2024-05-01 12:00", " 2024-05-01T12:00:00 "] {
            assert_eq!(written(text), Some(noon), "{text}");
        }
        assert_eq!(written("2024-05-01").unwrap().to_string(), "2024-05-01T00:00:00Z");
        assert_eq!(unix(1_714_564_800.0), Some(noon));
        assert_eq!(unix(0.25).unwrap().as_millisecond(), 250);
        assert_eq!(
            (
                written("yesterday"),
                written("2024-13-01"),
                unix(1e300),
                unix(f64::INFINITY)
            ),
            (None, None, None, None)
        );
    }
}
