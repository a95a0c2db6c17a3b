/// The candidate that was most likely meant, if one is near enough to be worth saying.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase().replace('-', "_");
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let likeness =
                strsim::jaro_winkler(&written, &candidate.to_lowercase().replace('-', "_"));
            (likeness >= NEAR_ENOUGH).then_some((likeness, candidate))
        })
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// Found by trying: `prot` and `port` have 0.92, `drian` and `drain` 0.95, `host` and `port` 0.67.
const NEAR_ENOUGH: f64 = 0.8;

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
        check(
            "body-limit",
            &["body_limit", "body_size"],
            Some("body_limit"),
        );
        check(
            "postgres.pasword",
            &["postgres.password", "redis.password"],
            Some("postgres.password"),
        );
    }

    #[test]
    fn far_names_are_not_suggested() {
        check("colour", &["host", "port"], None);
        check("", &["host"], None);
        check("port", &[], None);
    }
}
