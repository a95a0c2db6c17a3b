//! The name of a service: what it may look like, and why a name is refused.

use std::fmt;

use super::template;
use crate::failure::Failure;

/// A name that is at once a folder, a cargo package, a binary, a DNS label and a piece of Kubernetes names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceName(String);

impl ServiceName {
    pub(crate) fn parse(name: &str) -> Result<Self, Failure> {
        if let Some(rule) = broken_rule(name) {
            let message = match name {
                "" => String::from("the name of the service is empty"),
                name => format!("`{name}` is no name for a service: {rule}"),
            };
            let example = corrected(name).unwrap_or_else(|| String::from("stock-levels"));
            return Err(Failure::bad_input(message).hint(format!("{RULE}, such as `{example}`")));
        }
        if let Some(clash) = clash(name) {
            return Err(
                Failure::bad_input(format!("`{name}` is no name for a service: {clash}"))
                    .hint(format!("choose another name, such as `{name}-service`")),
            );
        }
        Ok(Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in Rust code: dashes become underscores.
    pub(crate) fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The main port: even, in 20000-29998, the same for a name on every machine.
    ///
    /// FNV-1a with 64 bits, because it is written down in a few lines and never changes.
    pub(crate) fn port(&self) -> u16 {
        const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let hash = self.0.bytes().fold(OFFSET_BASIS, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
        let slot = u16::try_from(hash % SLOTS).expect("a remainder of 5000 fits 16 bits");
        FIRST_PORT + 2 * slot
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A DNS label may have 63; Kubernetes appends up to 17 to the name of a deployment, and an endpoint slice more.
const LONGEST: usize = 40;
const FIRST_PORT: u16 = 20_000;
const SLOTS: u64 = 5_000;
const RULE: &str = "a name has lower case letters, digits and single dashes";

fn broken_rule(name: &str) -> Option<String> {
    let bad = name
        .chars()
        .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'));
    match (name.chars().next(), name.chars().last(), bad) {
        (None, ..) => Some(String::from("it is empty")),
        (.., Some('_')) => Some(String::from("it has a `_`, which no DNS label may have")),
        (.., Some(c)) if c.is_ascii_uppercase() => {
            Some(format!("it has the upper case letter `{c}`"))
        }
        (.., Some(c)) if c.is_control() => Some(String::from("it has a control character")),
        (.., Some('/' | '\\')) => Some(String::from(
            "it is a path; `--into` names the folder in which it is made",
        )),
        (.., Some(c)) => Some(format!("it has the character `{c}`")),
        (Some(c), ..) if !c.is_ascii_lowercase() => {
            Some(format!("it starts with `{c}`, not with a letter"))
        }
        (_, Some('-'), _) => Some(String::from("it ends with a dash")),
        _ if name.contains("--") => Some(String::from("it has two dashes in a row")),
        _ if name.len() > LONGEST => Some(format!(
            "it has {} characters, more than {LONGEST}",
            name.len()
        )),
        _ => None,
    }
}

/// The nearest name that keeps the rules, if there is something left to keep.
fn corrected(name: &str) -> Option<String> {
    let mut result = String::new();
    for c in name.rsplit(['/', '\\']).next()?.trim().chars() {
        match c {
            'a'..='z' => result.push(c),
            'A'..='Z' => {
                if result.ends_with(|c: char| c.is_ascii_lowercase()) {
                    result.push('-');
                }
                result.push(c.to_ascii_lowercase());
            }
            '0'..='9' if !result.is_empty() => result.push(c),
            '_' | '-' | ' ' | '.' if !result.is_empty() && !result.ends_with('-') => {
                result.push('-')
            }
            _ => {}
        }
    }
    let result = result.trim_end_matches('-');
    (!result.is_empty() && broken_rule(result).is_none() && clash(result).is_none())
        .then(|| result.to_owned())
}

fn clash(name: &str) -> Option<String> {
    let crate_name = name.replace('-', "_");
    if KEYWORDS.contains(&crate_name.as_str()) {
        Some(String::from("it is a Rust keyword"))
    } else if OF_RUST.contains(&crate_name.as_str()) {
        Some(format!("`{crate_name}` is a crate of Rust itself"))
    } else if OF_CARGO.contains(&name) {
        Some(String::from("cargo uses that name for something else"))
    } else if OF_WINDOWS.contains(&name) {
        Some(String::from("no folder may have that name on Windows"))
    } else if template::dependencies().any(|dependency| dependency.replace('-', "_") == crate_name)
    {
        Some(String::from("the service depends on a crate of that name"))
    } else if template::framework_packages().any(|package| package == name) {
        Some(String::from(
            "a package of the framework has that name, and a lock file cannot hold both",
        ))
    } else {
        None
    }
}

/// Strict and reserved keywords of all editions, and the weak ones that cannot stand at the start of a path.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
const OF_RUST: [&str; 5] = ["alloc", "core", "proc_macro", "std", "test"];
/// `main` and `lib` are targets of the package; the others are folders in which cargo builds.
const OF_CARGO: [&str; 7] = [
    "main",
    "lib",
    "build",
    "deps",
    "examples",
    "incremental",
    "cargo",
];
const OF_WINDOWS: [&str; 22] = [
    "aux", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "con", "lpt1",
    "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "nul", "prn",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(name: &str, message: &str, hint: &str) {
        let failure = ServiceName::parse(name).unwrap_err();
        assert!(failure.message.contains(message), "{}", failure.message);
        assert!(
            failure.hint.as_deref().unwrap().contains(hint),
            "{:?}",
            failure.hint
        );
    }

    #[test]
    fn plain_names_are_taken() {
        for name in ["orders", "a", "stock-levels", "v2", "x9-y", &"a".repeat(40)] {
            assert_eq!(ServiceName::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(
            ServiceName::parse("stock-levels").unwrap().crate_name(),
            "stock_levels"
        );
    }

    #[test]
    fn refusal_names_the_rule_and_a_better_name() {
        refused("", "is empty", "such as `stock-levels`");
        refused("Orders", "upper case letter `O`", "`orders`");
        refused("OrderItems", "upper case letter `O`", "`order-items`");
        refused("order_items", "`_`", "`order-items`");
        refused("9lives", "starts with `9`", "`lives`");
        refused("-orders", "starts with `-`", "`orders`");
        refused("orders-", "ends with a dash", "`orders`");
        refused("or--ders", "two dashes", "`or-ders`");
        refused(&"a".repeat(41), "41 characters, more than 40", "such as");
        refused("bücher", "the character `ü`", "`bcher`");
        refused("../evil", "the character `.`", "`evil`");
        refused("a/b", "it is a path", "`b`");
        refused("é", "the character `é`", "such as `stock-levels`");
        refused("a\nb", "control character", "`ab`");
    }

    #[test]
    fn names_that_clash_are_refused() {
        refused("fn", "Rust keyword", "`fn-service`");
        refused("gen", "Rust keyword", "`gen-service`");
        refused("test", "crate of Rust itself", "`test-service`");
        refused("proc-macro", "crate of Rust itself", "`proc-macro-service`");
        refused("build", "cargo uses", "`build-service`");
        refused("nul", "Windows", "`nul-service`");
        refused("axum", "depends on a crate", "`axum-service`");
        refused("serde-json", "depends on a crate", "`serde-json-service`");
        refused("smart-service", "depends on a crate", "another name");
        refused("smart-config", "package of the framework", "another name");
    }

    #[test]
    fn port_depends_on_the_name_alone() {
        let port = |name| ServiceName::parse(name).unwrap().port();
        assert_eq!(port("orders"), port("orders"));
        for name in ["a", "orders", "stock-levels", "identity"] {
            assert!(
                (20_000..=29_998).contains(&port(name)) && port(name).is_multiple_of(2),
                "{name}"
            );
        }
        // Written down so that nobody changes the hash by accident: services already live on these ports.
        assert_eq!([port("orders"), port("stock-levels")], [29_944, 24_862]);
    }
}
