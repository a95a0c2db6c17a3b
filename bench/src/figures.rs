//! The figures: one module each, in the order in which `all` takes them.

mod build;
mod edit;
mod generate;
mod memory;
mod render;
mod requests;
mod start;

use crate::lab::Lab;
use crate::table::Row;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Render,
    Generate,
    Build,
    Edit,
    Start,
    Memory,
    Requests,
}

impl Figure {
    pub(crate) const ALL: [Self; 7] = [
        Self::Render,
        Self::Generate,
        Self::Build,
        Self::Edit,
        Self::Start,
        Self::Memory,
        Self::Requests,
    ];

    /// The figures of this name; `all` is the name of all.
    pub(crate) fn named(name: &str) -> Option<Vec<Self>> {
        if name == "all" {
            return Some(Self::ALL.to_vec());
        }
        let figure = Self::ALL.into_iter().find(|figure| figure.name() == name)?;
        Some(vec![figure])
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Render => "render",
            Self::Generate => "generate",
            Self::Build => "build",
            Self::Edit => "edit",
            Self::Start => "start",
            Self::Memory => "memory",
            Self::Requests => "requests",
        }
    }

    pub(crate) fn measure(self, lab: &Lab) -> anyhow::Result<Vec<Row>> {
        match self {
            Self::Render => render::measure(lab),
            Self::Generate => generate::measure(lab),
            Self::Build => build::measure(lab),
            Self::Edit => edit::measure(lab),
            Self::Start => start::measure(lab),
            Self::Memory => memory::measure(lab),
            Self::Requests => requests::measure(lab),
        }
    }
}
