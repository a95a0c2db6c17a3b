//! Named health checks that run in the background and are reported in two JSON shapes.
//!
//! A [`Monitor`] runs every [`Check`] in a task of its own and keeps the last outcome of each in memory. Reading a
//! [`Report`] or the [`Readiness`] never runs a check and never waits, however many readers there are. The crate knows no
//! web framework: the caller maps [`Status`] to a status code and sends the bodies that a report serialises to.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use healthcheck::{Check, Identity, Monitor, MonitorConfig, Status};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let stock = Check::new("stock", || async { Ok::<_, std::io::Error>("12 shelves filled".to_owned()) });
//! let monitor = Monitor::start(MonitorConfig::default(), vec![Check::runtime(), stock], |change| {
//!     eprintln!("{change}");
//! })?;
//!
//! monitor.first_round().await;
//! assert!(monitor.readiness().ready);
//!
//! let report = monitor.report();
//! assert_eq!(report.status, Status::Pass);
//! let identity = Identity {
//!     hostname: "web-1".to_owned(),
//!     service: "orders".to_owned(),
//!     version: "1.4.2".to_owned(),
//!     commit: "3f9c2ab".to_owned(),
//!     realm: "prod".to_owned(),
//!     template_version: None,
//!     started: SystemTime::now(),
//! };
//! let body = serde_json::to_string(&report.runscope(&identity))?;
//! assert!(body.starts_with(r#"{"hostname":"web-1","status":"success","#));
//! # Ok(())
//! # }
//! ```
//!
//! # What counts as a failure
//!
//! A check passes when its probe returns `Ok` within the deadline. An error, a panic, a late answer, no answer so far, and
//! a result so old that the check must be stuck are failures. Critical checks decide the status and the readiness;
//! advisory ones are shown and decide nothing.
//!
//! # Liveness
//!
//! There is nothing for it here, on purpose. A process that is restarted because its database is away comes back to the
//! same database, and all its siblings with it. Liveness therefore must not depend on any check, and this crate offers no
//! type through which it could: answering at all is the proof of life.

mod cadence;
mod check;
mod monitor;
mod output;
mod report;
mod slot;

pub mod error;
pub mod result;

pub use check::Check;
pub use monitor::{Monitor, MonitorConfig};
pub use report::{Readiness, Report, Status, identity::Identity};
pub use slot::Change;
