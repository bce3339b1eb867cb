//! What `agentspace doctor` says of schedules that are held up.

use super::Examined;
use crate::config::Global;
use crate::host;

/// Notes how many lose fires, or keep them waiting, because somebody is waited for.
pub(super) async fn examine(global: &Global, examined: &mut Examined) {
    // Why there is no database, or none that can be read, is said elsewhere.
    let Ok(reader) = host::reader(global).await else {
        return;
    };
    let note = match reader.count_held_up().await {
        Ok(0) => return,
        Ok(1) => "1 schedule is held up by an execution that waits for a person; `agentspace \
                  schedules ls` says which, and what to do"
            .to_owned(),
        Ok(count) => format!(
            "{count} schedules are held up by executions that wait for a person; `agentspace \
             schedules ls` says which, and what to do"
        ),
        Err(error) => format!("whether schedules are held up is not known: {error}"),
    };
    examined.notes.push(note);
}
