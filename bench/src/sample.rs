//! Many measurements of one thing, and how they are shown.

use std::time::Duration;

/// Durations, sorted.
#[derive(Debug)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    /// # Panics
    /// When there is no measurement.
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        assert!(
            !durations.is_empty(),
            "a sample has at least one measurement"
        );
        durations.sort_unstable();
        Self(durations)
    }

    pub(crate) fn median(&self) -> Duration {
        self.percentile(50)
    }

    pub(crate) fn worst(&self) -> Duration {
        self.percentile(100)
    }

    /// The smallest measurement that at least this many of a hundred do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0[rank.saturating_sub(1)]
    }
}

/// `12.3 ms`
pub(crate) fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

/// `1.23 s`, and `61.2 s` from ten seconds on.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{seconds:.1} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measurements() {
        let sample = |count| Sample::new((1..=count).rev().map(Duration::from_millis).collect());
        for (count, percent, expected) in [
            (1, 50, 1),
            (5, 50, 3),
            (20, 50, 10),
            (20, 100, 20),
            (100, 99, 99),
            (1000, 99, 990),
        ] {
            let found = sample(count).percentile(percent);
            assert_eq!(
                found,
                Duration::from_millis(expected),
                "p{percent} of {count}"
            );
        }
    }
}
