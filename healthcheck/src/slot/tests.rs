use std::time::UNIX_EPOCH;

use super::*;

#[test]
fn a_check_that_never_ran_fails_and_holds_back() {
    let now = Instant::now();
    let slot = default_slot();
    let result = slot.result(now, UNIX_EPOCH);
    assert!(!result.passed);
    assert_eq!(&*result.output, "not run yet");
    assert_eq!(result.response_time, None);
    assert!(slot.holds_back_readiness(now));
}

#[test]
fn first_pass_is_no_change_and_makes_ready() {
    let now = Instant::now();
    let mut slot = default_slot();
    assert_eq!(slot.record(pass(), now, UNIX_EPOCH), None);
    assert!(!slot.holds_back_readiness(now));
}

#[test]
fn first_failure_is_a_change() {
    let change = default_slot().record(fail(), Instant::now(), UNIX_EPOCH);
    assert_eq!(
        change.unwrap().to_string(),
        "critical check `postgres` fails: refused"
    );
}

#[test]
fn repeated_failures_are_one_change_and_recovery_another() {
    let now = Instant::now();
    let mut slot = default_slot();
    let changes: Vec<String> = [pass(), fail(), fail(), fail(), pass(), pass()]
        .into_iter()
        .filter_map(|answer| slot.record(answer, now, UNIX_EPOCH))
        .map(|change| change.to_string())
        .collect();
    assert_eq!(
        changes,
        [
            "critical check `postgres` fails: refused",
            "critical check `postgres` passes again: answered",
        ]
    );
}

#[test]
fn a_change_carries_the_whole_text_and_the_result_a_short_one() {
    let now = Instant::now();
    let long = "x".repeat(500);
    let answer = Answer {
        outcome: Err(long.clone()),
        took: Duration::ZERO,
    };
    let mut slot = default_slot();
    let change = slot.record(answer, now, UNIX_EPOCH).unwrap();
    assert_eq!(change.output, long);
    assert_eq!(slot.result(now, UNIX_EPOCH).output.chars().count(), 200);
}

#[test]
fn one_failure_keeps_ready_and_the_second_ends_it() {
    check_readiness(
        (2, 1),
        [
            (pass(), true),
            (fail(), true),
            (fail(), false),
            (pass(), true),
        ],
    );
}

#[test]
fn failures_that_are_not_in_a_row_keep_ready() {
    check_readiness(
        (2, 1),
        [
            (pass(), true),
            (fail(), true),
            (pass(), true),
            (fail(), true),
        ],
    );
}

#[test]
fn a_single_failure_ends_ready_when_told_so() {
    check_readiness((1, 1), [(pass(), true), (fail(), false), (pass(), true)]);
}

#[test]
fn several_passes_are_needed_when_told_so() {
    check_readiness(
        (1, 3),
        [
            (pass(), false),
            (pass(), false),
            (pass(), true),
            (fail(), false),
            (pass(), false),
            (pass(), false),
            (fail(), false),
            (pass(), false),
            (pass(), false),
            (pass(), true),
        ],
    );
}

#[test]
fn failures_before_the_first_pass_stay_unready() {
    check_readiness((2, 1), [(fail(), false), (fail(), false), (pass(), true)]);
}

#[test]
fn an_advisory_check_never_holds_back() {
    let now = Instant::now();
    let mut slot = slot(false, 1, 1);
    assert!(!slot.holds_back_readiness(now));
    slot.record(fail(), now, UNIX_EPOCH);
    slot.record(fail(), now, UNIX_EPOCH);
    assert!(!slot.holds_back_readiness(now));
}

#[test]
fn a_pass_expires_after_27_seconds_and_a_failure_after_9() {
    let now = Instant::now();
    let mut slot = default_slot();
    let finished = UNIX_EPOCH + Duration::from_secs(1000);
    slot.record(pass(), now, finished);
    let result = slot.result(now, finished + Duration::from_secs(5));
    assert_eq!(result.timestamp, finished);
    assert_eq!(result.expires, finished + Duration::from_secs(27));
    slot.record(fail(), now, finished);
    let result = slot.result(now, finished + Duration::from_secs(5));
    assert_eq!(result.expires, finished + Duration::from_secs(9));
}

#[test]
fn a_pass_is_stale_only_after_three_periods() {
    let start = Instant::now();
    let mut slot = default_slot();
    slot.record(pass(), start, UNIX_EPOCH);

    let last_good = start + Duration::from_secs(81);
    assert!(slot.result(last_good, UNIX_EPOCH).passed);
    assert!(!slot.holds_back_readiness(last_good));
    assert_eq!(slot.announce_if_stale(last_good), None);

    let too_late = last_good + Duration::from_millis(1);
    let result = slot.result(too_late, UNIX_EPOCH);
    assert!(!result.passed);
    assert_eq!(&*result.output, "stale: no new result for 1m 21s");
    assert_eq!(result.timestamp, UNIX_EPOCH);
    assert!(slot.holds_back_readiness(too_late));
}

#[test]
fn going_stale_is_told_once_and_the_next_pass_is_told_too() {
    let start = Instant::now();
    let stale = start + Duration::from_secs(90);
    let mut slot = default_slot();
    slot.record(pass(), start, UNIX_EPOCH);
    assert_eq!(
        slot.announce_if_stale(stale).unwrap().to_string(),
        "critical check `postgres` fails: stale: no new result for 1m 30s"
    );
    assert_eq!(slot.announce_if_stale(stale), None);
    let change = slot.record(pass(), stale, UNIX_EPOCH).unwrap();
    assert_eq!(
        change.to_string(),
        "critical check `postgres` passes again: answered"
    );
}

#[test]
fn a_failure_that_goes_stale_is_told_no_second_time() {
    let start = Instant::now();
    let mut slot = default_slot();
    slot.record(fail(), start, UNIX_EPOCH);
    assert_eq!(
        slot.announce_if_stale(start + Duration::from_secs(90)),
        None
    );
}

#[test]
fn a_check_back_from_stale_earns_its_readiness_anew() {
    let start = Instant::now();
    let mut slot = slot(true, 2, 2);
    slot.record(pass(), start, UNIX_EPOCH);
    slot.record(pass(), start, UNIX_EPOCH);
    assert!(!slot.holds_back_readiness(start));

    let back = start + Duration::from_secs(90);
    slot.record(pass(), back, UNIX_EPOCH);
    assert!(slot.holds_back_readiness(back));
    slot.record(pass(), back, UNIX_EPOCH);
    assert!(!slot.holds_back_readiness(back));
}

#[test]
fn one_failure_after_stale_is_not_forgiven() {
    let start = Instant::now();
    let mut slot = default_slot();
    slot.record(pass(), start, UNIX_EPOCH);
    let back = start + Duration::from_secs(90);
    slot.record(fail(), back, UNIX_EPOCH);
    assert!(slot.holds_back_readiness(back));
}

fn check_readiness<const N: usize>(thresholds: (u32, u32), steps: [(Answer, bool); N]) {
    let now = Instant::now();
    let mut slot = slot(true, thresholds.0, thresholds.1);
    for (index, (answer, ready)) in steps.into_iter().enumerate() {
        slot.record(answer, now, UNIX_EPOCH);
        assert_eq!(!slot.holds_back_readiness(now), ready, "step {index}");
    }
}

fn default_slot() -> Slot {
    slot(true, 2, 1)
}

fn slot(critical: bool, unready_after_failures: u32, ready_after_successes: u32) -> Slot {
    let cadence = Cadence {
        success_ttl: Duration::from_secs(27),
        failure_ttl: Duration::from_secs(9),
        deadline: Duration::from_millis(800),
    };
    let thresholds = Thresholds {
        unready_after_failures,
        ready_after_successes,
    };
    Slot::new("postgres", critical, cadence, thresholds)
}

fn pass() -> Answer {
    Answer {
        outcome: Ok("answered".to_owned()),
        took: Duration::from_millis(2),
    }
}

fn fail() -> Answer {
    Answer {
        outcome: Err("refused".to_owned()),
        took: Duration::from_millis(3),
    }
}
