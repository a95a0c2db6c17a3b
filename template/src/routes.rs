//! The HTTP interface: every route, and how requests turn into answers.

use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use smart_service::Problem;
use uuid::Uuid;

use crate::items::{Item, Items, NewItem, Page};

/// All routes, behind which the framework puts its standard stack.
pub(crate) fn all(items: Items, max_page: u16) -> Router {
    Router::new()
        .route("/v1/items", post(create_item).get(list_items))
        .route("/v1/items/{id}", get(get_item))
        .with_state(Api { items, max_page })
}

#[derive(Clone)]
struct Api {
    items: Items,
    max_page: u16,
}

/// Answers `201` with the item and its address.
async fn create_item(
    State(api): State<Api>,
    Json(new): Json<NewItem>,
) -> Result<impl IntoResponse, Problem> {
    let item = api.items.create(new).await?;
    let location = [(header::LOCATION, format!("/v1/items/{}", item.id))];
    Ok((StatusCode::CREATED, location, Json(item)))
}

async fn get_item(State(api): State<Api>, Path(id): Path<Uuid>) -> Result<Json<Item>, Problem> {
    match api.items.get(id).await? {
        Some(item) => Ok(Json(item)),
        None => Err(Problem::not_found(format!("no item has the id {id}"))),
    }
}

/// Which part of the list is wanted: `?limit=20&after=ID`.
#[derive(Deserialize)]
struct Wanted {
    limit: Option<u16>,
    after: Option<Uuid>,
}

async fn list_items(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page>, Problem> {
    let limit = wanted.limit.unwrap_or(20.min(api.max_page));
    if limit == 0 || limit > api.max_page {
        let range = format!("must be from 1 to {}", api.max_page);
        return Err(Problem::invalid("there is no such page").violation("limit", range));
    }
    Ok(Json(api.items.page(wanted.after, limit).await?))
}
