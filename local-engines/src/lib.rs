//! A private PostgreSQL or Redis from the binaries installed on this machine.
//!
//! An engine runs in a folder of its own, on a loopback port of its own, and ends with its owner: when the value is
//! dropped, and also when the owning process is killed. Without a folder its data are temporary. Faults are
//! part of the interface: an engine can be stopped, killed, paused, resumed and started again on the same port.
//! Nothing is downloaded or installed; what is missing is named in the error.
//!
//! ```
//! use local_engines::{Postgres, Redis};
//!
//! let mut redis = Redis::start()?;
//! assert_eq!(redis.host(), "127.0.0.1");
//! redis.stop();
//! redis.restart()?;
//!
//! let postgres = Postgres::start()?;
//! postgres.address().create_database("orders", "orders", "a password")?;
//! # Ok::<(), local_engines::EngineError>(())
//! ```

mod account;
mod binaries;
mod engine;
mod error;
mod folder;
mod password;
mod port;
mod postgres;
mod process;
mod redis;

pub use error::EngineError;
pub use postgres::{Postgres, PostgresAddress, PostgresBuilder};
pub use redis::{Redis, RedisBuilder};
