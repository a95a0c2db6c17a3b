{%- if database == "none" -%}
//! Tells the program its commit and its template.
//!
//! Belongs to the framework: an update replaces it.

use std::env;
use std::path::Path;
use std::process::Command;
{%- else -%}
//! Tells the program its commit and its template, and packs the migrations into it.
//!
//! Belongs to the framework: an update replaces it.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
{%- endif %}

/// What a binary is made of; anything else may differ from the commit.
const INPUTS: [&str; {% if database == "none" %}4{% else %}5{% endif %}] = ["Cargo.lock", "Cargo.toml", "build.rs", {% if database != "none" %}"migrations", {% endif %}"src"];

/// Also asked for when this script is compiled: otherwise one checkout would run the script of another.
const _: Option<&str> = option_env!("SMART_CHECKOUT");

fn main() {
    for input in INPUTS.iter().filter(|input| Path::new(input).exists()) {
        println!("cargo::rerun-if-changed={input}");
    }
    // Set in `.cargo/config.toml`, with the reason.
    println!("cargo::rerun-if-env-changed=SMART_CHECKOUT");
    println!("cargo::rustc-env=SMART_TEMPLATE_VERSION={{template_version}}");
    println!("cargo::rustc-env=SMART_COMMIT={}", commit());
{%- if database != "none" %}
    match migrations(Path::new("migrations")) {
        Ok(list) => {
            let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
            fs::write(Path::new(&out).join("migrations.rs"), list).expect("OUT_DIR is writable");
        }
        Err(fault) => println!("cargo::error={fault}"),
    }
{%- endif %}
}

/// The commit, ending in `-dirty` when the build is made of something else.
///
/// Where there is no git, as in the build of an image, the variable `SMART_COMMIT` names it.
fn commit() -> String {
    println!("cargo::rerun-if-env-changed=SMART_COMMIT");
    if let Ok(commit) = env::var("SMART_COMMIT")
        && !commit.is_empty()
    {
        return commit;
    }
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    // Git writes a line to this file whenever HEAD moves. A file that is missing would run this script on every build.
    if let Some(moves) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&moves).exists()
    {
        println!("cargo::rerun-if-changed={moves}");
    }
    let status = [&["status", "--porcelain", "--"], INPUTS.as_slice()].concat();
    match git(&status) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit}-dirty"),
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
{%- if database != "none" %}

/// What `smart_service::migrations!()` includes: version, description and text of every file in the folder.
fn migrations(folder: &Path) -> Result<String, String> {
    let unreadable = |error| format!("cannot read the folder `{}`: {error}", folder.display());
    let absolute = folder.canonicalize().map_err(unreadable)?;
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy().into_owned();
        // Left behind by editors.
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let Some((version, description)) = parse_name(&name) else {
            let rule = "the name of a migration is like `0002_add_price.sql`";
            return Err(format!("`migrations/{name}` is no migration: {rule}"));
        };
        if let Some((_, other)) = files.insert(version, (description, name.clone())) {
            let rule = "give the newer one the next free number";
            return Err(format!(
                "`{other}` and `{name}` have the same version {version}: {rule}"
            ));
        }
    }

    let mut list = "&[\n".to_owned();
    for (version, (description, name)) in files {
        let path = absolute.join(name);
        list += &format!("    ({version}, {description:?}, include_str!({path:?})),\n");
    }
    Ok(list + "]\n")
}

/// `0002_add_price.sql` is version 2, "add price".
fn parse_name(name: &str) -> Option<(i64, String)> {
    let (version, description) = name.strip_suffix(".sql")?.split_once('_')?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if description.is_empty() || !description.chars().all(is_plain) {
        return None;
    }
    if !version.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    Some((version.parse().ok()?, description.replace('_', " ")))
}
{%- endif %}
