//! What the build script embedded: the template's files and the framework's lock file.

use super::plan::TEMPLATE_VERSION;

/// One file of the template, as it lies in the folder `template`.
#[derive(Debug)]
pub(crate) struct EmbeddedFile {
    pub(crate) path: &'static str,
    pub(crate) executable: bool,
    pub(crate) bytes: &'static [u8],
}

pub(crate) const FILES: &[EmbeddedFile] = include!(concat!(env!("OUT_DIR"), "/template.rs"));

/// Seeds the lock file of every service, so that it is built with the versions the framework was tested with.
pub(crate) const LOCK_FILE: &str = include!(concat!(env!("OUT_DIR"), "/lock.rs"));

/// The direct dependencies that a generated service may have, whatever its parts.
///
/// The manifest is a template and so no TOML yet: the lines of its dependency tables are enough.
pub(crate) fn dependencies() -> impl Iterator<Item = &'static str> {
    let manifest = FILES
        .iter()
        .find(|file| matches!(file.path, "Cargo.toml.liquid" | "Cargo.toml"));
    let text = manifest
        .and_then(|file| std::str::from_utf8(file.bytes).ok())
        .unwrap_or_default();
    dependencies_in(text)
}

fn dependencies_in(manifest: &str) -> impl Iterator<Item = &str> {
    let mut in_table = false;
    manifest.lines().filter_map(move |line| {
        if let Some(table) = line.trim().strip_prefix('[') {
            in_table = table.trim_end_matches(']').ends_with("dependencies");
            return None;
        }
        let (key, _) = line.split_once('=').filter(|_| in_table)?;
        // A line may open with a tag of the template language, and a key may be dotted.
        let key = key
            .rsplit("%}")
            .next()
            .unwrap_or(key)
            .trim()
            .split('.')
            .next()?;
        let is_name = !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        is_name.then_some(key)
    })
}

/// The packages of the framework's own workspace: those without a source in its lock file.
pub(crate) fn framework_packages() -> impl Iterator<Item = &'static str> {
    LOCK_FILE
        .split("[[package]]")
        .skip(1)
        .filter(|package| !package.contains("\nsource = "))
        .filter_map(|package| {
            let (_, rest) = package.split_once("name = \"")?;
            rest.split_once('"').map(|(name, _)| name)
        })
}

/// How many packages a lock file names.
pub(crate) fn packages_in(lock_file: &str) -> usize {
    lock_file.matches("[[package]]").count()
}

/// The trailer of the first commit: where later template versions are merged from.
pub(crate) fn trailer() -> String {
    format!("Smart-Template: {TEMPLATE_VERSION}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_from_an_unrendered_manifest() {
        let manifest = "[package]\nname = \"{{project-name}}\"\n[dependencies]\naxum = \"1\"\n{% if redis %}\n\
                        redis = { version = \"1\" }\n{% endif %}{% if x %}uuid = \"1\"\n[dev-dependencies]\n\
                        smart-testing.path = \"x\"\n[profile.dev]\ndebug = false\n";
        let found: Vec<&str> = dependencies_in(manifest).collect();
        assert_eq!(found, ["axum", "redis", "uuid", "smart-testing"]);
    }

    #[test]
    fn template_and_lock_file_are_embedded() {
        for name in [
            "axum",
            "serde",
            "smart-service",
            "smart-testing",
            "sqlx",
            "tokio",
        ] {
            assert!(
                dependencies().any(|dependency| dependency == name),
                "{name}"
            );
        }
        for name in ["smart-service", "healthcheck", "cli"] {
            assert!(
                framework_packages().any(|package| package == name),
                "{name}"
            );
        }
        assert!(framework_packages().all(|package| package != "axum"));
    }
}
