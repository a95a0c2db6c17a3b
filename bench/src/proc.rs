//! What the kernel says about a process.

use std::time::Duration;

use anyhow::Context as _;

/// Memory that a process has in RAM, in bytes.
pub(crate) fn resident_memory(id: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let kibibytes: u64 = kibibytes
        .and_then(|number| number.parse().ok())
        .context("the kernel reports no VmRSS")?;
    Ok(kibibytes * 1024)
}

/// Processor time that a process has used.
pub(crate) fn cpu_time(id: u32) -> anyhow::Result<Duration> {
    cpu_fields(&id.to_string(), 14)
}

/// Processor time of all children of this process that have ended, and of theirs.
pub(crate) fn cpu_time_of_ended_children() -> anyhow::Result<Duration> {
    cpu_fields("self", 16)
}

/// The sum of a field of `/proc/ID/stat` and the next one, counted from 1 as proc(5) does: user and system time.
fn cpu_fields(id: &str, first: usize) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The second field is the name of the program in parentheses; it may hold spaces.
    let (_, fields) = stat.rsplit_once(')').context("no process status")?;
    let fields = fields.split_whitespace().skip(first - 3).take(2);
    let ticks: u64 = fields
        .map(str::parse::<u64>)
        .sum::<Result<u64, _>>()
        .context("no processor time in the process status")?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis(ticks * 1000 / per_second))
}
