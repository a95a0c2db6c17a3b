//! PostgreSQL and Redis of a measured service: private, temporary, with the passwords that a deployed realm asks for.

use anyhow::Context as _;
use local_engines::{Postgres, Redis};

/// Both engines; stopped on drop.
#[derive(Debug)]
pub(crate) struct Engines {
    postgres: Postgres,
    redis: Redis,
}

const PASSWORD: &str = "a password of the bench";
const DATABASE: &str = "bench";
/// Both listen on the loopback address. That one stands in the service's `config/local.toml`, and a value from there is
/// refused in every other realm.
const HOST: &str = "localhost";

impl Engines {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let postgres = Postgres::start().context("cannot start PostgreSQL")?;
        postgres
            .address()
            .create_database(DATABASE, DATABASE, PASSWORD)
            .context("cannot make a database")?;
        let redis = Redis::builder().password(PASSWORD).start();
        let redis = redis.context("cannot start Redis")?;
        Ok(Self { postgres, redis })
    }

    /// The variables that lead a service here.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let (postgres, redis) = (&self.postgres, &self.redis);
        vec![
            ("SMART__POSTGRES__HOST", HOST.to_owned()),
            ("SMART__POSTGRES__PORT", postgres.port().to_string()),
            ("SMART__POSTGRES__USER", DATABASE.to_owned()),
            ("SMART__POSTGRES__DATABASE", DATABASE.to_owned()),
            ("SMART__POSTGRES__PASSWORD", PASSWORD.to_owned()),
            ("SMART__REDIS__HOST", HOST.to_owned()),
            ("SMART__REDIS__PORT", redis.port().to_string()),
            ("SMART__REDIS__PASSWORD", PASSWORD.to_owned()),
        ]
    }
}
