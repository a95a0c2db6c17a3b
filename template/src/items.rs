{%- assign ask = ".await?" -%}
{%- assign pool = "pool: PgPool" -%}
{%- if database == "sqlite" -%}{%- assign pool = "pool: SqlitePool" -%}{%- endif -%}
{%- if database == "none" and redis == false -%}{%- assign ask = "" -%}{%- endif -%}
//! Items: what they are, which are valid, and how they are kept.
{%- if database != "none" and redis %}
//!
//! The database is the truth. Redis holds copies for a while, so that most reads don't reach the database.
{%- elsif database == "none" and redis %}
//!
//! Redis is the only place that keeps them.
{%- elsif database == "none" %}
//!
//! They are kept in memory: a restart forgets them, every instance has its own, and only the newest
//! [`memory::CAPACITY`] stay. Good for a start; give the service a database before it matters.
{%- endif %}

{% if database != "none" and redis -%}
mod cache;
{% endif -%}
{% if database != "none" -%}
mod {{database}};
{%- elsif redis -%}
mod redis;
{%- else -%}
mod memory;
{%- endif %}
{%- if database != "none" and redis %}

use std::time::Duration;

use ::redis::aio::ConnectionManager;
{%- elsif redis %}

use ::redis::aio::ConnectionManager;
{%- else %}
{% endif %}
use serde::{Deserialize, Serialize};
use smart_service::Problem;
{%- if database == "postgres" %}
use sqlx::PgPool;
{%- elsif database == "sqlite" %}
use sqlx::SqlitePool;
{%- endif %}
use uuid::Uuid;

{% if database != "none" and redis -%}
use self::cache::Cache;
{% endif -%}
{% if database != "none" -%}
use self::{{database}}::Store;
{%- elsif redis -%}
use self::redis::Store;
{%- else -%}
use self::memory::Store;
{%- endif %}

const MAX_NAME: usize = 100;
const MAX_QUANTITY: i64 = 1_000_000;

/// One item. It never changes once it is created.
#[derive(Debug, Clone, PartialEq, Serialize{% if redis %}, Deserialize{% endif %})]
pub(crate) struct Item {
    /// Version 7: ids rise with time, so that their order is the order of creation.
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) quantity: i64,
}

/// What a caller sends to create an item.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewItem {
    name: String,
    quantity: i64,
}

/// A part of the list, in order of creation.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    items: Vec<Item>,
    /// What to send as `after` to get the next page; null on the last one.
    next: Option<Uuid>,
}

/// All items. Cloning it is cheap.
#[derive(Clone{% if database == "none" and redis == false %}, Default{% endif %})]
pub(crate) struct Items {
    store: Store,
{%- if database != "none" and redis %}
    cache: Cache,
{%- endif %}
}

impl Items {
{%- if database != "none" and redis %}
    pub(crate) fn new({{pool}}, redis: ConnectionManager, ttl: Duration) -> Self {
        Self {
            store: Store::new(pool),
            cache: Cache::new(redis, ttl),
        }
    }
{% elsif database != "none" %}
    pub(crate) fn new({{pool}}) -> Self {
        Self {
            store: Store::new(pool),
        }
    }
{% elsif redis %}
    pub(crate) fn new(redis: ConnectionManager) -> Self {
        Self {
            store: Store::new(redis),
        }
    }
{% endif %}
    pub(crate) async fn create(&self, new: NewItem) -> Result<Item, Problem> {
        new.check()?;
        let item = Item {
            id: Uuid::now_v7(),
            name: new.name,
            quantity: new.quantity,
        };
        self.store.insert(&item){{ask}};
        Ok(item)
    }

    pub(crate) async fn get(&self, id: Uuid) -> Result<Option<Item>, Problem> {
{%- if database != "none" and redis %}
        if let Some(item) = self.cache.get(id).await {
            return Ok(Some(item));
        }
        let found = self.store.get(id).await?;
        if let Some(item) = &found {
            self.cache.put(item).await;
        }
        Ok(found)
{%- elsif database == "none" and redis == false %}
        Ok(self.store.get(id))
{%- elsif redis %}
        self.store.get(id).await
{%- else %}
        Ok(self.store.get(id).await?)
{%- endif %}
    }

    pub(crate) async fn page(&self, after: Option<Uuid>, limit: u16) -> Result<Page, Problem> {
        let limit = usize::from(limit);
        // The nil id comes before all others.
        let after = after.unwrap_or(Uuid::nil());
        // One more than asked for tells whether there is a next page.
        let mut items = self.store.list(after, limit + 1){{ask}};
        let has_next = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_next).map(|item| item.id);
        Ok(Page { items, next })
    }
}

impl NewItem {
    /// Tells the caller about every field that is wrong, not only the first.
    fn check(&self) -> Result<(), Problem> {
        let violations = self.violations();
        if violations.is_empty() {
            return Ok(());
        }
        let mut problem = Problem::invalid("the item is not valid");
        for (field, message) in violations {
            problem = problem.violation(field, message);
        }
        Err(problem)
    }

    fn violations(&self) -> Vec<(&'static str, String)> {
        let mut violations = Vec::new();
        if self.name.trim().is_empty() || self.name.chars().count() > MAX_NAME {
            let message = format!("must be 1 to {MAX_NAME} characters, not only spaces");
            violations.push(("name", message));
        }
        if self.name.chars().any(char::is_control) {
            violations.push(("name", "must not hold control characters".to_owned()));
        }
        if !(0..=MAX_QUANTITY).contains(&self.quantity) {
            violations.push(("quantity", format!("must be from 0 to {MAX_QUANTITY}")));
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::NewItem;

    fn check(name: &str, quantity: i64, wrong_fields: &[&str]) {
        let item = NewItem {
            name: name.to_owned(),
            quantity,
        };
        let found: Vec<&str> = item.violations().iter().map(|&(field, _)| field).collect();
        assert_eq!(found, wrong_fields, "{item:?}");
    }

    #[test]
    fn item_is_valid_within_its_limits() {
        check("bolt", 0, &[]);
        check(&"ö".repeat(100), 1_000_000, &[]);
    }

    #[test]
    fn every_wrong_field_is_named() {
        check("", -1, &["name", "quantity"]);
        check(" ", 0, &["name"]);
        check(&"o".repeat(101), 0, &["name"]);
        check("bolt\0", 1_000_001, &["name", "quantity"]);
    }
}
