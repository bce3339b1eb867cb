//! A model that judges the items of a heartbeat as its test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gateway::{ModelClient, ModelError, ModelReply, ModelRequest};
use serde_json::json;
use tokio::sync::{Semaphore, watch};

/// What the model says of an item.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    Well,
    Act(&'static str),
    /// It cannot be reached.
    Down,
    /// It answers something else.
    Nonsense,
    /// It answers only when the test lets it.
    Waits,
}

/// A model that judges items as the test says, and notes what it was asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) says: Mutex<BTreeMap<String, Says>>,
    /// Items in the order in which they were asked about.
    pub(super) asked: watch::Sender<Vec<String>>,
    /// How many questions are open now, and how many were at most.
    pub(super) open: Mutex<(usize, usize)>,
    pub(super) leave: Option<Semaphore>,
}

impl Script {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            leave: Some(Semaphore::new(0)),
            ..Self::default()
        })
    }

    /// One that says this of an item, and of all others that they are well.
    pub(super) fn saying(item: &str, says: Says) -> Arc<Self> {
        let script = Self::new();
        script.say(item, says);
        script
    }

    pub(super) fn say(&self, item: &str, says: Says) {
        self.says.lock().unwrap().insert(item.to_owned(), says);
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.borrow().clone()
    }

    pub(super) async fn until_asked(&self, times: usize) {
        let enough = |asked: &Vec<String>| asked.len() >= times;
        self.asked.subscribe().wait_for(enough).await.unwrap();
    }
}

/// Asks the script.
pub(super) struct Judge(pub(super) Arc<Script>);

/// One open question.
struct Open<'a>(&'a Script);

impl<'a> Open<'a> {
    fn new(script: &'a Script) -> Self {
        let mut open = script.open.lock().unwrap();
        open.0 += 1;
        open.1 = open.1.max(open.0);
        Self(script)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.lock().unwrap().0 -= 1;
    }
}

#[async_trait]
impl ModelClient for Judge {
    async fn ask(&self, request: ModelRequest) -> Result<ModelReply, ModelError> {
        let script = &self.0;
        let _open = Open::new(script);
        let (_, item) = request.prompt.split_once("\n\n").unwrap();
        script
            .asked
            .send_modify(|asked| asked.push(item.to_owned()));
        let says = script.says.lock().unwrap().get(item).copied();
        let answer = |act: bool, details: &str| {
            let answer = json!({"actionNeeded": act, "details": details});
            Ok(ModelReply::text(answer.to_string()))
        };
        match says.unwrap_or(Says::Well) {
            Says::Well => answer(false, ""),
            Says::Act(details) => answer(true, details),
            Says::Down => Err(ModelError::Permanent {
                message: "the model is down".to_owned(),
            }),
            Says::Nonsense => Ok(ModelReply::text("I would rather not say.")),
            Says::Waits => {
                tokio::select! {
                    permit = script.leave.as_ref().unwrap().acquire() => permit.unwrap().forget(),
                    () = request.cancelled.cancelled() => {
                        let message = "nobody waits any more".to_owned();
                        return Err(ModelError::Permanent { message });
                    }
                }
                answer(false, "")
            }
        }
    }
}
