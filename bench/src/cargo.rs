//! cargo and the programs it builds, as children with the environment of a person at a terminal.

use std::path::Path;
use std::process::Command;

/// A command in `folder` without what `cargo run` told this process about the crate `bench`: build scripts that watch those
/// variables would run again. What people set for their own builds of this workspace stays away from services, too.
pub(crate) fn command(program: impl AsRef<Path>, folder: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_foreign) {
            command.env_remove(name);
        }
    }
    command
}

fn is_foreign(name: &str) -> bool {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "SMART_"];
    const NAMES: [&str; 4] = ["CARGO", "CARGO_CRATE_NAME", "CARGO_TARGET_DIR", "OUT_DIR"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
