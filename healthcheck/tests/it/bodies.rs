//! Both bodies, as their readers get them.

use std::time::Duration;

use healthcheck::{Check, Monitor, Report};
use insta::assert_snapshot;

use crate::{
    running::{Running, identity, pass_time, seconds},
    switch::Switch,
};

#[tokio::test(start_paused = true)]
async fn green() {
    let report = report(&Switch::on(), &Switch::on()).await;
    assert_snapshot!(runscope(&report), @r#"
    {
      "hostname": "web-1",
      "status": "success",
      "timestamp": 1416856465.502,
      "results": [
        {
          "checker": "runtime",
          "output": "the scheduler answers",
          "passed": true,
          "timestamp": 1416856465.5,
          "expires": 1416856492.5,
          "response_time": 0.0
        },
        {
          "checker": "postgres",
          "output": "answered",
          "passed": true,
          "timestamp": 1416856465.502,
          "expires": 1416856492.502,
          "response_time": 0.002
        },
        {
          "checker": "registry",
          "output": "answered",
          "passed": true,
          "timestamp": 1416856465.502,
          "expires": 1416856492.502,
          "response_time": 0.002
        }
      ],
      "service": {
        "name": "orders",
        "version": "1.4.2",
        "commit": "3f9c2ab",
        "realm": "prod",
        "template_version": "0.1.0",
        "uptime": 2
      }
    }
    "#);
    assert_snapshot!(health_json(&report), @r#"
    {
      "status": "pass",
      "version": "1.4.2",
      "releaseId": "3f9c2ab",
      "serviceId": "orders",
      "description": "orders on web-1 in realm prod",
      "checks": {
        "runtime:responseTime": [
          {
            "componentType": "component",
            "observedValue": 0.0,
            "observedUnit": "ms",
            "status": "pass",
            "time": "2014-11-24T19:14:25.500Z"
          }
        ],
        "postgres:responseTime": [
          {
            "componentType": "component",
            "observedValue": 2.0,
            "observedUnit": "ms",
            "status": "pass",
            "time": "2014-11-24T19:14:25.502Z"
          }
        ],
        "registry:responseTime": [
          {
            "componentType": "component",
            "observedValue": 2.0,
            "observedUnit": "ms",
            "status": "pass",
            "time": "2014-11-24T19:14:25.502Z"
          }
        ]
      }
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn red() {
    let report = report(&Switch::off(), &Switch::off()).await;
    assert_snapshot!(runscope(&report), @r#"
    {
      "hostname": "web-1",
      "status": "failure",
      "timestamp": 1416856465.502,
      "results": [
        {
          "checker": "runtime",
          "output": "the scheduler answers",
          "passed": true,
          "timestamp": 1416856465.5,
          "expires": 1416856492.5,
          "response_time": 0.0
        },
        {
          "checker": "postgres",
          "output": "connection refused",
          "passed": false,
          "timestamp": 1416856465.502,
          "expires": 1416856474.502,
          "response_time": 0.002
        },
        {
          "checker": "registry",
          "output": "connection refused",
          "passed": false,
          "timestamp": 1416856465.502,
          "expires": 1416856474.502,
          "response_time": 0.002
        }
      ],
      "service": {
        "name": "orders",
        "version": "1.4.2",
        "commit": "3f9c2ab",
        "realm": "prod",
        "template_version": "0.1.0",
        "uptime": 2
      }
    }
    "#);
    assert_snapshot!(health_json(&report), @r#"
    {
      "status": "fail",
      "version": "1.4.2",
      "releaseId": "3f9c2ab",
      "serviceId": "orders",
      "description": "orders on web-1 in realm prod",
      "output": "postgres: connection refused; registry: connection refused",
      "checks": {
        "runtime:responseTime": [
          {
            "componentType": "component",
            "observedValue": 0.0,
            "observedUnit": "ms",
            "status": "pass",
            "time": "2014-11-24T19:14:25.500Z"
          }
        ],
        "postgres:responseTime": [
          {
            "componentType": "component",
            "observedValue": 2.0,
            "observedUnit": "ms",
            "status": "fail",
            "time": "2014-11-24T19:14:25.502Z",
            "output": "connection refused"
          }
        ],
        "registry:responseTime": [
          {
            "componentType": "component",
            "observedValue": 2.0,
            "observedUnit": "ms",
            "status": "warn",
            "time": "2014-11-24T19:14:25.502Z",
            "output": "connection refused"
          }
        ]
      }
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn advisory_red() {
    let report = report(&Switch::on(), &Switch::off()).await;
    assert_snapshot!(runscope(&report), @r#"
    {
      "hostname": "web-1",
      "status": "success",
      "timestamp": 1416856465.502,
      "results": [
        {
          "checker": "runtime",
          "output": "the scheduler answers",
          "passed": true,
          "timestamp": 1416856465.5,
          "expires": 1416856492.5,
          "response_time": 0.0
        },
        {
          "checker": "postgres",
          "output": "answered",
          "passed": true,
          "timestamp": 1416856465.502,
          "expires": 1416856492.502,
          "response_time": 0.002
        },
        {
          "checker": "registry",
          "output": "connection refused",
          "passed": false,
          "timestamp": 1416856465.502,
          "expires": 1416856474.502,
          "response_time": 0.002
        }
      ],
      "service": {
        "name": "orders",
        "version": "1.4.2",
        "commit": "3f9c2ab",
        "realm": "prod",
        "template_version": "0.1.0",
        "uptime": 2
      }
    }
    "#);
    assert_snapshot!(health_json(&report), @r#"
    {
      "status": "warn",
      "version": "1.4.2",
      "releaseId": "3f9c2ab",
      "serviceId": "orders",
      "description": "orders on web-1 in realm prod",
      "output": "registry: connection refused",
      "checks": {
        "runtime:responseTime": [
          {
            "componentType": "component",
            "observedValue": 0.0,
            "observedUnit": "ms",
            "status": "pass",
            "time": "2014-11-24T19:14:25.500Z"
          }
        ],
        "postgres:responseTime": [
          {
            "componentType": "component",
            "observedValue": 2.0,
            "observedUnit": "ms",
            "status": "pass",
            "time": "2014-11-24T19:14:25.502Z"
          }
        ],
        "registry:responseTime": [
          {
            "componentType": "component",
            "observedValue": 2.0,
            "observedUnit": "ms",
            "status": "warn",
            "time": "2014-11-24T19:14:25.502Z",
            "output": "connection refused"
          }
        ]
      }
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn stale() {
    let running = Running::after_first_round(vec![postgres(&Switch::on())]).await;
    running.monitor.stop().await;
    pass_time(seconds(93)).await;
    let report = running.monitor.report();
    assert_snapshot!(runscope(&report), @r#"
    {
      "hostname": "web-1",
      "status": "failure",
      "timestamp": 1416856558.502,
      "results": [
        {
          "checker": "postgres",
          "output": "stale: no new result for 1m 33s",
          "passed": false,
          "timestamp": 1416856465.502,
          "expires": 1416856492.502,
          "response_time": 0.002
        }
      ],
      "service": {
        "name": "orders",
        "version": "1.4.2",
        "commit": "3f9c2ab",
        "realm": "prod",
        "template_version": "0.1.0",
        "uptime": 95
      }
    }
    "#);
    assert_snapshot!(health_json(&report), @r#"
    {
      "status": "fail",
      "version": "1.4.2",
      "releaseId": "3f9c2ab",
      "serviceId": "orders",
      "description": "orders on web-1 in realm prod",
      "output": "postgres: stale: no new result for 1m 33s",
      "checks": {
        "postgres:responseTime": [
          {
            "componentType": "component",
            "observedValue": 2.0,
            "observedUnit": "ms",
            "status": "fail",
            "time": "2014-11-24T19:14:25.502Z",
            "output": "stale: no new result for 1m 33s"
          }
        ]
      }
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn not_run_yet() {
    let running = Running::start(vec![postgres(&Switch::on())]);
    let report = running.monitor.report();
    assert_snapshot!(runscope(&report), @r#"
    {
      "hostname": "web-1",
      "status": "failure",
      "timestamp": 1416856465.5,
      "results": [
        {
          "checker": "postgres",
          "output": "not run yet",
          "passed": false,
          "timestamp": 1416856465.5,
          "expires": 1416856474.5,
          "response_time": 0.0
        }
      ],
      "service": {
        "name": "orders",
        "version": "1.4.2",
        "commit": "3f9c2ab",
        "realm": "prod",
        "template_version": "0.1.0",
        "uptime": 2
      }
    }
    "#);
    assert_snapshot!(health_json(&report), @r#"
    {
      "status": "fail",
      "version": "1.4.2",
      "releaseId": "3f9c2ab",
      "serviceId": "orders",
      "description": "orders on web-1 in realm prod",
      "output": "postgres: not run yet",
      "checks": {
        "postgres:responseTime": [
          {
            "componentType": "component",
            "status": "fail",
            "time": "2014-11-24T19:14:25.500Z",
            "output": "not run yet"
          }
        ]
      }
    }
    "#);
}

/// Byte for byte, as a reader of 2014 parses it: order of fields, floats with a fraction, nothing else.
#[tokio::test(start_paused = true)]
async fn the_compact_body_is_exact() {
    let running = Running::after_first_round(vec![postgres(&Switch::on())]).await;
    let body = serde_json::to_string(&running.monitor.report().runscope(&identity())).unwrap();
    assert_eq!(
        body,
        concat!(
            r#"{"hostname":"web-1","status":"success","timestamp":1416856465.502,"results":[{"#,
            r#""checker":"postgres","output":"answered","passed":true,"timestamp":1416856465.502,"#,
            r#""expires":1416856492.502,"response_time":0.002}],"service":{"name":"orders","#,
            r#""version":"1.4.2","commit":"3f9c2ab","realm":"prod","template_version":"0.1.0","uptime":2}}"#,
        )
    );
}

#[tokio::test(start_paused = true)]
async fn whole_seconds_keep_a_fraction() {
    let running = Running::after_first_round(vec![Check::runtime()]).await;
    pass_time(Duration::from_millis(500)).await;
    let body = serde_json::to_value(running.monitor.report().runscope(&identity())).unwrap();
    assert_eq!(body["timestamp"].to_string(), "1416856466.0");
    assert_eq!(body["results"][0]["response_time"].to_string(), "0.0");
}

#[tokio::test(start_paused = true)]
async fn response_time_has_six_decimals() {
    let mut report = report(&Switch::on(), &Switch::on()).await;
    report.results[1].response_time = Some(Duration::from_nanos(1_234_567_890));
    let body = serde_json::to_value(report.runscope(&identity())).unwrap();
    assert_eq!(body["results"][1]["response_time"].to_string(), "1.234568");
    let body = serde_json::to_value(report.health_json(&identity())).unwrap();
    let measured = &body["checks"]["postgres:responseTime"][0]["observedValue"];
    assert_eq!(measured.to_string(), "1234.568");
}

#[tokio::test(start_paused = true)]
async fn without_a_template_the_field_stays() {
    let report = report(&Switch::on(), &Switch::on()).await;
    let mut identity = identity();
    identity.template_version = None;
    let body = serde_json::to_string(&report.runscope(&identity)).unwrap();
    assert!(body.contains(r#""template_version":null"#));
}

#[tokio::test(start_paused = true)]
async fn a_clock_before_1970_breaks_no_body() {
    let early = std::time::UNIX_EPOCH - seconds(100);
    let monitor = Monitor::start_with_clock(
        healthcheck::MonitorConfig::default(),
        vec![Check::runtime()],
        |_| {},
        move || early,
    )
    .unwrap();
    monitor.first_round().await;
    let report = monitor.report();
    let runscope = serde_json::to_value(report.runscope(&identity())).unwrap();
    assert_eq!(runscope["timestamp"].to_string(), "0.0");
    assert_eq!(runscope["service"]["uptime"], 0);
    assert!(health_json(&report).contains("1970-01-01T00:00:00.000Z"));
}

#[tokio::test(start_paused = true)]
async fn the_summary_of_many_failures_is_limited() {
    let checks = (0..50)
        .map(|index| Switch::off().check(&format!("shelf-{index}"), Duration::ZERO))
        .collect();
    let running = Running::after_first_round(checks).await;
    let report = running.monitor.report();
    let body = serde_json::to_value(report.health_json(&identity())).unwrap();
    assert_eq!(body["output"].as_str().unwrap().chars().count(), 200);
    assert_eq!(body["checks"].as_object().unwrap().len(), 50);
}

/// The built-in check, a critical and an advisory one, after their first round.
async fn report(critical: &Switch, advisory: &Switch) -> Report {
    let running = Running::after_first_round(vec![
        Check::runtime(),
        postgres(critical),
        advisory
            .check("registry", Duration::from_micros(1250))
            .advisory(),
    ])
    .await;
    running.monitor.report()
}

fn postgres(switch: &Switch) -> Check {
    switch.check("postgres", Duration::from_millis(2))
}

fn runscope(report: &Report) -> String {
    serde_json::to_string_pretty(&report.runscope(&identity())).unwrap()
}

fn health_json(report: &Report) -> String {
    serde_json::to_string_pretty(&report.health_json(&identity())).unwrap()
}
