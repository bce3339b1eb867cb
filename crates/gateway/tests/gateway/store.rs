//! The SQLite store passes the contract of stores, whatever its durability.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateway::Reader;
use gateway::store::contract::{Damage, StoreFactory};
use gateway::store::{Durability, SqliteStore, Store, StoreErrorKind};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{World, verdict};

/// A database in a directory of its own.
struct Sqlite {
    directory: TempDir,
    durability: Durability,
}

impl Sqlite {
    fn new(durability: Durability) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            directory,
            durability,
        }
    }

    fn raw(&self) -> Connection {
        let raw = Connection::open(self.directory.path().join("agentspace.db")).unwrap();
        raw.busy_timeout(Duration::from_secs(10)).unwrap();
        raw
    }
}

#[async_trait]
impl StoreFactory for Sqlite {
    async fn open(&self) -> Arc<dyn Store> {
        let path = self.directory.path().join("agentspace.db");
        let (store, _) = SqliteStore::open(&path, self.durability).await.unwrap();
        Arc::new(store)
    }

    async fn damage(&self, what: &Damage) -> bool {
        let sql = match what {
            Damage::Workflow(id) => {
                format!("UPDATE workflows SET created_at = 'once' WHERE id = '{id}'")
            }
            Damage::Execution(id) => {
                format!("UPDATE workflow_executions SET triggered_by = '?' WHERE id = '{id}'")
            }
            Damage::StartOf(id) => {
                format!("UPDATE workflow_executions SET started_at = '{id}' WHERE id = '{id}'")
            }
            Damage::Visit(id, visit) => format!(
                "UPDATE step_visits SET error_kind = '?'
                 WHERE execution_id = '{id}' AND visit = {visit}"
            ),
            Damage::Gate(id) => format!("UPDATE gates SET approvers = '7' WHERE id = '{id}'"),
            Damage::Schedule(id) => {
                format!("UPDATE schedules SET cron_expression = '?' WHERE id = '{id}'")
            }
            Damage::Alert(id) => format!("UPDATE alerts SET kind = '?' WHERE id = '{id}'"),
            other => panic!("the contract asks for more: {other:?}"),
        };
        let raw = self.raw();
        raw.execute_batch("PRAGMA ignore_check_constraints = ON")
            .unwrap();
        assert_eq!(raw.execute(&sql, ()).unwrap(), 1, "{sql}");
        true
    }

    async fn hold_writers(&self) -> Option<Box<dyn Any + Send>> {
        let raw = self.raw();
        raw.execute_batch("BEGIN IMMEDIATE").unwrap();
        Some(Box::new(raw))
    }
}

mod full {
    use super::{Durability, Sqlite};

    gateway::store_contract_tests!(Sqlite::new(Durability::Full));
}

mod normal {
    use super::{Durability, Sqlite};

    gateway::store_contract_tests!(Sqlite::new(Durability::Normal));
}

#[test]
fn a_gateway_runs_on_the_store_that_it_is_given_and_closes_it() {
    let sqlite = Sqlite::new(Durability::Normal);
    let world = World::with("\n  - {id: a, action: tool, tool: act}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(sqlite.open());
    let life = world.live_with(|builder| builder.store(Arc::clone(&store)));
    let id = life.settle(json!({})).id;
    assert!(!world.database().exists());
    life.shutdown();
    let closed = runtime.block_on(store.claim_one(id, "nobody"));
    assert_eq!(closed.unwrap_err().kind(), StoreErrorKind::Closed);
    let reader = Reader::new(runtime.block_on(sqlite.open()).reads());
    let execution = runtime.block_on(reader.execution(id)).unwrap();
    assert_eq!(verdict(&execution), None);
}

#[test]
fn a_database_has_one_owner_until_it_is_closed() {
    let sqlite = Sqlite::new(Durability::Full);
    let path = sqlite.directory.path().join("agentspace.db");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = sqlite.open().await;
        let reads = store.reads();
        let second = SqliteStore::open(&path, Durability::Full).await;
        assert_eq!(second.unwrap_err().kind(), StoreErrorKind::Owned);
        store.close().await.unwrap();
        let second = sqlite.open().await;
        // A read side goes on when its store is closed, and does not keep it from being opened.
        assert_eq!(reads.count_running().await.unwrap(), 0);
        second.close().await.unwrap();
    });
}
