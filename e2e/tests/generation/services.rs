//! Generation with the framework of this checkout.

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

use crate::smart::{Started, Workshop, checkout, run};

fn framework() -> String {
    format!("path={}", checkout().display())
}

/// A main port that is free, as are the admin port and those of the private engines, which follow from it.
fn free_port() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = 20_000 + 2 * u16::try_from(std::process::id() % 4_000).unwrap();
    (first..30_000)
        .step_by(2)
        .find(|port| {
            [*port, port + 1, port - 10_000, port - 9_999]
                .into_iter()
                .all(is_free)
        })
        .unwrap()
}

/// Name and outcome of every step.
fn steps(report: &Value) -> Vec<(&str, &str)> {
    let steps = report["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            (
                step["name"].as_str().unwrap(),
                step["outcome"].as_str().unwrap(),
            )
        })
        .collect()
}

/// How many crates the step `build` compiled, of how many.
fn compiled(report: &Value) -> (usize, usize) {
    let steps = report["steps"].as_array().unwrap();
    let build = steps.iter().find(|step| step["name"] == "build").unwrap();
    let detail = build["detail"].as_str().unwrap();
    let mut numbers = detail.split(' ').filter_map(|word| word.parse().ok());
    let all = numbers.next().unwrap();
    (numbers.next().unwrap(), all)
}

#[test]
fn service_without_a_database_is_proved_green() {
    let workshop = Workshop::new();
    let framework = framework();
    let arguments = ["generate-service", "orders", "--framework", &framework];
    let said = run(&mut workshop.smart(&arguments)).expect(0);

    let receipt = said.stdout.split_once("receipt").unwrap().1;
    for part in [
        "`orders` builds, passes its tests, boots and is healthy",
        "✓ runtime",
        "builds on this machine only",
        "cargo run",
    ] {
        assert!(receipt.contains(part), "{part} is not in\n{}", said.stdout);
    }
    assert!(!said.stdout.contains('✗'), "{}", said.stdout);
    assert_eq!(said.stderr, "");

    assert_eq!(workshop.git("orders", &["status", "--porcelain"]), "");
    assert_eq!(
        workshop.git("orders", &["rev-list", "--count", "main"]),
        "1"
    );
    let trailer = "--format=%(trailers:key=Smart-Template,valueonly)";
    assert_eq!(
        workshop.git("orders", &["log", trailer]),
        env!("CARGO_PKG_VERSION")
    );
    // The proof boots the binary that people get, which knows its commit.
    assert_eq!(commit_of_binary(&workshop), commit(&workshop));
}

#[test]
fn service_with_postgres_and_redis_is_proved_green_and_the_next_one_shares_its_build() {
    let workshop = Workshop::new();
    let (framework, port) = (framework(), free_port().to_string());
    let generate = |name| {
        workshop.smart(&[
            "generate-service",
            name,
            "--with",
            "postgres,redis",
            "--port",
            &port,
            "--json",
            "--framework",
            &framework,
        ])
    };
    let first = run(&mut generate("orders")).expect(0).json();
    assert_eq!(first["outcome"], "green");
    let passed = [
        "files",
        "dependencies",
        "commit",
        "format",
        "build",
        "engines",
        "tests",
        "boot",
        "health",
        "stop",
    ]
    .map(|name| (name, "passed"));
    assert_eq!(steps(&first), passed);
    let checks = first["proof"]["health"]["results"].as_array().unwrap();
    let checks: Vec<&str> = checks
        .iter()
        .map(|check| check["checker"].as_str().unwrap())
        .collect();
    assert_eq!(checks, ["runtime", "postgres", "redis"]);
    assert_eq!(first["proof"]["health"]["status"], "success");
    assert_eq!(first["repository"]["outcome"], "committed");
    assert_eq!(
        first["repository"]["commit"],
        workshop.git("orders", &["rev-parse", "HEAD"])
    );
    assert_eq!(workshop.git("orders", &["status", "--porcelain"]), "");

    // What the receipt names next: the engines, and the service on them.
    let orders = workshop.path("orders");
    let binary = orders.join("target/debug/orders");
    let engines = Started::new(workshop.smart(&["engines"]).current_dir(&orders));
    let service = Started::new(Command::new(&binary).current_dir(&orders));
    let mut healthcheck = Command::new(&binary);
    healthcheck
        .current_dir(&orders)
        .args(["healthcheck", "--wait", "30s"]);
    let health = run(&mut healthcheck).expect(0);
    assert_eq!(
        health.stdout.matches("  pass  ").count(),
        3,
        "{}",
        health.stdout
    );
    drop((service, engines));

    // The second one is built with what the first one left, and meets a Redis that does not run.
    let mut command = generate("billing");
    workshop.replace_program(&mut command, "redis-server", "echo out of memory; exit 1");
    let second = run(&mut command).expect(1);
    let report = second.json();
    let (compiled, all) = compiled(&report);
    assert!(compiled < 10 && all > 100, "{compiled} of {all} compiled");
    assert_eq!(report["outcome"], "red");
    assert_eq!(
        steps(&report)[4..],
        [
            ("build", "passed"),
            ("engines", "failed"),
            ("tests", "skipped"),
            ("boot", "skipped"),
            ("health", "skipped"),
            ("stop", "skipped"),
        ]
    );
    let error = report["error"]["message"].as_str().unwrap();
    assert!(error.contains("engines: cannot start Redis"), "{error}");
    assert!(second.stderr.contains("out of memory"), "{}", second.stderr);
    assert!(
        second.stderr.contains("the service stays in "),
        "{}",
        second.stderr
    );
    assert!(workshop.path("billing/src/main.rs").is_file());
    assert_eq!(workshop.git("billing", &["status", "--porcelain"]), "");
}

/// cargo takes both for one package, as their builds share one folder.
#[test]
fn two_services_of_one_name_stay_apart() {
    let workshops = [Workshop::new(), Workshop::new()];
    let framework = framework();
    let arguments = [
        "generate-service",
        "orders",
        "--no-verify",
        "--framework",
        &framework,
    ];
    run(&mut workshops[0].smart(&arguments)).expect(0);
    let arguments = [&arguments[..], &["--with", "postgres,redis"]].concat();
    run(&mut workshops[1].smart(&arguments)).expect(0);

    for workshop in [&workshops[0], &workshops[1], &workshops[0]] {
        run(&mut workshop.cargo("orders", &["build", "--quiet", "--locked"])).expect(0);
        assert_eq!(commit_of_binary(workshop), commit(workshop));
    }
}

/// The commit that the binary was built from, as it says itself.
fn commit_of_binary(workshop: &Workshop) -> String {
    let binary = workshop.path("orders/target/debug/orders");
    let version = run(Command::new(binary).arg("--version")).expect(0).stdout;
    let (_, rest) = version.split_once('(').unwrap();
    rest.split_once(',').unwrap().0.to_owned()
}

fn commit(workshop: &Workshop) -> String {
    workshop.git("orders", &["rev-parse", "--short=12", "HEAD"])
}
