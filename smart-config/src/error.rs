use std::fmt;

use crate::origin::Origin;
use crate::realm::Realm;
use crate::report::Fault;

/// Everything that keeps a configuration from being used, in one report.
///
/// `Display` is the whole report, for a person at a terminal; programs ask [`LoadError::faults`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    realm: Realm,
    faults: Vec<Fault>,
}

/// Collects faults with the place they belong to.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(Option<Origin>, Fault)>);

impl Faults {
    pub(crate) fn add(&mut self, origin: Option<Origin>, fault: Fault) {
        self.0.push((origin, fault));
    }

    pub(crate) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Option<Origin>, Fault)> {
        self.0.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Fault> {
        self.0.iter_mut().map(|(_, fault)| fault)
    }

    pub(crate) fn retain(&mut self, mut wanted: impl FnMut(Option<&Origin>, &Fault) -> bool) {
        self.0
            .retain(|(origin, fault)| wanted(origin.as_ref(), fault));
    }
}

impl LoadError {
    /// Sorts the faults as a reader goes through the files; what is set nowhere comes last.
    pub(crate) fn new(realm: Realm, Faults(mut faults): Faults) -> Self {
        faults.sort_by(|(left, left_fault), (right, right_fault)| {
            let of_left = (left.is_none(), left, &left_fault.key, left_fault.kind);
            of_left.cmp(&(right.is_none(), right, &right_fault.key, right_fault.kind))
        });
        let faults = faults
            .into_iter()
            .map(|(origin, fault)| Fault {
                origin: origin.map(|origin| origin.to_string()),
                ..fault
            })
            .collect();
        Self { realm, faults }
    }

    /// Every fault, in the order of the report.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(
            f,
            "cannot load configuration for realm `{}`: {count} fault{plural}",
            self.realm
        )?;
        let shown = &self.faults[..count.min(MAX_SHOWN)];
        let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
        let width = |column: usize| {
            let cells = rows
                .iter()
                .filter(|row| row.len() > column + 1)
                .map(|row| row[column].chars().count());
            cells
                .filter(|width| *width <= MAX_COLUMN)
                .max()
                .unwrap_or(0)
        };
        let widths = [width(0), width(1)];
        for (row, fault) in rows.iter().zip(shown) {
            f.write_str("\n  ")?;
            for (column, cell) in row.iter().enumerate() {
                if column + 1 < row.len() {
                    write!(f, "{cell:width$}  ", width = widths[column])?;
                } else {
                    f.write_str(cell)?;
                }
            }
            for hint in &fault.hints {
                write!(f, "\n      {hint}")?;
            }
        }
        match count - shown.len() {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl std::error::Error for LoadError {}

/// Subject, origin and message; a fault of a whole file or of a key that is set nowhere has no cell for the other.
fn row(fault: &Fault) -> Vec<String> {
    [
        fault.subject(),
        fault.origin.clone(),
        Some(fault.message.clone()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// More would only scroll the first ones away.
const MAX_SHOWN: usize = 50;

/// A longer cell sticks out instead of moving the column of all others.
const MAX_COLUMN: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FaultKind;

    #[test]
    fn report_has_aligned_columns_and_indented_hints() {
        let file = |line| {
            Some(Origin::File {
                path: "config/default.toml".to_owned(),
                line,
            })
        };
        let mut faults = Faults::default();
        let missing = Fault::new(FaultKind::Missing, "is not set anywhere").key("app.stock");
        faults.add(None, missing.hint("add it").hint("or not"));
        let value = Fault::new(FaultKind::BadValue, "expected a number").key("app.ratio");
        faults.add(file(14), value.found("\"x\""));
        faults.add(
            file(3),
            Fault::new(FaultKind::Syntax, "unclosed table, at column 6"),
        );
        let long = Fault::new(FaultKind::UnknownKey, "unknown key").key("x".repeat(60));
        faults.add(Some(Origin::Variable("SMART__X".to_owned())), long);
        let error = LoadError::new(Realm::local(), faults);
        insta::assert_snapshot!(error, @r#"
    cannot load configuration for realm `local`: 4 faults
      config/default.toml:3  unclosed table, at column 6
      `app.ratio` = "x"      config/default.toml:14  expected a number
      `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`  SMART__X                unknown key
      `app.stock`            is not set anywhere
          add it
          or not
    "#);
    }
}
