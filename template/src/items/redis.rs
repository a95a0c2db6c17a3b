//! Items in Redis.

use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use smart_service::Problem;
use uuid::Uuid;

use super::Item;

/// A hash from id to item, as JSON.
const ITEMS: &str = "{{project-name}}:items";
/// The ids in order: a sorted set whose members all have the score 0 is sorted by their bytes.
const IDS: &str = "{{project-name}}:items:ids";

#[derive(Clone)]
pub(super) struct Store {
    redis: ConnectionManager,
}

impl Store {
    pub(super) fn new(redis: ConnectionManager) -> Self {
        Self { redis }
    }

    pub(super) async fn insert(&self, item: &Item) -> Result<(), Problem> {
        let id = item.id.to_string();
        redis::pipe()
            .atomic()
            .hset(ITEMS, &id, serde_json::to_string(item)?)
            .zadd(IDS, &id, 0)
            .exec_async(&mut self.redis.clone())
            .await?;
        Ok(())
    }

    pub(super) async fn get(&self, id: Uuid) -> Result<Option<Item>, Problem> {
        let text: Option<String> = self.redis.clone().hget(ITEMS, id.to_string()).await?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// Starts behind an id instead of counting items, so that a late page costs no more than the first.
    pub(super) async fn list(&self, after: Uuid, limit: usize) -> Result<Vec<Item>, Problem> {
        let mut redis = self.redis.clone();
        let limit = isize::try_from(limit)?;
        let ids: Vec<String> = redis
            .zrangebylex_limit(IDS, format!("({after}"), "+", 0, limit)
            .await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<String> = redis.hmget(ITEMS, ids).await?;
        let items = texts.iter().map(|text| serde_json::from_str(text));
        Ok(items.collect::<Result<_, _>>()?)
    }
}
