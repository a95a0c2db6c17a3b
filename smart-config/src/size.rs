//! Sizes in bytes with a unit, for `#[serde(with = "smart_config::size")]` on an unsigned integer: `"2MiB"`, `"64KiB"`.
//!
//! A number without a unit is refused. `kB`, `MB`, `GB` and `TB` are powers of ten, the ones with an `i` powers of two.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserializer, Serializer};

/// Writes a size in the largest unit that loses nothing.
///
/// # Errors
///
/// Those of the serializer, and a number above 2^64.
pub fn serialize<T: Copy + TryInto<u64>, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let bytes = (*value)
        .try_into()
        .map_err(|_| serde::ser::Error::custom("a size must fit in 64 bits"))?;
    serializer.serialize_str(&written(bytes))
}

/// Reads a size with its unit.
///
/// # Errors
///
/// When the unit is missing or unknown, the value is no text, or the number does not fit.
pub fn deserialize<'de, T: TryFrom<u64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(SizeVisitor(PhantomData))
}

struct SizeVisitor<T>(PhantomData<T>);

impl<T: TryFrom<u64>> Visitor<'_> for SizeVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let refuse = |expected: &str| E::invalid_value(Unexpected::Str(text), &expected);
        let trimmed = text.trim();
        let digits = trimmed.trim_end_matches(|sign: char| !sign.is_ascii_digit());
        if !digits.is_empty() && digits == trimmed && digits.len() < 20 {
            return Err(refuse(&with_unit(digits)));
        }
        let factor = UNITS
            .iter()
            .find(|(unit, _)| *unit == trimmed[digits.len()..].trim_start())
            .map(|(_, factor)| *factor)
            .ok_or_else(|| refuse(EXPECTED))?;
        let number: u64 = digits.parse().map_err(|_| refuse(EXPECTED))?;
        number
            .checked_mul(factor)
            .and_then(|bytes| T::try_from(bytes).ok())
            .ok_or_else(|| refuse("a smaller size"))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
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

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Err(E::invalid_type(
            Unexpected::Unsigned(number),
            &with_unit(&number.to_string()).as_str(),
        ))
    }
}

fn with_unit(digits: &str) -> String {
    format!("a size with a unit, such as \"{digits}B\"")
}

fn written(bytes: u64) -> String {
    let (unit, factor) = UNITS
        .iter()
        .rev()
        .filter(|(unit, _)| *unit == "B" || unit.contains('i'))
        .find(|(_, factor)| bytes > 0 && bytes.is_multiple_of(*factor))
        .unwrap_or(&UNITS[0]);
    format!("{}{unit}", bytes / factor)
}

const EXPECTED: &str = "a size with a unit, such as \"2MiB\"";

/// Ascending, so that writing can search from the end.
const UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::U64Deserializer;

    use super::*;

    #[derive(Debug, serde::Deserialize, serde::Serialize)]
    struct Limits {
        #[serde(with = "super")]
        body: u64,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Small {
        #[serde(with = "super")]
        body: u16,
    }

    fn read(json: &str) -> Result<u64, String> {
        serde_json::from_str::<Limits>(&format!("{{\"body\": {json}}}"))
            .map(|limits| limits.body)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn units_are_read() {
        assert_eq!(read("\"2MiB\""), Ok(2 << 20));
        assert_eq!(read("\"64 KiB\""), Ok(64 << 10));
        assert_eq!(read("\"5MB\""), Ok(5_000_000));
        assert_eq!(read("\"0B\""), Ok(0));
    }

    #[test]
    fn bare_number_is_told_its_unit() {
        let number: U64Deserializer<serde_json::Error> = 10_u64.into_deserializer();
        let errors = [
            read("\"10\"").unwrap_err(),
            deserialize::<u64, _>(number).unwrap_err().to_string(),
        ];
        for error in errors {
            assert!(
                error.contains("expected a size with a unit, such as \"10B\""),
                "{error}"
            );
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for json in [
            "\"\"",
            "\"big\"",
            "\"1.5MiB\"",
            "\"2m\"",
            "\"-1B\"",
            "\"MiB\"",
            "\"é\"",
            "-1",
            "true",
        ] {
            let error = read(json).unwrap_err();
            assert!(
                error.contains("a size with a unit, such as \"2MiB\""),
                "{json}: {error}"
            );
        }
        assert!(
            read("\"99999999999999TiB\"")
                .unwrap_err()
                .contains("expected a smaller size")
        );
        let small = serde_json::from_str::<Small>("{\"body\": \"64KiB\"}");
        assert!(
            small
                .unwrap_err()
                .to_string()
                .contains("expected a smaller size")
        );
        assert_eq!(
            serde_json::from_str::<Small>("{\"body\": \"1KiB\"}")
                .unwrap()
                .body,
            1024
        );
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        assert_eq!(written(2 << 20), "2MiB");
        assert_eq!(written(1_000), "1000B");
        assert_eq!(written(0), "0B");
        let mut seed = 1_u64;
        for round in 0..2_000 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = seed >> (round % 60) << (round % 11);
            assert_eq!(read(&format!("\"{}\"", written(value))), Ok(value));
        }
    }
}
