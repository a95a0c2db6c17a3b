//! Every combination of parts: whole, parsable, formatted, and free of what was not chosen.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use saphyr::{LoadableYamlNode, Yaml};

use crate::sandbox::Sandbox;

/// Renders `name` with `parts` and hands over the paths of all files.
fn render(name: &str, parts: &str) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    let mut arguments = vec![name, "--no-verify", "--port", "20200"];
    if !parts.is_empty() {
        arguments.extend(["--with", parts]);
    }
    sandbox.run(&mut sandbox.generate(&arguments)).expect(0);
    let files = sandbox
        .tree()
        .into_iter()
        .filter(|path| sandbox.path(path).is_file())
        .collect();
    (sandbox, files)
}

/// Everything that must hold for one combination of parts.
fn check(parts: &str) {
    let (sandbox, files) = render("orders", parts);
    let name = if parts.is_empty() {
        String::from("none")
    } else {
        parts.replace(',', "_")
    };
    insta::assert_snapshot!(format!("files_{name}"), files.join("\n"));
    for path in &files {
        let text = sandbox.read(path);
        check_rendered(path, &text);
        check_tidy(path, &text);
        check_only_chosen(path, &text, parts);
        check_syntax(path, &text, &sandbox.path(path));
    }
    check_manifests(&sandbox);
    // Where a line breaks may depend on the length of the name.
    check_formatted(&sandbox, &files);
    for name in ["a", "teams", "zulu-stock-levels-of-the-far-north-west"] {
        let (sandbox, files) = render(name, parts);
        check_formatted(&sandbox, &files);
    }
}

#[test]
fn service_without_parts_is_whole() {
    check("");
}

#[test]
fn service_with_sqlite_is_whole() {
    check("sqlite");
}

#[test]
fn service_with_postgres_is_whole() {
    check("postgres");
}

#[test]
fn service_with_redis_is_whole() {
    check("redis");
}

#[test]
fn service_with_sqlite_and_redis_is_whole() {
    check("sqlite,redis");
}

#[test]
fn service_with_postgres_and_redis_is_whole() {
    check("postgres,redis");
}

#[test]
fn scripts_can_be_run() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&mut sandbox.generate(&["orders", "--no-verify"]))
        .expect(0);
    let scripts: Vec<String> = sandbox
        .tree()
        .into_iter()
        .filter(|path| sandbox.path(path).is_file() && sandbox.read(path).starts_with("#!"))
        .collect();
    assert!(!scripts.is_empty());
    for path in scripts {
        let mode = fs::metadata(sandbox.path(&path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o111, 0o111, "{path}");
    }
}

#[test]
fn framework_by_git_is_pinned_in_the_manifest() {
    let sandbox = Sandbox::new();
    let source = "git=https://token@example.org/smart.git#0123456789abcdef0123456789abcdef01234567";
    let said = sandbox
        .run(&mut sandbox.generate(&["orders", "--no-verify", "--framework", source]))
        .expect(0);
    assert!(
        said.stdout
            .contains("git https://example.org/smart.git at 0123456789ab\n"),
        "{}",
        said.stdout
    );
    let manifest: toml::Table = sandbox.read("orders/Cargo.toml").parse().unwrap();
    for (table, name) in [
        ("dependencies", "smart-service"),
        ("dev-dependencies", "smart-testing"),
    ] {
        let dependency = &manifest[table][name];
        assert_eq!(
            dependency["git"].as_str(),
            Some("https://example.org/smart.git"),
            "{name}"
        );
        assert_eq!(
            dependency["rev"].as_str(),
            Some("0123456789abcdef0123456789abcdef01234567"),
            "{name}"
        );
    }
    for path in sandbox.tree() {
        if sandbox.path(&path).is_file() {
            assert!(!sandbox.read(&path).contains("token@"), "{path}");
        }
    }
}

#[test]
fn answers_of_another_tool_do_not_leak_in() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.generate(&["orders", "--no-verify"]);
    for variable in ["USER", "USERNAME", "NAME", "CARGO_NAME", "HOME"] {
        command.env_remove(variable);
    }
    command
        .env("CARGO_GENERATE_VALUE_REDIS", "true")
        .env("CARGO_GENERATE_VALUE_PORT", "1");
    sandbox.run(&mut command).expect(0);
    assert!(!sandbox.read("orders/Cargo.toml").contains("redis"));
}

/// Nothing of the template language is left.
fn check_rendered(path: &str, text: &str) {
    assert!(
        !path.contains('{') && !path.ends_with(".liquid") && !path.ends_with(".rhai"),
        "{path}"
    );
    let is_workflow = path.contains("/.github/");
    // Rust writes a brace in a format string as two.
    let braces_are_code = path.ends_with(".rs");
    for (number, line) in text.lines().enumerate() {
        let line = if is_workflow {
            line.replace("${{", "")
        } else {
            line.to_owned()
        };
        let is_left =
            line.contains("{%") || line.contains("%}") || (!braces_are_code && line.contains("{{"));
        assert!(!is_left, "{path}:{}: {line}", number + 1);
    }
}

fn check_tidy(path: &str, text: &str) {
    assert!(
        text.ends_with('\n') && !text.ends_with("\n\n"),
        "{path}: end of file"
    );
    assert!(!text.starts_with('\n'), "{path}: starts with an empty line");
    assert!(!text.contains("\n\n\n"), "{path}: two empty lines");
    assert!(
        !text.contains('\t') && !text.contains('\r'),
        "{path}: tab or carriage return"
    );
    assert!(
        text.lines().all(|line| line.trim_end() == line),
        "{path}: space at the end of a line"
    );
}

/// Parts that were not chosen are not mentioned.
fn check_only_chosen(path: &str, text: &str, parts: &str) {
    // The answers of the generator name what was not chosen; the lock file may not be pruned yet.
    if path.ends_with(".smart/manifest.toml") || path.ends_with("Cargo.lock") {
        return;
    }
    let mut foreign: Vec<&str> = ["sqlite", "postgres", "redis"]
        .into_iter()
        .filter(|part| !parts.contains(part))
        .collect();
    if !parts.contains("sqlite") && !parts.contains("postgres") {
        foreign.extend(["sqlx", "migrat"]);
    }
    for (number, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        let found = foreign.iter().find(|word| lower.contains(**word));
        assert_eq!(found, None, "{path}:{}: {line}", number + 1);
    }
}

/// Every file is what its name says.
fn check_syntax(path: &str, text: &str, file: &Path) {
    match Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
    {
        Some("toml" | "lock") => check_toml(path, text),
        Some("yml" | "yaml") => check_yaml(path, text),
        Some("service") => check_unit(path, text),
        _ if text.starts_with("#!") => check_script(path, file),
        Some("rs" | "md" | "sql") => {}
        None if path.ends_with("Dockerfile") || path.contains("/.") => {}
        _ => panic!("{path}: a kind of file that no test looks at"),
    }
}

fn check_manifests(sandbox: &Sandbox) {
    let manifest: toml::Table = sandbox.read("orders/.smart/manifest.toml").parse().unwrap();
    let flat = manifest.to_string();
    assert!(
        flat.contains(&format!("\"{}\"", env!("CARGO_PKG_VERSION"))),
        "{flat}"
    );
    assert!(flat.contains("20200"), "{flat}");
    let manifest: toml::Table = sandbox.read("orders/Cargo.toml").parse().unwrap();
    assert!(manifest.contains_key("workspace"));
    assert_eq!(manifest["package"]["name"].as_str(), Some("orders"));
}

fn check_formatted(sandbox: &Sandbox, files: &[String]) {
    let rust = files
        .iter()
        .filter(|path| path.ends_with(".rs"))
        .map(|path| sandbox.path(path));
    let output = Command::new("rustfmt")
        .args(["--check", "--edition", "2024"])
        .args(rust)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

fn check_toml(place: &str, text: &str) {
    let table: toml::Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    // An empty text is a placeholder, which only a deployed realm may have.
    if !place.ends_with("config/test.toml") && !place.ends_with("config/prod.toml") {
        refuse_empty(place, &toml::Value::Table(table));
    }
}

fn refuse_empty(place: &str, value: &toml::Value) {
    match value {
        toml::Value::String(text) => assert!(!text.is_empty(), "{place}: an empty value"),
        toml::Value::Array(values) => values.iter().for_each(|value| refuse_empty(place, value)),
        toml::Value::Table(table) => table
            .iter()
            .for_each(|(key, value)| refuse_empty(&format!("{place}: {key}"), value)),
        _ => {}
    }
}

fn check_yaml(place: &str, text: &str) {
    let documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"));
    assert!(
        !documents.is_empty() && documents.iter().all(Yaml::is_mapping),
        "{place}: no mapping"
    );
    if place.contains("deploy/") {
        for document in &documents {
            refuse_empty_yaml(place, document);
        }
    }
}

fn refuse_empty_yaml(place: &str, value: &Yaml<'_>) {
    assert!(
        !value.is_null() && value.as_str() != Some(""),
        "{place}: an empty value"
    );
    for value in value.as_sequence().into_iter().flatten() {
        refuse_empty_yaml(place, value);
    }
    for (key, value) in value.as_mapping().into_iter().flatten() {
        refuse_empty_yaml(&format!("{place}: {}", key.as_str().unwrap_or("?")), value);
    }
}

fn check_unit(place: &str, text: &str) {
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let is_section = line.starts_with('[') && line.ends_with(']');
        assert!(is_section || line.contains('='), "{place}: {line}");
    }
}

fn check_script(place: &str, path: &Path) {
    let first = fs::read_to_string(path).unwrap();
    let shell = if first.lines().next().unwrap().ends_with("bash") {
        "bash"
    } else {
        "sh"
    };
    let output = Command::new(shell).arg("-n").arg(path).output().unwrap();
    assert!(
        output.status.success(),
        "{place}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
