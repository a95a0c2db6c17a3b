//! When a check runs again, and when its result is too old to be believed.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// The times of one check.
#[derive(Clone, Debug)]
pub(crate) struct Cadence {
    pub(crate) success_ttl: Duration,
    pub(crate) failure_ttl: Duration,
    pub(crate) deadline: Duration,
}

impl Cadence {
    /// How long a result may be shown as current.
    pub(crate) fn ttl(&self, passed: bool) -> Duration {
        if passed {
            self.success_ttl
        } else {
            self.failure_ttl
        }
    }

    /// How long to wait after a result until the next run starts.
    ///
    /// The run starts one deadline before the result expires, and earlier still by 1 to 5 % of the time to live. Even an
    /// answer in the last moment of its deadline therefore arrives before a reader can see the old result expire, and
    /// the instances of a service drift apart instead of asking their database all at once. `chance` is in `0.0..1.0`.
    ///
    /// A time to live that is hardly longer than the deadline leaves no room for that: a tenth of it is always waited,
    /// or a slow check would run without a break.
    pub(crate) fn pause(&self, passed: bool, chance: f64) -> Duration {
        let ttl = self.ttl(passed);
        let early = ttl.mul_f64(0.01 + 0.04 * chance);
        ttl.saturating_sub(self.deadline + early).max(ttl / 10)
    }

    /// The age at which a result is stale: three periods without a new one.
    ///
    /// A check whose deadline is longer than the time to live has that as its period.
    pub(crate) fn stale_after(&self, passed: bool) -> Duration {
        self.ttl(passed).max(self.deadline) * 3
    }
}

/// A random number in `0.0..1.0`.
///
/// The seed of a standard hash map is random enough to keep instances apart and costs no dependency.
pub(crate) fn chance() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Cadence = Cadence {
        success_ttl: Duration::from_secs(27),
        failure_ttl: Duration::from_secs(9),
        deadline: Duration::from_millis(800),
    };

    #[test]
    fn the_slowest_answer_arrives_before_the_result_expires() {
        for passed in [true, false] {
            for step in 0..100 {
                let pause = DEFAULT.pause(passed, f64::from(step) / 100.0);
                let ttl = DEFAULT.ttl(passed);
                assert!(pause + DEFAULT.deadline <= ttl.mul_f64(0.99), "{pause:?}");
                assert!(pause + DEFAULT.deadline >= ttl.mul_f64(0.95), "{pause:?}");
            }
        }
    }

    #[test]
    fn one_second_leaves_room_for_the_default_deadline() {
        let second = Duration::from_secs(1);
        let cadence = Cadence {
            success_ttl: second,
            failure_ttl: second,
            ..DEFAULT
        };
        assert_eq!(cadence.pause(true, 0.0), Duration::from_millis(190));
        assert_eq!(cadence.pause(true, 1.0), Duration::from_millis(150));
    }

    #[test]
    fn a_time_to_live_below_the_deadline_still_pauses() {
        let cadence = Cadence {
            success_ttl: Duration::from_millis(500),
            ..DEFAULT
        };
        assert_eq!(cadence.pause(true, 0.5), Duration::from_millis(50));
    }

    #[test]
    fn three_periods_make_a_result_stale() {
        assert_eq!(DEFAULT.stale_after(true), Duration::from_secs(81));
        assert_eq!(DEFAULT.stale_after(false), Duration::from_secs(27));
    }

    #[test]
    fn a_long_deadline_lengthens_the_period() {
        let cadence = Cadence {
            deadline: Duration::from_secs(60),
            ..DEFAULT
        };
        assert_eq!(cadence.stale_after(false), Duration::from_secs(180));
    }

    #[test]
    fn chance_stays_in_range_and_varies() {
        let values: Vec<f64> = (0..1000).map(|_| chance()).collect();
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        assert!(values.iter().any(|value| *value < 0.2));
        assert!(values.iter().any(|value| *value > 0.8));
    }
}
