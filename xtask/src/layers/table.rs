//! The table of layers, as it stands in a document.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

/// Which crate may use which.
pub(super) struct Table {
    rows: BTreeMap<String, Row>,
}

enum Row {
    /// May use these.
    Floor(Vec<String>),
    /// May use every crate, and no crate may use it.
    Roof,
}

impl Table {
    /// Reads the fenced block ` ```layers ` of a document. Its lines are `crate: crate, crate` or `crate: *`, lowest
    /// floor first; what follows a `#` is for people.
    pub(super) fn find_in(document: &str) -> anyhow::Result<Self> {
        let (_, rest) = document
            .split_once("```layers\n")
            .context("there is no block that opens with ```layers")?;
        let (block, _) = rest
            .split_once("```")
            .context("the block ```layers does not end")?;
        let mut rows: BTreeMap<String, Row> = BTreeMap::new();
        for line in block.lines() {
            let row = line.split('#').next().unwrap_or_default().trim();
            if row.is_empty() {
                continue;
            }
            let (name, uses) = row
                .split_once(':')
                .with_context(|| format!("the row `{row}` has no colon"))?;
            let row = Row::parse(name, uses, &rows)?;
            if rows.insert(name.trim().to_string(), row).is_some() {
                bail!("there are two rows of `{name}`");
            }
        }
        Ok(Self { rows })
    }

    pub(super) fn crates(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    pub(super) fn allows(&self, from: &str, to: &str) -> bool {
        match self.rows.get(from) {
            Some(Row::Roof) => true,
            Some(Row::Floor(uses)) => uses.iter().any(|used| used == to),
            None => false,
        }
    }
}

impl Row {
    fn parse(name: &str, uses: &str, above: &BTreeMap<String, Self>) -> anyhow::Result<Self> {
        let uses = uses.trim();
        if uses == "*" {
            return Ok(Self::Roof);
        }
        let uses: Vec<_> = uses
            .split(',')
            .map(str::trim)
            .filter(|used| !used.is_empty())
            .collect();
        for used in &uses {
            match above.get(*used) {
                Some(Self::Floor(_)) => {}
                Some(Self::Roof) => {
                    bail!("the row of `{name}` names `{used}`, which nothing may use")
                }
                None => bail!("the row of `{name}` names `{used}`, which has no row above it"),
            }
        }
        Ok(Self::Floor(uses.into_iter().map(String::from).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> anyhow::Result<Table> {
        Table::find_in(&format!("# Crates\n\n```layers\n{rows}```\nmore"))
    }

    #[test]
    fn a_row_allows_what_it_names_and_nothing_else() {
        let table = table("# ground\na:\nb: a  # floor\n\nc: a, b\nroof: *\n").unwrap();
        assert!(table.allows("c", "a") && table.allows("c", "b") && table.allows("roof", "c"));
        assert!(!table.allows("b", "c") && !table.allows("a", "a") && !table.allows("new", "a"));
        assert_eq!(table.crates().collect::<Vec<_>>(), ["a", "b", "c", "roof"]);
    }

    #[test]
    fn a_table_that_means_nothing_is_refused() {
        let check = |rows: &str, expected: &str| {
            assert_eq!(table(rows).err().unwrap().to_string(), expected);
        };
        check("a\n", "the row `a` has no colon");
        check("a:\na:\n", "there are two rows of `a`");
        check(
            "a: b\nb:\n",
            "the row of `a` names `b`, which has no row above it",
        );
        check(
            "r: *\na: r\n",
            "the row of `a` names `r`, which nothing may use",
        );
        assert!(Table::find_in("no table").is_err());
        assert!(Table::find_in("```layers\na:\n").is_err());
    }
}
