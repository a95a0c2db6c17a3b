//! Where the generated service takes the framework from: a folder or a git repository.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;

use super::plan::TEMPLATE_VERSION;
use crate::{
    cargo,
    failure::{Failure, reason},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Framework {
    Path { path: PathBuf },
    Git { url: String, rev: String },
}

impl Framework {
    /// Reads the value of `--framework`.
    pub(crate) fn parse(source: &str) -> Result<Self, Failure> {
        if let Some(path) = source.strip_prefix("path=") {
            return Self::at_path(Path::new(path));
        }
        let Some(source) = source.strip_prefix("git=") else {
            return Err(
                Failure::bad_input(format!("`--framework {source}` names no source"))
                    .hint("write `--framework path=DIR` or `--framework git=URL#REV`"),
            );
        };
        let (url, rev) = match source.rsplit_once('#') {
            Some((url, rev)) if !rev.is_empty() => (url, rev),
            _ => {
                return Err(Failure::bad_input(format!("`--framework git={source}` has no revision"))
                    .hint("append the commit or the tag: `git=URL#REV`; a build must not change by itself"));
            }
        };
        let rev_is_sound = rev
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '+'));
        match cargo_url(url) {
            Some(url) if rev_is_sound => Ok(Self::Git { url, rev: rev.to_owned() }),
            _ => Err(Failure::bad_input(format!("`--framework git={source}` is no git address that cargo can use"))
                .hint("cargo takes https://, ssh:// and file:// addresses, and the absolute path of a repository")),
        }
    }

    /// The checkout or repository that this binary was built from.
    pub(crate) fn default_source() -> Result<Self, Failure> {
        if let Some(git) = std::env::current_exe()
            .ok()
            .and_then(|binary| installed_from_git(&binary))
        {
            return Ok(git);
        }
        let checkout = Path::new(BUILT_CHECKOUT);
        if !checkout.is_dir() {
            let message =
                format!("the framework is gone from `{BUILT_CHECKOUT}`, where `smart` was built");
            return Err(Failure::bad_input(message)
                .hint("name another place: `--framework path=DIR` or `--framework git=URL#REV`"));
        }
        match shareable_url(BUILT_ORIGIN) {
            Some(url) if is_published(checkout) => Ok(Self::Git {
                url,
                rev: BUILT_COMMIT.to_owned(),
            }),
            _ => Self::at_path(checkout),
        }
    }

    fn at_path(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let hint = "name the root of a checkout of Smart Service: `--framework path=DIR`";
        let absolute = path.canonicalize().map_err(|error| {
            Failure::bad_input(format!(
                "cannot use `{shown}` as the framework: {}",
                reason(&error)
            ))
            .hint(hint)
        })?;
        if absolute
            .to_str()
            .is_none_or(|path| path.contains(['"', '\\']) || path.chars().any(char::is_control))
        {
            return Err(Failure::bad_input(format!(
                "the path `{}` cannot stand in a manifest",
                absolute.display()
            ))
            .hint("move the checkout to a path of plain UTF-8 without quotes and backslashes"));
        }
        let version = checkout_version(&absolute).ok_or_else(|| {
            let message = format!(
                "`{shown}` is no checkout of Smart Service: it has no package `smart-service`"
            );
            match absolute
                .parent()
                .filter(|parent| checkout_version(parent).is_some())
            {
                Some(parent) => Failure::bad_input(message).hint(format!(
                    "did you mean `--framework path={}`?",
                    parent.display()
                )),
                None => Failure::bad_input(message).hint(hint),
            }
        })?;
        if version != TEMPLATE_VERSION {
            return Err(Failure::bad_input(format!(
                "the framework at `{shown}` has version {version}, the template in this `smart` has {TEMPLATE_VERSION}"
            ))
            .hint(format!("install the `smart` of that checkout: `cargo install --locked --path {}/cli`", absolute.display())));
        }
        Ok(Self::Path { path: absolute })
    }

    /// Whether a build on another machine would miss the framework.
    pub(crate) fn is_on_this_machine_only(&self) -> bool {
        match self {
            Self::Path { .. } => true,
            Self::Git { url, .. } => url.starts_with("file:"),
        }
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path } => write!(f, "path {}", path.display()),
            Self::Git { url, rev } => {
                // A full commit id would not fit the line, and nobody reads its end.
                let is_commit = rev.len() == 40 && rev.bytes().all(|byte| byte.is_ascii_hexdigit());
                write!(
                    f,
                    "git {url} at {}",
                    if is_commit { &rev[..12] } else { rev }
                )
            }
        }
    }
}

const BUILT_CHECKOUT: &str = env!("SMART_BUILT_CHECKOUT");
const BUILT_COMMIT: &str = env!("SMART_BUILT_COMMIT");
const BUILT_ORIGIN: &str = env!("SMART_BUILT_ORIGIN");

/// The version of `smart-service` in a checkout, inherited from its workspace or its own.
fn checkout_version(checkout: &Path) -> Option<String> {
    let manifest = |path: &Path| {
        std::fs::read_to_string(path)
            .ok()?
            .parse::<toml::Table>()
            .ok()
    };
    let package = manifest(&checkout.join("smart-service/Cargo.toml"))?
        .get("package")?
        .clone();
    if package.get("name")?.as_str()? != "smart-service" {
        return None;
    }
    match package.get("version")? {
        toml::Value::String(version) => Some(version.clone()),
        _ => {
            let root = manifest(&checkout.join("Cargo.toml"))?;
            Some(
                root.get("workspace")?
                    .get("package")?
                    .get("version")?
                    .as_str()?
                    .to_owned(),
            )
        }
    }
}

/// What `cargo install --git` wrote down when it put this binary into `ROOT/bin`.
fn installed_from_git(binary: &Path) -> Option<Framework> {
    let root = binary.parent()?.parent()?;
    let record = std::fs::read_to_string(root.join(".crates2.json")).ok()?;
    let record: serde_json::Value = serde_json::from_str(&record).ok()?;
    let binary = binary.file_name()?.to_str()?;
    record
        .get("installs")?
        .as_object()?
        .iter()
        .find_map(|(package, install)| {
            let has_binary = install
                .get("bins")?
                .as_array()?
                .iter()
                .any(|name| name == binary);
            let source = package
                .split_once("(git+")?
                .1
                .strip_suffix(')')
                .filter(|_| has_binary)?;
            let (url, rev) = source.rsplit_once('#')?;
            let url = url.split('?').next()?;
            Some(Framework::Git {
                url: without_credentials(url),
                rev: rev.to_owned(),
            })
        })
}

/// An address that other machines can reach too, in the form cargo takes.
fn shareable_url(origin: &str) -> Option<String> {
    cargo_url(origin).filter(|url| url.starts_with("https://") || url.starts_with("ssh://"))
}

fn cargo_url(address: &str) -> Option<String> {
    if address.is_empty()
        || address
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\'))
    {
        return None;
    }
    if address.starts_with('/') {
        return Some(format!("file://{address}"));
    }
    if let Some((scheme, rest)) = address.split_once("://") {
        let is_known = matches!(scheme, "https" | "http" | "ssh" | "git" | "file");
        return (is_known && !rest.is_empty()).then(|| without_credentials(address));
    }
    // The short form `git@host:folder/repository` is git's own; cargo wants an address.
    let (host, path) = address.split_once(':')?;
    (host.contains('@') && !path.is_empty())
        .then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

/// A token in an address must not end up in a manifest; the user name of ssh must stay.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}/{path}")
        }
        _ => url.to_owned(),
    }
}

/// Whether the built commit is what lies in the checkout now, unchanged, and known to be at the origin.
fn is_published(checkout: &Path) -> bool {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        cargo::clean_environment(&mut command);
        let output = command
            .arg("-C")
            .arg(checkout)
            .args(arguments)
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    !BUILT_COMMIT.is_empty()
        && git(&["rev-parse", "HEAD"]).as_deref() == Some(BUILT_COMMIT)
        && git(&["status", "--porcelain"]).as_deref() == Some("")
        && git(&["branch", "--remotes", "--contains", BUILT_COMMIT]).is_some_and(|branches| {
            branches
                .lines()
                .any(|branch| branch.trim().starts_with("origin/"))
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn addresses_take_the_form_that_cargo_wants() {
        let cases = [
            (
                "https://example.org/smart.git",
                Some("https://example.org/smart.git"),
            ),
            (
                "https://x-token:secret@example.org/smart",
                Some("https://example.org/smart"),
            ),
            (
                "git@example.org:team/smart.git",
                Some("ssh://git@example.org/team/smart.git"),
            ),
            (
                "ssh://git@example.org/smart",
                Some("ssh://git@example.org/smart"),
            ),
            ("/srv/smart", Some("file:///srv/smart")),
            ("../smart", None),
            ("https://", None),
            ("https://example.org/a b", None),
            ("", None),
        ];
        for (address, expected) in cases {
            assert_eq!(cargo_url(address).as_deref(), expected, "{address}");
        }
        assert_eq!(shareable_url("/srv/smart"), None);
        assert_eq!(shareable_url("file:///srv/smart"), None);
        assert!(shareable_url("git@example.org:team/smart.git").is_some());
    }

    #[test]
    fn installation_from_git_is_remembered() {
        let root = tempfile::tempdir().unwrap();
        let record = r#"{"installs": {
            "other 1.0.0 (registry+https://example.org)": {"bins": ["other"]},
            "cli 0.1.0 (git+https://token@example.org/smart?branch=main#0123456789)": {"bins": ["smart"]}
        }}"#;
        fs::write(root.path().join(".crates2.json"), record).unwrap();
        let expected = Framework::Git {
            url: "https://example.org/smart".into(),
            rev: "0123456789".into(),
        };
        assert_eq!(
            installed_from_git(&root.path().join("bin/smart")),
            Some(expected)
        );
        assert_eq!(installed_from_git(&root.path().join("bin/other")), None);
        assert_eq!(installed_from_git(Path::new("/nowhere/bin/smart")), None);
    }

    #[test]
    fn version_of_a_checkout_is_its_own_or_its_workspaces() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| fs::write(root.path().join(path), text).unwrap();
        assert_eq!(checkout_version(root.path()), None);
        fs::create_dir(root.path().join("smart-service")).unwrap();
        write(
            "smart-service/Cargo.toml",
            "[package]\nname = \"smart-service\"\nversion = \"3.0.0\"\n",
        );
        assert_eq!(checkout_version(root.path()).as_deref(), Some("3.0.0"));
        write(
            "smart-service/Cargo.toml",
            "[package]\nname = \"smart-service\"\nversion.workspace = true\n",
        );
        write("Cargo.toml", "[workspace.package]\nversion = \"4.0.0\"\n");
        assert_eq!(checkout_version(root.path()).as_deref(), Some("4.0.0"));
        let failure = Framework::at_path(root.path()).unwrap_err();
        assert!(
            failure.message.contains("version 4.0.0"),
            "{}",
            failure.message
        );
    }

    #[test]
    fn file_address_and_path_are_on_this_machine_only() {
        let git = |url: &str| Framework::Git {
            url: url.into(),
            rev: "v1".into(),
        };
        assert!(git("file:///srv/smart").is_on_this_machine_only());
        assert!(!git("https://example.org/smart").is_on_this_machine_only());
        assert!(
            Framework::Path {
                path: "/srv".into()
            }
            .is_on_this_machine_only()
        );
    }
}
