//! The table in `bench/README.md`, between two comments that nobody sees.

use anyhow::{Context as _, bail};

use crate::lab::workspace;

const BEGIN: &str = "<!-- table -->\n";
const END: &str = "<!-- end of table -->\n";

pub(crate) fn replace_table(table: &str) -> anyhow::Result<()> {
    let path = workspace().join("bench/README.md");
    let text = std::fs::read_to_string(&path).context("cannot read bench/README.md")?;
    let Some(text) = replaced(&text, table) else {
        bail!("bench/README.md has no place for the table: {BEGIN:?}, then {END:?}");
    };
    std::fs::write(&path, text).context("cannot write bench/README.md")
}

fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_is_replaced() {
        let text = format!("# Title\n{BEGIN}old\n{END}rest\n");
        let expected = format!("# Title\n{BEGIN}new\n{END}rest\n");
        assert_eq!(replaced(&text, "new\n").as_deref(), Some(expected.as_str()));
        assert_eq!(replaced("# Title\n", "new\n"), None);
    }
}
