//! Items in the memory of this process.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Item;

/// How many items stay; the oldest make room for new ones.
pub(super) const CAPACITY: usize = 10_000;

/// A map in the order of creation, as the ids rise with time.
#[derive(Clone, Default)]
pub(super) struct Store {
    items: Arc<Mutex<BTreeMap<Uuid, Item>>>,
}

impl Store {
    pub(super) fn insert(&self, item: &Item) {
        let mut items = self.lock();
        items.insert(item.id, item.clone());
        if items.len() > CAPACITY {
            items.pop_first();
        }
    }

    pub(super) fn get(&self, id: Uuid) -> Option<Item> {
        self.lock().get(&id).cloned()
    }

    pub(super) fn list(&self, after: Uuid, limit: usize) -> Vec<Item> {
        let items = self.lock();
        let later = items.range((Excluded(after), Unbounded));
        later.take(limit).map(|(_, item)| item.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Item>> {
        // Every change above is a single step, so a panic cannot leave the map half changed.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{CAPACITY, Store};
    use crate::items::Item;

    #[test]
    fn oldest_item_makes_room_for_the_newest() {
        let store = Store::default();
        let ids: Vec<Uuid> = (0..=CAPACITY).map(|_| Uuid::now_v7()).collect();
        for &id in &ids {
            store.insert(&Item {
                id,
                name: "bolt".to_owned(),
                quantity: 1,
            });
        }
        assert_eq!(store.get(ids[0]), None);
        assert_eq!(store.list(Uuid::nil(), CAPACITY + 1).len(), CAPACITY);
        assert!(store.get(ids[CAPACITY]).is_some());
    }
}
