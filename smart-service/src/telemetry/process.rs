//! The process's own figures, from `/proc`, under the names that Prometheus clients agree on.
//!
//! The library for this would bring thirty packages into the lock file of every service, for systems it never runs on.

use std::fs;

use metrics::{describe_gauge, gauge};
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// Describes what [`record`] sets.
pub(super) fn describe() {
    // A gauge, because counters of the `metrics` crate hold whole numbers.
    describe_gauge!(
        "process_cpu_seconds_total",
        "Processor time used so far, by user and system"
    );
    describe_gauge!("process_resident_memory_bytes", "Memory in use");
    describe_gauge!("process_virtual_memory_bytes", "Address space in use");
    describe_gauge!("process_threads", "Threads");
    describe_gauge!("process_open_fds", "Open file descriptors");
    describe_gauge!("process_max_fds", "Most file descriptors that may be open");
    describe_gauge!(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970"
    );
}

/// Sets the figures as they are now. Where there is no `/proc`, there are none.
pub(super) fn record() {
    if let Some(stat) = fs::read_to_string("/proc/self/stat")
        .ok()
        .as_deref()
        .and_then(Stat::parse)
    {
        gauge!("process_cpu_seconds_total").set(stat.processor_ticks / ticks());
        gauge!("process_resident_memory_bytes")
            .set(stat.resident_pages * float(page_size() as u64));
        gauge!("process_virtual_memory_bytes").set(stat.virtual_bytes);
        gauge!("process_threads").set(stat.threads);
        if let Some(booted) = boot_time() {
            gauge!("process_start_time_seconds").set(booted + stat.start_ticks / ticks());
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is the listing itself.
        gauge!("process_open_fds").set(float(open.count().saturating_sub(1) as u64));
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        gauge!("process_max_fds").set(float(most));
    }
}

/// What is used of `/proc/self/stat`, see `proc_pid_stat(5)`.
#[derive(Debug, PartialEq)]
struct Stat {
    processor_ticks: f64,
    threads: f64,
    start_ticks: f64,
    virtual_bytes: f64,
    resident_pages: f64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, and may hold anything, parentheses too.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The manual counts from one, and the state, number 3, is the first here.
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self {
            processor_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// Seconds since 1970.
fn boot_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines()
        .find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

fn ticks() -> f64 {
    float(clock_ticks_per_second())
}

/// Metrics are floats, exact up to nine quadrillion.
#[expect(
    clippy::cast_precision_loss,
    reason = "no figure of a process is that large"
)]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_the_program_may_hold_anything() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 100 50 13 14 15 16 4 18 1000 4096 7 99";
        let expected = Some(Stat {
            processor_ticks: 150.0,
            threads: 4.0,
            start_ticks: 1000.0,
            virtual_bytes: 4096.0,
            resident_pages: 7.0,
        });
        for name in ["orders", "a) S 9 9", "", "two words"] {
            assert_eq!(
                Stat::parse(&format!("77 ({name}) {rest}")),
                expected,
                "{name}"
            );
        }
        assert_eq!(Stat::parse("77 (cut) S 1 2"), None);
        assert_eq!(Stat::parse(""), None);
    }
}
