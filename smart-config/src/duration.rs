//! Durations with a unit, for `#[serde(with = "smart_config::duration")]`: `"20s"`, `"1m 30s"`, `"500ms"`.
//!
//! A number without a unit is refused. So are months and years: nobody means 30.44 days, and `5M` is a mistyped `5m`.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// Writes a duration with its units, largest first.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written(*value))
}

/// Reads a duration with its unit.
///
/// # Errors
///
/// When the unit is missing or unknown, or the value is no text.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_str(DurationVisitor)
}

/// The same for `Option<Duration>`; add `#[serde(default)]`, so that the key may be left out.
pub mod optional {
    use std::fmt;
    use std::time::Duration;

    use serde::de::Visitor;
    use serde::{Deserializer, Serializer};

    /// Writes a duration with its units, or nothing.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_some(&super::written(*value)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a duration with its unit, if there is a value.
    ///
    /// # Errors
    ///
    /// When the unit is missing or unknown, or the value is no text.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        struct OptionVisitor;

        impl<'de> Visitor<'de> for OptionVisitor {
            type Value = Option<Duration>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                super::DurationVisitor.expecting(f)
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                super::deserialize(deserializer).map(Some)
            }
        }

        deserializer.deserialize_option(OptionVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        let refuse = |expected: &str| Err(E::invalid_value(Unexpected::Str(text), &expected));
        let digits = text.trim();
        if !digits.is_empty()
            && digits.len() < 10
            && digits.chars().all(|sign| sign.is_ascii_digit())
        {
            return refuse(&with_unit(digits));
        }
        match humantime::parse_duration(text) {
            Ok(value)
                if !text
                    .split(|sign: char| !sign.is_alphabetic())
                    .any(is_calendar_unit) =>
            {
                Ok(value)
            }
            _ => refuse(EXPECTED),
        }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
        let expected = if number < 0 {
            EXPECTED.to_owned()
        } else {
            with_unit(&number.to_string())
        };
        Err(E::invalid_type(
            Unexpected::Signed(number),
            &expected.as_str(),
        ))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Duration, E> {
        Err(E::invalid_type(
            Unexpected::Unsigned(number),
            &with_unit(&number.to_string()).as_str(),
        ))
    }
}

fn with_unit(digits: &str) -> String {
    format!("a duration with a unit, such as \"{digits}s\"")
}

fn is_calendar_unit(unit: &str) -> bool {
    unit == "M" || unit.starts_with("mon") || unit.starts_with('y')
}

fn written(value: Duration) -> String {
    let seconds = value.as_secs();
    let nanos = u64::from(value.subsec_nanos());
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (nanos / 1_000_000, "ms"),
        (nanos / 1_000 % 1_000, "us"),
        (nanos % 1_000, "ns"),
    ];
    let written: Vec<String> = parts
        .iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, unit)| format!("{amount}{unit}"))
        .collect();
    if written.is_empty() {
        "0s".to_owned()
    } else {
        written.join(" ")
    }
}

const EXPECTED: &str = "a duration with a unit, such as \"20s\"";

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::U64Deserializer;

    use super::*;

    #[derive(Debug, serde::Deserialize, serde::Serialize)]
    struct Limits {
        #[serde(with = "super")]
        drain: Duration,
        #[serde(with = "super::optional", default)]
        wait: Option<Duration>,
    }

    fn read(json: &str) -> Result<Duration, String> {
        serde_json::from_str::<Limits>(&format!("{{\"drain\": {json}}}"))
            .map(|limits| limits.drain)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn units_are_read() {
        assert_eq!(read("\"20s\""), Ok(Duration::from_secs(20)));
        assert_eq!(read("\"1m 30s\""), Ok(Duration::from_secs(90)));
        assert_eq!(read("\"1m30s\""), Ok(Duration::from_secs(90)));
        assert_eq!(read("\"500ms\""), Ok(Duration::from_millis(500)));
        assert_eq!(read("\"0s\""), Ok(Duration::ZERO));
        assert_eq!(read("\"2d\""), Ok(Duration::from_secs(172_800)));
    }

    #[test]
    fn bare_number_is_told_its_unit() {
        let number: U64Deserializer<serde_json::Error> = 10_u64.into_deserializer();
        let errors = [
            read("\"10\"").unwrap_err(),
            read("\" 10 \"").unwrap_err(),
            deserialize(number).unwrap_err().to_string(),
        ];
        for error in errors {
            assert!(
                error.contains("expected a duration with a unit, such as \"10s\""),
                "{error}"
            );
        }
    }

    #[test]
    fn nonsense_and_calendar_units_are_refused() {
        for json in [
            "\"\"",
            "\"soon\"",
            "\"5M\"",
            "\"1month\"",
            "\"2y\"",
            "\"-1s\"",
            "-1",
            "\"99999999999999999999s\"",
            "true",
        ] {
            let error = read(json).unwrap_err();
            assert!(
                error.contains("expected a duration with a unit, such as \"20s\""),
                "{json}: {error}"
            );
        }
    }

    #[test]
    fn optional_duration_may_be_left_out() {
        let limits: Limits = serde_json::from_str("{\"drain\": \"1s\"}").unwrap();
        assert_eq!(limits.wait, None);
        let limits: Limits = serde_json::from_str("{\"drain\": \"1s\", \"wait\": \"2s\"}").unwrap();
        assert_eq!(limits.wait, Some(Duration::from_secs(2)));
        assert_eq!(
            serde_json::to_string(&limits).unwrap(),
            "{\"drain\":\"1s\",\"wait\":\"2s\"}"
        );
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let mut seed = 1_u64;
        for _ in 0..2_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = Duration::new(
                seed >> 34,
                u32::try_from((seed >> 3) % 1_000_000_000).unwrap(),
            );
            assert_eq!(read(&format!("\"{}\"", written(value))), Ok(value));
        }
        assert_eq!(written(Duration::ZERO), "0s");
    }
}
