//! The chassis of a service: an ordinary axum application with everything around it that nobody wants to think about.
//!
//! A service is one function from a [`Service`] to an [`App`]. [`Program::run`] is the process around it: configuration with
//! its secrets, error reporting, logs, metrics, pools, health endpoints, and a drain that loses no request. What the
//! function does with axum, sqlx and redis is its own business; nothing of them is hidden.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use smart_service::{App, Service, StartError, about};
//!
//! #[derive(serde::Deserialize, serde::Serialize)]
//! struct Settings {
//!     greeting: String,
//! }
//!
//! async fn service(service: Service<Settings>) -> Result<App, StartError> {
//!     let greeting = service.settings().greeting.clone();
//!     Ok(service.routes(Router::new().route("/hello", get(|| async { greeting }))))
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     smart_service::program(about!()).run(service)
//! }
//! ```
//!
//! Reading order: [`mod@program`] (the process), [`service`] (what the service function gets), `lifecycle` (start and stop),
//! `middleware` (what happens to every request), [`Problem`] (what a caller sees when it fails).

pub mod embedded;
pub mod program;
pub mod request;
pub mod service;

mod about;
mod admin;
mod command_line;
mod commands;
mod error;
mod health;
mod lifecycle;
mod middleware;
mod migrations;
mod pools;
mod problem;
mod server;
mod settings;
mod telemetry;

pub use smart_config as config;

pub use crate::about::About;
pub use crate::error::StartError;
pub use crate::migrations::Migrations;
pub use crate::problem::Problem;
pub use crate::program::{Program, program};
pub use crate::service::{App, Service};

/// Compiles what the README and the guide show.
#[cfg(all(doctest, feature = "postgres"))]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/guide/service.md")]
    struct ServiceGuide;
    #[doc = include_str!("../../docs/guide/testing.md")]
    struct TestingGuide;
}
