//! Test kit: the real service on a free port, with a database and a Redis of its own.
//!
//! [`service`] starts what `main` would start, inside the test: same configuration files, same middleware, same checks.
//! Above the files lies a layer in memory that asks for free ports and points `[postgres]`, `[sqlite]` and `[redis]` at
//! engines started for this test, wherever the files have those sections.
//!
//! ```no_run
//! # mod orders {
//! #     use smart_service::{App, Service, StartError};
//! #     pub async fn service(service: Service<()>) -> Result<App, StartError> { unimplemented!() }
//! # }
//! # async fn test() -> Result<(), reqwest::Error> {
//! use smart_service::about;
//!
//! let orders = smart_testing::service(about!()).start(orders::service).await;
//! let answer = orders.get("/livez").send().await?;
//! assert_eq!(answer.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! Tests that break things reach the engines' connections through [`TestService::postgres`] and [`TestService::redis`].

mod eventually;
mod logs;
mod proxy;
mod sentry;
mod service;

pub use crate::eventually::eventually;
pub use crate::logs::Logs;
pub use crate::proxy::ChaosProxy;
pub use crate::sentry::FakeSentry;
pub use crate::service::{ServiceBuilder, TestService, service};
