//! Waiting for what will happen, under a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Longest wait. Above the slowest thing a healthy machine does, so that a loaded one does not fail a sound test.
const DEADLINE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until the answer is there, for 20 seconds at most.
///
/// # Panics
/// When the time is up; the message says `what` was awaited.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            Instant::now() < until,
            "still not true after {} s: {what}",
            DEADLINE.as_secs()
        );
        sleep(PAUSE).await;
    }
}
