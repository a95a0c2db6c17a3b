//! Finds out which program listens on a port.

use std::fs;

/// The program that listens on a port, as far as this account may know; only Linux tells.
pub(super) fn of(port: u16) -> Option<String> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_sockets(&table, port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?.flatten();
    processes.into_iter().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut files = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        let listens = files.any(|file| {
            fs::read_link(file.path())
                .is_ok_and(|target| sockets.iter().any(|socket| target.as_os_str() == &**socket))
        });
        let name = fs::read_to_string(process.path().join("comm")).ok()?;
        listens.then(|| format!("`{}` (process {pid})", name.trim()))
    })
}

/// The listening sockets of a port in the kernel's table, by the names they have as open files.
fn listening_sockets(table: &str, port: u16) -> Vec<String> {
    let socket = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let (_, its_port) = columns.get(LOCAL_ADDRESS)?.rsplit_once(':')?;
        let listens =
            *columns.get(STATE)? == LISTENING && u16::from_str_radix(its_port, 16).ok()? == port;
        listens.then(|| format!("socket:[{}]", columns.get(INODE).unwrap_or(&"")))
    };
    table.lines().filter_map(socket).collect()
}

const LOCAL_ADDRESS: usize = 1;
const STATE: usize = 3;
const INODE: usize = 9;
const LISTENING: &str = "0A";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listener_of_the_port_is_found() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1234 1
   1: 0100007F:18EB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1235 1
   2: 0100007F:18EC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1236 1";
        assert_eq!(listening_sockets(table, 0x18EB), ["socket:[1234]"]);
    }
}
