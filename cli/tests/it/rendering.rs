//! Every combination of parts: whole, parsable, formatted, and free of what was not chosen.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use saphyr::{LoadableYamlNode, Yaml};

use crate::sandbox::Sandbox;

const COMBINATIONS: [&str; 6] = [
    "",
    "sqlite",
    "postgres",
    "redis",
    "sqlite,redis",
    "postgres,redis",
];

/// Renders `name` and hands each combination to `check`, with the paths of all files.
fn each_combination(name: &str, check: impl Fn(&Sandbox, &str, &[String])) {
    for parts in COMBINATIONS {
        let sandbox = Sandbox::new();
        let mut arguments = vec![name, "--no-verify", "--port", "20200"];
        if !parts.is_empty() {
            arguments.extend(["--with", parts]);
        }
        sandbox.run(&mut sandbox.generate(&arguments)).expect(0);
        let files: Vec<String> = sandbox
            .tree()
            .into_iter()
            .filter(|path| sandbox.path(path).is_file())
            .collect();
        check(&sandbox, parts, &files);
    }
}

#[test]
fn files_are_those_of_the_chosen_parts() {
    each_combination("orders", |_, parts, files| {
        let name = format!(
            "files_{}",
            if parts.is_empty() {
                String::from("none")
            } else {
                parts.replace(',', "_")
            }
        );
        insta::assert_snapshot!(name, files.join("\n"));
    });
}

#[test]
fn nothing_of_the_template_language_is_left() {
    each_combination("orders", |sandbox, parts, files| {
        for path in files {
            assert!(
                !path.contains('{') && !path.ends_with(".liquid") && !path.ends_with(".rhai"),
                "{parts}: {path}"
            );
            for (number, line) in sandbox.read(path).lines().enumerate() {
                let expression = path.starts_with("orders/.github/");
                let line = if expression {
                    line.replace("${{", "")
                } else {
                    line.to_owned()
                };
                let braces_are_code = path.ends_with(".rs");
                let left = line.contains("{%")
                    || line.contains("%}")
                    || (!braces_are_code && line.contains("{{"));
                assert!(!left, "{parts}: {path}:{}: {line}", number + 1);
            }
        }
    });
}

#[test]
fn text_is_tidy() {
    each_combination("orders", |sandbox, parts, files| {
        for path in files {
            let text = sandbox.read(path);
            assert!(
                text.ends_with('\n') && !text.ends_with("\n\n"),
                "{parts}: {path}: end of file"
            );
            assert!(
                !text.starts_with('\n'),
                "{parts}: {path}: starts with an empty line"
            );
            assert!(!text.contains("\n\n\n"), "{parts}: {path}: two empty lines");
            assert!(
                !text.contains('\t') && !text.contains('\r'),
                "{parts}: {path}: tab or carriage return"
            );
            assert!(
                text.lines().all(|line| line.trim_end() == line),
                "{parts}: {path}: space at the end of a line"
            );
        }
    });
}

#[test]
fn parts_not_chosen_are_not_mentioned() {
    each_combination("orders", |sandbox, parts, files| {
        let chosen: BTreeSet<&str> = parts.split(',').collect();
        let mut foreign: Vec<&str> = ["sqlite", "postgres", "redis"]
            .into_iter()
            .filter(|part| !chosen.contains(part))
            .collect();
        if !chosen.contains("sqlite") && !chosen.contains("postgres") {
            foreign.extend(["sqlx", "migrat", "database"]);
        }
        for path in files.iter().filter(|path| !path.ends_with("Cargo.lock")) {
            for (number, line) in sandbox.read(path).lines().enumerate() {
                let lower = line.to_lowercase();
                for word in &foreign {
                    // The answers of the generator name what was not chosen.
                    let is_answer = path.ends_with(".smart/manifest.toml");
                    assert!(
                        is_answer || !lower.contains(word),
                        "{parts}: {path}:{}: {line}",
                        number + 1
                    );
                }
            }
        }
    });
}

#[test]
fn every_file_is_what_its_name_says() {
    each_combination("orders", |sandbox, parts, files| {
        for path in files {
            let text = sandbox.read(path);
            let place = format!("{parts}: {path}");
            match Path::new(path)
                .extension()
                .and_then(|extension| extension.to_str())
            {
                Some("toml" | "lock") => check_toml(&place, &text),
                Some("yml" | "yaml") => check_yaml(&place, &text),
                Some("service") => check_unit(&place, &text),
                _ if text.starts_with("#!") => check_script(&place, &sandbox.path(path)),
                Some("rs" | "md" | "sql") => {}
                None if path.ends_with("Dockerfile") || path.contains("/.") => {}
                _ => panic!("{place}: a kind of file that no test looks at"),
            }
        }
    });
}

#[test]
fn rust_is_formatted_whatever_the_name() {
    for name in [
        "a",
        "orders",
        "zulu-stock-levels-of-the-far-north-west",
        "main-thing",
        "tests",
    ] {
        each_combination(name, |sandbox, parts, files| {
            let rust: Vec<_> = files
                .iter()
                .filter(|path| path.ends_with(".rs"))
                .map(|path| sandbox.path(path))
                .collect();
            let output = Command::new("rustfmt")
                .args(["--check", "--edition", "2024"])
                .args(rust)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{name} with {parts}:\n{}",
                String::from_utf8_lossy(&output.stdout)
            );
        });
    }
}

#[test]
fn manifest_records_version_and_answers() {
    each_combination("orders", |sandbox, parts, _| {
        let text = sandbox.read("orders/.smart/manifest.toml");
        let manifest: toml::Table = text.parse().unwrap();
        let flat = manifest.to_string();
        assert!(
            flat.contains(&format!("\"{}\"", env!("CARGO_PKG_VERSION"))),
            "{parts}: {flat}"
        );
        assert!(flat.contains("20200"), "{parts}: {flat}");
        let manifest: toml::Table = sandbox.read("orders/Cargo.toml").parse().unwrap();
        assert!(manifest.contains_key("workspace"), "{parts}");
        assert_eq!(
            manifest["package"]["name"].as_str(),
            Some("orders"),
            "{parts}"
        );
    });
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
