//! The service from outside: over HTTP, as its callers meet it, and its deploy files.

mod deploy;
mod health;
mod items;

use smart_service::about;
use smart_testing::TestService;

/// The real service on free ports{% if database == "none" and redis == false %}{% elsif database == "none" %}, with a Redis of its own{% elsif redis %}, with a database and a Redis of its own{% else %}, with a database of its own{% endif %}. It ends with the test.
async fn start() -> TestService {
    smart_testing::service(about!())
{%- if database != "none" %}
        .migrations({{crate_name}}::migrations())
{%- endif %}
        .start({{crate_name}}::service)
        .await
}
