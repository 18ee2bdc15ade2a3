use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Dates and times of day as people and programs write them, beside RFC 3339 and RFC 2822.
const FORMS: [&str; 30] = [
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%Y-%m-%d %H:%M:%S%.f %:z",
    "%Y-%m-%d %H:%M %z",
    "%Y-%m-%d %H:%M %:z",
    "%Y-%m-%dT%H:%M%:z",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y, %H:%M:%S",
    "%d.%m.%Y, %H:%M",
    "%B %d, %Y %I:%M %p",
    "%b %d, %Y, %I:%M:%S %p",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%Y%m%d",
    "%B %d, %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%A, %B %d, %Y",
    "%Y-%m",
];

/// The time written in `text`. Without an offset it is taken to be UTC, and without a time of day to be midnight.
pub fn written(text: &str) -> Option<Timestamp> {
    // Some programs put narrow spaces before "PM", and a zone's name after its offset.
    let text = text.trim().replace(['\u{202F}', '\u{A0}'], " ");
    let text = text.split(" (").next()?.trim_end_matches(" UTC").trim();
    let civil = |time: DateTime| TimeZone::UTC.to_timestamp(time).ok();
    let form = |form: &&str| {
        let time = strtime::parse(form, text).ok()?;
        time.to_timestamp()
            .ok()
            .or_else(|| civil(time.to_datetime().ok()?))
            .or_else(|| civil(time.to_date().ok()?.to_datetime(jiff::civil::Time::midnight())))
    };
    let number = || {
        let digits = text.len() != 8 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        digits.then(|| text.parse().ok().and_then(unix)).flatten()
    };
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok().and_then(civil))
        .or_else(|| {
            text.parse::<Date>()
                .ok()
                .and_then(|date| civil(date.to_datetime(jiff::civil::Time::midnight())))
        })
        .or_else(number)
        .or_else(|| rfc2822::parse(text).ok().map(|time| time.timestamp()))
        .or_else(|| FORMS.iter().find_map(form))
}

/// The time that `number` counts since the beginning of 1970, to the microsecond. Its size says what it counts: seconds, thousandths,
/// millionths or billionths of them. 0 is how programs write that they do not know.
pub fn unix(number: f64) -> Option<Timestamp> {
    let seconds = match number.abs() {
        size if size < 1e11 => number,
        size if size < 1e14 => number / 1e3,
        size if size < 1e17 => number / 1e6,
        size if size < 1e20 => number / 1e9,
        _ => return None,
    };
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

/// The time in a value of JSON, if there is one that is understood.
pub fn value(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => written(text),
        Value::Number(number) => number.as_f64().and_then(unix),
        // MongoDB's.
        Value::Object(fields) => fields.get("$date").and_then(self::value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let noon = written("2024-05-01T12:00:00Z").unwrap();
        for text in [
            "2024-05-01T14:00:00+02:00",
            "2024-05-01 12:00",
            " 2024-05-01T12:00:00 ",
            "2024-05-01 14:00:00 +0200",
            "2024-05-01 14:00:00 +02:00",
            "2024-05-01 12:00:00.000000",
            "2024-05-01T14:00+02:00",
            "2024-05-01T14:00:00+0200",
            "Wed, 1 May 2024 14:00:00 +0200",
            "Wed, 01 May 2024 12:00:00 GMT",
            "Wed May  1 12:00:00 2024",
            "2024/05/01 12:00",
            "01.05.2024 12:00",
            "May 1, 2024 12:00 PM",
            "1714564800",
            "1714564800000",
            "1714564800.0",
            "2024-05-01 12:00:00 UTC",
        ] {
            assert_eq!(written(text), Some(noon), "{text}");
        }
        for text in [
            "2024-05-01",
            "2024/05/01",
            "01.05.2024",
            "1.5.2024",
            "20240501",
            "May 1, 2024",
            "1 May 2024",
            "1 may 2024",
            "Wednesday, May 1, 2024",
        ] {
            assert_eq!(
                written(text).map(|time| time.to_string()).as_deref(),
                Some("2024-05-01T00:00:00Z"),
                "{text}"
            );
        }
        for seconds in [1_714_564_800.0, 1_714_564_800_000.0, 1_714_564_800e6, 1_714_564_800e9] {
            assert_eq!(unix(seconds), Some(noon));
        }
        assert_eq!(unix(0.25).unwrap().as_millisecond(), 250);
        for text in ["yesterday", "2024-13-01", "", "soon", "12"] {
            assert!(
                written(text).is_none_or(|time| text == "12" && time.as_second() == 12),
                "{text}"
            );
        }
        assert_eq!((unix(1e300), unix(f64::INFINITY), unix(f64::NAN)), (None, None, None));
    }
}
