//! How times, sizes and counts are written for people.

use std::time::Duration;

/// Seconds with as many decimals as a person can use: `0.04 s`, `8.1 s`, `131 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        _ if seconds < 9.995 => format!("{seconds:.2} s"),
        _ if seconds < 99.95 => format!("{seconds:.1} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// Decimal units, as disks and file managers count: `812 B`, `3.4 kB`, `41.2 MB`.
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let bytes_f = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes_f / 1e3),
        _ => format!("{:.1} MB", bytes_f / 1e6),
    }
}

/// A count with its noun: `1 file`, `41 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short() {
        assert_eq!(seconds(Duration::from_millis(41)), "0.04 s");
        assert_eq!(seconds(Duration::from_millis(21_449)), "21.4 s");
        assert_eq!(seconds(Duration::from_secs(131)), "131 s");
        assert_eq!(size(812), "812 B");
        assert_eq!(size(3_400), "3.4 kB");
        assert_eq!(size(41_200_000), "41.2 MB");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(41, "file"), "41 files");
    }
}
