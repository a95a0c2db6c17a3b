//! Layered configuration that remembers where every value came from.
//!
//! [`Loader`] merges built-in defaults, `default.toml`, the realm's own file, environment variables and `--set`
//! assignments into one serde struct. Empty values are placeholders; a [`secrets::SecretSource`] fills them.
//! Everything that is wrong is reported at once, with the file and line to look at.
//! Nothing is watched or read again later.
//!
//! ```
//! use smart_config::{Loader, Realm};
//!
//! #[derive(serde::Deserialize, serde::Serialize)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     http: Http,
//! }
//!
//! #[derive(serde::Deserialize, serde::Serialize)]
//! #[serde(deny_unknown_fields)]
//! struct Http {
//!     port: u16,
//! }
//!
//! let loaded = Loader::new(Realm::local(), "config")
//!     .defaults("http.port = 8080", "built in")
//!     .assignments(["http.port=9090".to_owned()])
//!     .load::<Settings>()?;
//! assert_eq!(loaded.value.http.port, 9090);
//! assert_eq!(loaded.entries()[0].origin, "--set http.port");
//! # Ok::<(), smart_config::LoadError>(())
//! ```

mod loader;

mod decode;
mod folder;
mod loaded;
mod placeholder;
mod source;

mod nearest;
mod origin;
mod tree;

mod error;
mod realm;
mod secret;

pub mod duration;
pub mod report;
pub mod secrets;
pub mod size;

pub use error::LoadError;
pub use loaded::Loaded;
pub use loader::Loader;
pub use realm::Realm;
pub use secret::Secret;
