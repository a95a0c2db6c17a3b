//! Items in PostgreSQL.

use sqlx::PgPool;
use uuid::Uuid;

use super::Item;

#[derive(Clone)]
pub(super) struct Store {
    pool: PgPool,
}

/// A row, in the order in which the queries name the columns.
type Row = (Uuid, String, i64);

impl Store {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    pub(super) async fn insert(&self, item: &Item) -> Result<(), sqlx::Error> {
        sqlx::query("insert into items (id, name, quantity) values ($1, $2, $3)")
            .bind(item.id)
            .bind(&item.name)
            .bind(item.quantity)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub(super) async fn get(&self, id: Uuid) -> Result<Option<Item>, sqlx::Error> {
        let row: Option<Row> = sqlx::query_as("select id, name, quantity from items where id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(item))
    }

    /// Starts behind a key instead of counting rows, so that a late page costs no more than the first.
    pub(super) async fn list(&self, after: Uuid, limit: usize) -> Result<Vec<Item>, sqlx::Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "select id, name, quantity from items where id > $1 order by id limit $2",
        )
        .bind(after)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(item).collect())
    }
}

fn item((id, name, quantity): Row) -> Item {
    Item { id, name, quantity }
}
