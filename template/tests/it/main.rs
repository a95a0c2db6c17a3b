//! The service from outside: over HTTP, as its callers meet it, and its deploy files.

mod deploy;
mod health;
mod items;

use smart_service::about;
use smart_testing::TestService;

use {{crate_name}}::{% if database == "none" %}service{% else %}{migrations, service}{% endif %};

/// The real service on free ports{% if database != "none" and redis %}, with a database and a Redis of its own{% elsif database != "none" %}, with a database of its own{% elsif redis %}, with a Redis of its own{% endif %}. It ends with the test.
async fn start() -> TestService {
{%- if database == "none" %}
    smart_testing::service(about!()).start(service).await
{%- else %}
    smart_testing::service(about!())
        .migrations(migrations())
        .start(service)
        .await
{%- endif %}
}
