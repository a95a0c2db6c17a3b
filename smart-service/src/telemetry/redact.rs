//! The last line of defence: a secret of this service that reached a log line or a report all the same.
//!
//! `Secret` never shows itself, but a foreign error message or a careless `expose()` may. The service knows its own
//! secrets, so whatever it writes is searched for them.

use std::borrow::Cow;
use std::sync::Arc;

use smart_config::Secret;

use super::pretty::visible;

/// Replaces the service's secrets in text by `***`.
#[derive(Debug, Clone)]
pub(crate) struct Redactor(Arc<[Secret]>);

/// Shorter secrets are not searched for: `dev` or `abc` would blacken ordinary words, and guard nothing.
const SHORTEST: usize = 6;

impl Redactor {
    pub(crate) fn new(secrets: Vec<Secret>) -> Self {
        // In a URL, in a line for people, in a JSON line and in `Debug` text some characters are escaped; a secret with such characters looks different
        // there, and once more different where `Debug` text stands in a JSON line.
        let escaped = |secret: &Secret| {
            let plain = secret.expose();
            let debug = inside_quotes(&format!("{plain:?}"));
            [
                plain.clone(),
                visible(plain),
                in_url(plain),
                json(plain),
                json(&debug),
                debug,
            ]
        };
        let mut forms: Vec<String> = secrets
            .iter()
            .flat_map(escaped)
            .filter(|form| form.len() >= SHORTEST)
            .collect();
        // Longest first, so that a secret that contains another leaves nothing of itself behind.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self(forms.into_iter().map(Secret::new).collect())
    }

    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.0
            .iter()
            .filter(|secret| text.contains(secret.expose().as_str()))
            .fold(Cow::Borrowed(text), |text, secret| {
                Cow::Owned(text.replace(secret.expose().as_str(), "***"))
            })
    }
}

/// The text as it stands inside a JSON string.
fn json(text: &str) -> String {
    inside_quotes(&serde_json::to_string(text).unwrap_or_default())
}

/// The text as a part of a URL (RFC 3986, 2.1).
fn in_url(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            byte if unreserved(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn inside_quotes(quoted: &str) -> String {
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_replaced_in_every_escaping() {
        let secret = "pa\"ss\\wörd\r\n1";
        let redactor = Redactor::new(vec![Secret::new(secret.to_owned())]);
        let debug = format!("before {secret:?} after");
        for text in [
            format!("before {secret} after"),
            visible(&format!("before {secret} after")),
            format!("before {} after", in_url(secret)),
            json(&format!("before {secret} after")),
            json(&debug),
            debug,
        ] {
            let redacted = redactor.redact(&text);
            assert!(
                redacted.contains("before ")
                    && redacted.contains("***")
                    && redacted.contains(" after"),
                "{redacted}"
            );
            assert!(!redacted.contains("rd"), "{redacted}");
        }
    }

    #[test]
    fn secret_inside_another_leaves_nothing_behind() {
        let redactor = Redactor::new(vec![
            Secret::new("hunter22".to_owned()),
            Secret::new("hunter22-and-more".to_owned()),
        ]);
        assert_eq!(
            redactor.redact("x hunter22-and-more y hunter22"),
            "x *** y ***"
        );
    }

    #[test]
    fn short_secret_does_not_blacken_words() {
        let redactor = Redactor::new(vec![Secret::new("local".to_owned())]);
        assert_eq!(redactor.redact("realm local"), "realm local");
    }
}
