use std::fmt;

use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

/// A value that shows itself nowhere: `Debug`, `Display` and `Serialize` all give `***`.
///
/// The memory is overwritten on drop. [`Secret::expose`] is the only way to the value.
///
/// ```
/// use smart_config::Secret;
///
/// let password = Secret::new("hunter2".to_owned());
/// assert_eq!(format!("{password} {password:?}"), "*** ***");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize = String>(T);

impl<T: Zeroize> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Do not print it, log it or put it in an error.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl<T: Zeroize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

impl<'de, T: Zeroize + DeserializeOwned> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hide<T>(std::marker::PhantomData<T>);

        impl<'de, T: Zeroize + DeserializeOwned> Visitor<'de> for Hide<T> {
            type Value = Secret<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                T::deserialize(deserializer).map(Secret::new)
            }
        }

        deserializer.deserialize_newtype_struct(MARKER, Hide(std::marker::PhantomData))
    }
}

/// What is shown in place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// The name under which a secret asks for its value, so that our decoder learns which keys are secret.
pub(crate) const MARKER: &str = "$smart_config::Secret";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_shows_itself_nowhere() {
        #[derive(Debug, Serialize)]
        struct Account {
            password: Secret,
        }
        let account = Account {
            password: Secret::new("planted".to_owned()),
        };
        let outputs = [
            format!("{account:?}"),
            format!("{account:#?}"),
            format!("{:>20}", account.password),
            serde_json::to_string(&account).unwrap(),
        ];
        for output in outputs {
            assert!(
                output.contains(HIDDEN) && !output.contains("planted"),
                "{output}"
            );
        }
    }

    #[test]
    fn secret_reads_from_any_format_and_of_any_type() {
        let text: Secret = serde_json::from_str("\"planted\"").unwrap();
        assert_eq!(text.expose(), "planted");
        let number: Secret<u32> = serde_json::from_str("7").unwrap();
        assert_eq!(*number.expose(), 7);
    }

    #[test]
    fn equal_secrets_are_equal() {
        assert!(Secret::new(1) == Secret::new(1).clone());
        assert!(Secret::new(1) != Secret::new(2));
    }
}
