//! What load balancers, CI and people read.

use std::error::Error;

use serde_json::Value;

#[tokio::test]
async fn healthy_service_names_every_check() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;

    let answer = service.get("/healthcheck").send().await?;

    assert_eq!(answer.status(), 200);
    let health: Value = answer.json().await?;
    assert_eq!(health["status"], "success");
    let results = health["results"].as_array().expect("results is a list");
    let mut names: Vec<&Value> = results.iter().map(|check| &check["checker"]).collect();
    names.sort_unstable_by_key(|name| name.as_str());
    assert_eq!(names, [{% if database == "postgres" %}"postgres", {% endif %}{% if redis %}"redis", {% endif %}"runtime"{% if database == "sqlite" %}, "sqlite"{% endif %}]);
    Ok(())
}

#[tokio::test]
async fn started_service_is_alive_and_ready() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;

    for path in ["/livez", "/readyz", "/startupz"] {
        let answer = service.get(path).send().await?;
        assert_eq!(answer.status(), 200, "{path}");
    }
    Ok(())
}
