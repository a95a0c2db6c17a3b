{%- if database != "none" and redis -%}
use std::time::Duration;

use serde::{Deserialize, Serialize};
use smart_service::config::duration;
{%- else -%}
use serde::{Deserialize, Serialize};
{%- endif %}

/// The service's own settings: the section `[app]` in `config/`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Most items that one page may hold.
    pub max_page: u16,
{%- if database != "none" and redis %}
    /// How long an item stays in the cache.
    #[serde(with = "duration")]
    pub cache_ttl: Duration,
{%- endif %}
}
