/// The candidate that was most likely meant, if one is near enough to be worth saying.
///
/// Dotted names are compared part by part: that two keys are in the same table makes them no more alike.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = plain(written);
    // Comparing takes time with the product of both lengths, and nobody mistypes a text like this.
    if written.len() > MAX_LENGTH {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_LENGTH)
        .filter_map(|candidate| Some((distance(&written, &plain(candidate))?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of edits between two names, if they are alike.
fn distance(written: &str, candidate: &str) -> Option<usize> {
    if written.matches('.').count() == candidate.matches('.').count() {
        let parts = written.split('.').zip(candidate.split('.'));
        parts
            .map(|(written, candidate)| part_distance(written, candidate))
            .sum()
    } else {
        let edits = strsim::damerau_levenshtein(written, candidate);
        (edits == 1).then_some(edits)
    }
}

fn part_distance(written: &str, candidate: &str) -> Option<usize> {
    let length = written.chars().count().max(candidate.chars().count());
    let edits = strsim::damerau_levenshtein(written, candidate);
    let is_beginning = written.len() >= 3 && candidate.starts_with(written);
    (is_beginning || edits <= length / 3).then_some(edits)
}

fn plain(text: &str) -> String {
    text.to_lowercase().replace('-', "_")
}

const MAX_LENGTH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, candidates: &[&str], expected: Option<&str>) {
        assert_eq!(
            nearest(written, candidates.iter().copied()),
            expected,
            "{written}"
        );
    }

    #[test]
    fn nearest_name_is_the_one_that_was_meant() {
        check("prot", &["host", "port"], Some("port"));
        check("drian", &["drain", "unready_wait"], Some("drain"));
        check("pass", &["passive", "password", "host"], Some("passive"));
        check(
            "body-limit",
            &["body_limit", "body_size"],
            Some("body_limit"),
        );
        check("Port", &["port"], Some("port"));
        check(
            "postgres_password",
            &["postgres.password"],
            Some("postgres.password"),
        );
        check(
            "postgres.pasword",
            &["postgres.password", "redis.password"],
            Some("postgres.password"),
        );
    }

    #[test]
    fn far_names_are_not_suggested() {
        check("colour", &["host", "port", "level"], None);
        check("port", &["postgres"], None);
        check(
            "postgres.user",
            &["postgres.pasword", "redis.user", "user"],
            None,
        );
        check("", &["host"], None);
        check("ab", &["xy"], None);
        check("port", &[], None);
        check(&"x".repeat(100_000), &["x"], None);
    }
}
