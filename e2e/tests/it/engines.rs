//! PostgreSQL and Redis for the fixture: shared, of a test's own, or absent.

use local_engines::{Postgres, Redis};

use crate::fixture::Fixture;

pub(crate) const PASSWORD: &str = "a-good-password";

/// The section of a service that uses PostgreSQL; the rest comes from the environment.
pub(crate) const POSTGRES: &str =
    "[postgres]\nhost = \"127.0.0.1\"\nuser = \"orders\"\npassword = \"\"\ndatabase = \"orders\"\n";
pub(crate) const REDIS: &str = "[redis]\nhost = \"127.0.0.1\"\n";

/// A PostgreSQL that belongs to one test, with the role and the database that [`POSTGRES`] names.
pub(crate) fn own_postgres() -> Postgres {
    let postgres = Postgres::start().unwrap();
    postgres
        .address()
        .create_database("orders", "orders", PASSWORD)
        .unwrap();
    postgres
}

/// The fixture with a database in the cluster that all tests share; `topic` names it apart.
pub(crate) fn with_shared_postgres(topic: &str, password: &str) -> Fixture {
    let name = format!("e2e_{topic}_{}", std::process::id());
    let cluster = Postgres::shared().unwrap();
    cluster.create_database(&name, &name, password).unwrap();
    Fixture::new()
        .file("config/default.toml", POSTGRES)
        .variable("SMART__POSTGRES__PORT", &cluster.port().to_string())
        .variable("SMART__POSTGRES__USER", &name)
        .variable("SMART__POSTGRES__DATABASE", &name)
}

/// A port on which nothing listens, and which the system does not hand out for outgoing connections.
pub(crate) fn closed_port() -> u16 {
    let mut redis = Redis::start().unwrap();
    redis.stop();
    redis.port()
}
