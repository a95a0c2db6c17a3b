//! The text of an outcome: an error with its causes, and a form short enough for a body that anybody may read.

use std::error::Error;

/// The error and its causes on one line, outermost first.
///
/// Many foreign errors repeat their source in their own text; a cause that the text already ends with is left out.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// The text on one line of at most [`MAX_CHARS`] characters; an ellipsis stands for what was cut.
pub(crate) fn limited(text: &str) -> String {
    let mut chars = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char });
    let mut kept: String = chars.by_ref().take(MAX_CHARS).collect();
    if chars.next().is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

const MAX_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[test]
    fn causes_follow_the_error_in_order() {
        let error = Layer(
            "cannot read stock",
            Some(Box::new(Layer("connection refused", None))),
        );
        assert_eq!(chain(&error), "cannot read stock: connection refused");
    }

    #[test]
    fn a_cause_that_the_error_repeats_is_printed_once() {
        let root = Layer("refused", None);
        let middle = Layer("connect: refused", Some(Box::new(root)));
        let error = Layer("query: connect: refused", Some(Box::new(middle)));
        assert_eq!(chain(&error), "query: connect: refused");
    }

    #[test]
    fn text_of_exactly_the_limit_is_kept() {
        let text = "é".repeat(200);
        assert_eq!(limited(&text), text);
    }

    #[test]
    fn longer_text_is_cut_at_a_whole_character() {
        let cut = limited(&"é".repeat(201));
        assert_eq!(cut.chars().count(), 200);
        assert!(cut.ends_with("é…"));
    }

    #[test]
    fn control_characters_become_blanks() {
        assert_eq!(limited("a\nb\t\u{1b}[31mc\0"), "a b  [31mc ");
    }

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Self>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1
                .as_deref()
                .map(|cause| cause as &(dyn Error + 'static))
        }
    }
}
