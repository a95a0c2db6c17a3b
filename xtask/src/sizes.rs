//! `cargo xtask sizes`: source files stay readable in one go, and are named after an idea.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};

use crate::cargo;

pub(crate) fn run() -> anyhow::Result<()> {
    let mut faults = Vec::new();
    walk(cargo::workspace(), Path::new(""), &mut faults)?;
    if !faults.is_empty() {
        faults.sort();
        bail!(
            "some source files are out of shape:\n  {}",
            faults.join("\n  ")
        );
    }
    Ok(())
}

fn walk(root: &Path, folder: &Path, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = fs::read_dir(root.join(folder))
        .with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = folder.join(&*name);
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(root, &path, faults)?;
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path())
                .with_context(|| format!("cannot read {}", path.display()))?;
            faults.extend(fault(&path, &text));
        }
    }
    Ok(())
}

fn fault(path: &Path, text: &str) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let lines = text.lines().count();
    let reason = if stem == "mod" {
        "write `foo.rs` beside the folder `foo`".to_string()
    } else if NAMELESS.contains(&stem) {
        "name it after what it holds".to_string()
    } else if lines > LINES && !text.starts_with("// list:") {
        format!(
            "{lines} lines; split it, at most {LINES} are allowed, or open it with `// list:` if it is one uniform table"
        )
    } else {
        return None;
    };
    Some(format!("{}: {reason}", path.display()))
}

const LINES: usize = 600;
/// Names for whatever has no name yet. Such modules only ever grow.
const NAMELESS: [&str; 8] = [
    "common", "helper", "helpers", "models", "prelude", "types", "util", "utils",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_nameless_files_are_faults() {
        let check = |path: &str, text: &str, expected: Option<&str>| {
            assert_eq!(fault(Path::new(path), text).as_deref(), expected);
        };
        let long = "line\n".repeat(601);
        check("a/src/loader.rs", &"line\n".repeat(600), None);
        check("a/src/names.rs", &format!("// list: names\n{long}"), None);
        check(
            "a/src/utils.rs",
            "",
            Some("a/src/utils.rs: name it after what it holds"),
        );
        check(
            "a/tests/it/mod.rs",
            "",
            Some("a/tests/it/mod.rs: write `foo.rs` beside the folder `foo`"),
        );
        let expected = "a/src/loader.rs: 601 lines; split it, at most 600 are allowed, \
                        or open it with `// list:` if it is one uniform table";
        check("a/src/loader.rs", &long, Some(expected));
    }
}
