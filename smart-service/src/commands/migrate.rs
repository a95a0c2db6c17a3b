//! `NAME migrate`: applies pending migrations; does not run the service function.

use serde::Serialize;

use crate::StartError;
use crate::lifecycle::{Blueprint, Phases};
use crate::pools::Pools;

pub(crate) async fn run<S: Serialize>(blueprint: Blueprint<S>) -> Result<(), StartError> {
    let Some(migrations) = &blueprint.migrations else {
        return Err(StartError::new("this service has no migrations")
            .hint("a service with a database passes them in its main: `.migrations(...)`"));
    };
    let pools = Pools::connect(
        &blueprint.settings,
        blueprint.about.name,
        &Phases::default(),
    )
    .await?;
    let applied = pools.migrate(migrations).await?;
    pools.close().await;
    match applied {
        0 => tracing::info!("nothing to migrate: the database is up to date"),
        applied => tracing::info!(applied, "applied the pending migrations"),
    }
    Ok(())
}
