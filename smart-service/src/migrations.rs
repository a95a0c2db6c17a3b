//! Schema changes that travel inside the binary.

/// The migrations of a service, embedded by its build script; made by [`migrations!`](crate::migrations).
#[derive(Debug, Clone, Default)]
pub struct Migrations(
    #[cfg_attr(
        not(any(feature = "postgres", feature = "sqlite")),
        expect(dead_code, reason = "only a database reads them")
    )]
    &'static [(i64, &'static str, &'static str)],
);

impl Migrations {
    /// Migrations as (version, description, SQL), in rising order of version.
    #[must_use]
    pub fn embedded(migrations: &'static [(i64, &'static str, &'static str)]) -> Self {
        Self(migrations)
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn migrator(&self) -> sqlx::migrate::Migrator {
        use sqlx::migrate::{Migration, MigrationType, Migrator};

        let embedded = |&(version, description, sql): &(i64, &'static str, &'static str)| {
            Migration::new(
                version,
                description.into(),
                MigrationType::Simple,
                sqlx::SqlStr::from_static(sql),
                false,
            )
        };
        let mut migrator = Migrator::with_migrations(self.0.iter().map(embedded).collect());
        // During a rolling deploy an instance of the old version meets the schema of the new one; that is no fault of its own.
        migrator.set_ignore_missing(true);
        migrator
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn versions(&self) -> impl Iterator<Item = (i64, &'static str)> {
        self.0
            .iter()
            .map(|&(version, description, _)| (version, description))
    }
}

/// The migrations that the calling package's build script wrote to `$OUT_DIR/migrations.rs`.
#[macro_export]
macro_rules! migrations {
    () => {
        $crate::Migrations::embedded(::core::include!(::core::concat!(
            ::core::env!("OUT_DIR"),
            "/migrations.rs"
        )))
    };
}
