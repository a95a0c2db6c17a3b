//! Copies of items in Redis, for a while.

use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{AsyncCommands, RedisResult};
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

use super::Item;

/// Longest wait for the cache. Beyond it, asking the database is the quicker way.
const DEADLINE: Duration = Duration::from_millis(100);

/// A cache that may fail at any time: then it knows nothing, and says so in the log.
///
/// An item never changes, so a copy is never out of date. Once items can change, the change must remove the copy.
#[derive(Clone)]
pub(super) struct Cache {
    redis: ConnectionManager,
    ttl: Duration,
}

impl Cache {
    pub(super) fn new(redis: ConnectionManager, ttl: Duration) -> Self {
        Self { redis, ttl }
    }

    pub(super) async fn get(&self, id: Uuid) -> Option<Item> {
        let mut redis = self.redis.clone();
        let text: Option<String> = attempt("read from", redis.get(key(id))).await?;
        // A copy that cannot be read is no copy: an older version of this service may have written it.
        serde_json::from_str(&text?).ok()
    }

    pub(super) async fn put(&self, item: &Item) {
        let Ok(text) = serde_json::to_string(item) else {
            return;
        };
        let mut redis = self.redis.clone();
        // Redis refuses zero seconds.
        let seconds = self.ttl.as_secs().max(1);
        attempt::<()>("write to", redis.set_ex(key(item.id), text, seconds)).await;
    }
}

fn key(id: Uuid) -> String {
    format!("{{project-name}}:item:{id}")
}

async fn attempt<T>(act: &str, command: impl Future<Output = RedisResult<T>>) -> Option<T> {
    match timeout(DEADLINE, command).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            warn!(%error, "cannot {act} the cache");
            None
        }
        Err(_) => {
            warn!("cannot {act} the cache: no answer within {DEADLINE:?}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use redis::Client;
    use redis::aio::ConnectionManagerConfig;

    use super::*;

    #[tokio::test]
    async fn cache_that_is_down_knows_nothing() {
        let nobody_listens = Client::open("redis://127.0.0.1:1/").expect("the address is valid");
        let redis = nobody_listens
            .get_connection_manager_lazy(ConnectionManagerConfig::new())
            .expect("nothing connects yet");
        let cache = Cache::new(redis, Duration::from_secs(60));
        let item = Item {
            id: Uuid::now_v7(),
            name: "bolt".to_owned(),
            quantity: 1,
        };

        cache.put(&item).await;
        assert_eq!(cache.get(item.id).await, None);
    }
}
