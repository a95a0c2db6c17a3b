//! The service {{project-name}}: a library, so that the tests start the same thing as `main`.

mod items;
mod routes;
mod settings;

use smart_service::{App, {% if database != "none" %}Migrations, {% endif %}Service, StartError};

use crate::items::Items;
pub use crate::settings::Settings;
{%- if database != "none" %}

/// The files in `migrations/`; the build script packs them into the binary.
pub fn migrations() -> Migrations {
    smart_service::migrations!()
}
{%- endif %}

/// Puts the service together from what the framework prepared: settings{% if database != "none" or redis %} and connections{% endif %}.
pub async fn service(service: Service<Settings>) -> Result<App, StartError> {
{%- if database != "none" and redis %}
    let settings = service.settings();
    let items = Items::new(service.{{database}}()?, service.redis()?, settings.cache_ttl);
{%- elsif database != "none" %}
    let items = Items::new(service.{{database}}()?);
{%- elsif redis %}
    let items = Items::new(service.redis()?);
{%- else %}
    let items = Items::default();
{%- endif %}
    let routes = routes::all(items, service.settings().max_page);
    Ok(service.routes(routes))
}
