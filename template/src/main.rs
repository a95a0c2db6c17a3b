//! {{project-name}}: keeps items.

use std::process::ExitCode;

use smart_service::about;

{% if database == "none" -%}
use {{crate_name}}::service;

fn main() -> ExitCode {
    smart_service::program(about!()).run(service)
}
{%- else -%}
use {{crate_name}}::{migrations, service};

fn main() -> ExitCode {
    smart_service::program(about!())
        .migrations(migrations())
        .run(service)
}
{%- endif %}
