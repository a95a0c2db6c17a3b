//! The deploy files agree with the configuration. Belongs to the framework: an update replaces it.
//!
//! What is not deployed with may be deleted: a file that is not there is not checked.

use std::fmt::Display;
use std::fs;
use std::time::Duration;

use smart_service::config::duration;
use toml::{Table, Value};

const DEPLOYMENT: &str = "deploy/kubernetes/deployment.yaml";
const UNIT: &str = "deploy/systemd/{{project-name}}.service";
const DOCKERFILE: &str = "Dockerfile";

#[test]
fn grace_period_covers_the_whole_stop() {
    let stop = |realm| {
        let unready_wait = seconds(realm, "unready_wait", "10s");
        unready_wait + seconds(realm, "drain", "20s")
    };
    let needed = ["test", "prod"].map(stop).into_iter().max();
    let needed = needed.expect("there are two realms").as_secs() + 5;
    agrees(DEPLOYMENT, "terminationGracePeriodSeconds: ", needed);
    agrees(UNIT, "TimeoutStopSec=", format!("{needed}s"));
}

#[test]
fn ports_are_the_configured_ones() {
    for realm in ["test", "prod"] {
        let port = |section| setting(realm, section, "port")?.as_integer();
        let http = port("http").expect("default.toml names the port");
        let admin = port("admin").expect("default.toml names the port");
        agrees(DEPLOYMENT, "containerPort: ", http);
        agrees(DEPLOYMENT, "containerPort: ", admin);
        agrees(DEPLOYMENT, "prometheus.io/port: ", format!("\"{admin}\""));
        agrees(DOCKERFILE, "EXPOSE ", format!("{http} {admin}"));
    }
}

fn agrees(file: &str, label: &str, value: impl Display) {
    if let Some(text) = read(file) {
        let expected = format!("{label}{value}\n");
        assert!(
            text.contains(&expected),
            "{file} does not agree with config/: it lacks {expected:?}"
        );
    }
}

fn seconds(realm: &str, key: &str, framework_default: &str) -> Duration {
    let value = setting(realm, "service", key);
    let value = value.unwrap_or_else(|| Value::from(framework_default));
    duration::deserialize(value).expect("the service itself would refuse it")
}

/// The value that a deployed realm reads from the files.
fn setting(realm: &str, section: &str, key: &str) -> Option<Value> {
    [realm, "default"].into_iter().find_map(|name| {
        let text = read(&format!("config/{name}.toml"))?;
        let table: Table = text.parse().expect("configuration is TOML");
        table.get(section)?.get(key).cloned()
    })
}

fn read(file: &str) -> Option<String> {
    fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).ok()
}
