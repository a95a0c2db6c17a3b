//! Generation with the framework of this checkout.

use serde_json::Value;

use crate::smart::{Workshop, checkout, run};

fn framework() -> String {
    format!("path={}", checkout().display())
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
    // The proof boots with the binary that people get, which knows its commit.
    let binary = workshop.path("orders/target/debug/orders");
    let version = run(std::process::Command::new(binary).arg("--version")).expect(0);
    let commit = workshop.git("orders", &["rev-parse", "--short=12", "HEAD"]);
    assert!(
        version.stdout.contains(&format!("({commit}, template ")),
        "{}",
        version.stdout
    );
}

#[test]
fn service_with_postgres_and_redis_is_proved_green_and_the_next_one_shares_its_build() {
    let workshop = Workshop::new();
    let framework = framework();
    let generate = |name| {
        workshop.smart(&[
            "generate-service",
            name,
            "--with",
            "postgres,redis",
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
    assert!(workshop.path("orders/target/debug/orders").is_file());

    // The second one is built and tested with what the first one left, and meets a Redis that does not run.
    let mut command = generate("billing");
    workshop.replace_program(&mut command, "redis-server", "echo out of memory; exit 1");
    let second = run(&mut command).expect(1);
    let report = second.json();
    let (compiled, all) = compiled(&report);
    assert!(compiled <= 2 && all > 100, "{compiled} of {all} compiled");
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
