//! The resource `items`.

use std::error::Error;

use serde_json::{Value, json};

#[tokio::test]
async fn created_item_is_found_at_its_address() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;

    let bolt = json!({"name": "bolt", "quantity": 3});
    let answer = service.post("/v1/items").json(&bolt).send().await?;
    assert_eq!(answer.status(), 201);
    let address = answer.headers()["location"].to_str()?.to_owned();
    let created: Value = answer.json().await?;
    let id = created["id"].as_str().expect("an id is text");
    assert_eq!(address, format!("/v1/items/{id}"));
    assert_eq!(created["name"], "bolt");
    assert_eq!(created["quantity"], 3);

    let found: Value = service.get(&address).send().await?.json().await?;
    assert_eq!(found, created);
    Ok(())
}

#[tokio::test]
async fn unknown_item_is_a_problem_document() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;

    let path = "/v1/items/00000000-0000-0000-0000-000000000000";
    let answer = service.get(path).send().await?;

    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await?;
    assert_eq!(problem["status"], 404);
    assert!(problem["request_id"].is_string());
    Ok(())
}

#[tokio::test]
async fn invalid_item_is_refused_with_every_wrong_field() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;

    let nonsense = json!({"name": " ", "quantity": -1});
    let answer = service.post("/v1/items").json(&nonsense).send().await?;

    assert_eq!(answer.status(), 422);
    let problem: Value = answer.json().await?;
    let violations = problem["violations"].as_array().expect("a list");
    let fields: Vec<&Value> = violations.iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["name", "quantity"]);
    Ok(())
}

#[tokio::test]
async fn pages_hold_every_item_once_in_order_of_creation() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;
    for quantity in 0..5 {
        let item = json!({"name": "bolt", "quantity": quantity});
        let answer = service.post("/v1/items").json(&item).send().await?;
        assert_eq!(answer.status(), 201);
    }

    let mut quantities = Vec::new();
    let mut path = "/v1/items?limit=2".to_owned();
    loop {
        let page: Value = service.get(&path).send().await?.json().await?;
        let items = page["items"].as_array().expect("items is a list");
        assert!(items.len() <= 2);
        quantities.extend(items.iter().map(|item| item["quantity"].clone()));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/items?limit=2&after={next}");
    }
    assert_eq!(quantities, [0, 1, 2, 3, 4]);
    Ok(())
}

#[tokio::test]
async fn page_is_bounded() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;

    for limit in [0, 101] {
        let path = format!("/v1/items?limit={limit}");
        let answer = service.get(&path).send().await?;
        assert_eq!(answer.status(), 422, "{path}");
    }
    Ok(())
}
{%- if database == "postgres" and redis %}

#[tokio::test]
async fn cached_item_is_read_without_the_database() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;
    let bolt = json!({"name": "bolt", "quantity": 3});
    let answer = service.post("/v1/items").json(&bolt).send().await?;
    let address = answer.headers()["location"].to_str()?.to_owned();
    assert_eq!(service.get(&address).send().await?.status(), 200);

    service.postgres().cut().await;

    assert_eq!(service.get(&address).send().await?.status(), 200);
    Ok(())
}
{%- endif %}
{%- if database != "none" and redis %}

#[tokio::test]
async fn items_are_read_while_the_cache_is_gone() -> Result<(), Box<dyn Error>> {
    let service = crate::start().await;
    let bolt = json!({"name": "bolt", "quantity": 3});
    let answer = service.post("/v1/items").json(&bolt).send().await?;
    let address = answer.headers()["location"].to_str()?.to_owned();

    service.redis().cut().await;
    assert_eq!(service.get(&address).send().await?.status(), 200);

    // An answer that never comes is worse than a refusal.
    service.redis().stall().await;
    assert_eq!(service.get(&address).send().await?.status(), 200);
    assert!(!service.logs().with("the cache").is_empty());
    Ok(())
}
{%- endif %}
