//! `cargo xtask layers`: which crate may use which.
//!
//! The table stands in ARCHITECTURE.md, where people read it, and nowhere else.

mod table;

use std::fs;

use anyhow::{Context as _, bail};

use self::table::Table;
use crate::cargo::{self, Package};

pub(crate) fn run() -> anyhow::Result<()> {
    let path = cargo::workspace().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    let table = Table::find_in(&text)?;
    let faults = faults(&table, &cargo::members()?);
    if !faults.is_empty() {
        bail!(
            "the crates and the table in {FILE} differ:\n  {}",
            faults.join("\n  ")
        );
    }
    Ok(())
}

fn faults(table: &Table, members: &[Package]) -> Vec<String> {
    let is_member = |name: &str| members.iter().any(|member| member.name == name);
    let stale = table.crates().filter(|name| !is_member(name));
    let mut faults: Vec<_> = stale
        .map(|name| format!("`{name}` has a row and is no crate of the workspace"))
        .collect();
    for member in members {
        let from = &member.name;
        if !table.crates().any(|name| name == from) {
            faults.push(format!("`{from}` has no row"));
            continue;
        }
        for dependency in member
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some())
        {
            let to = &dependency.name;
            let is_test_only = dependency.kind.as_deref() == Some("dev");
            // Everybody's tests may use the test kit, though it stands higher.
            if !(table.allows(from, to) || is_test_only && to == TEST_KIT) {
                let act = if is_test_only {
                    "uses for its tests"
                } else {
                    "uses"
                };
                faults.push(format!(
                    "`{from}` {act} `{to}`, which its row does not name"
                ));
            }
        }
    }
    faults
}

const FILE: &str = "ARCHITECTURE.md";
const TEST_KIT: &str = "smart-testing";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::Dependency;

    fn member(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
            name: name.to_string(),
            kind: kind.map(String::from),
            path: Some("/somewhere".into()),
        };
        let dependencies = dependencies.iter().map(dependency).collect();
        Package {
            name: name.into(),
            dependencies,
            features: Default::default(),
        }
    }

    fn check(members: &[Package], expected: &[&str]) {
        let table = "```layers\nground:\nsmart-testing: ground\nfloor: ground\nroof: *\n```";
        let faults = faults(&Table::find_in(table).unwrap(), members);
        assert_eq!(faults, expected);
    }

    fn house(floor: Package) -> [Package; 4] {
        let ground = member("ground", &[("smart-testing", Some("dev"))]);
        let kit = member("smart-testing", &[("ground", None)]);
        [
            ground,
            kit,
            floor,
            member("roof", &[("floor", None), ("smart-testing", None)]),
        ]
    }

    #[test]
    fn a_house_in_order_has_no_faults() {
        check(
            &house(member(
                "floor",
                &[("ground", None), ("smart-testing", Some("dev"))],
            )),
            &[],
        );
    }

    #[test]
    fn a_use_outside_the_row_is_a_fault_of_any_kind() {
        let floor = [
            ("smart-testing", None),
            ("roof", Some("dev")),
            ("roof", Some("build")),
        ];
        let expected = [
            "`floor` uses `smart-testing`, which its row does not name",
            "`floor` uses for its tests `roof`, which its row does not name",
            "`floor` uses `roof`, which its row does not name",
        ];
        check(&house(member("floor", &floor)), &expected);
    }

    #[test]
    fn crates_and_rows_must_match() {
        let expected = [
            "`floor` has a row and is no crate of the workspace",
            "`cellar` has no row",
        ];
        let [ground, kit, _, roof] = house(member("floor", &[]));
        let roof = Package {
            dependencies: Vec::new(),
            ..roof
        };
        check(&[ground, kit, member("cellar", &[]), roof], &expected);
    }
}
