//! The laws that every store must pass, whatever it is made of.
//!
//! Whoever writes a store gives it a [`StoreFactory`] and makes each law a test of its own:
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use gateway::store::contract::StoreFactory;
//! use gateway::store::{Durability, SqliteStore, Store};
//!
//! struct Sqlite(tempfile::TempDir);
//!
//! #[async_trait]
//! impl StoreFactory for Sqlite {
//!     async fn open(&self) -> Arc<dyn Store> {
//!         let path = self.0.path().join("agentspace.db");
//!         let opened = SqliteStore::open(&path, Durability::Normal).await;
//!         Arc::new(opened.expect("a database that opens").0)
//!     }
//! }
//!
//! gateway::store_contract_tests!(Sqlite(tempfile::tempdir().expect("a directory")));
//! ```
#![expect(
    clippy::unwrap_used,
    reason = "a law that is broken says so by panicking"
)]

mod alerts;
mod cancels;
mod claims;
mod damage;
mod events;
mod fires;
mod fixture;
mod gates;
mod groups;
mod heartbeats;
mod held;
mod life;
mod notices;
mod pages;
mod queue;
mod retention;
mod schedules;
mod starts;
mod timers;
mod transitions;
mod turns;

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use workflow_types::id::{AlertId, ExecutionId, GateId, ScheduleId, WorkflowId};

use super::Store;
use crate::clock::{Clock as _, SystemClock};

/// The longest that a law may take; far beyond what a slow machine needs.
const PATIENCE: Duration = Duration::from_mins(2);

/// Makes the store that is to be tested, and does to it what no verb does.
#[async_trait]
pub trait StoreFactory: Send + Sync {
    /// Opens the store: an empty one at first, later what the last one left when it was closed.
    async fn open(&self) -> Arc<dyn Store>;

    /// Damages what is stored, beneath the open store, so that it cannot be read any more.
    ///
    /// Answers false if that cannot be done; then the laws about damage are passed over.
    async fn damage(&self, _what: &Damage) -> bool {
        false
    }

    /// Keeps every writer waiting until what is answered is dropped, but no reader.
    ///
    /// Answers none if that cannot be done; then the law about waiting is passed over.
    async fn hold_writers(&self) -> Option<Box<dyn Any + Send>> {
        None
    }
}

/// What a [`StoreFactory`] is asked to damage.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// A workflow.
    Workflow(WorkflowId),
    /// An execution; its id, its status and its start stay as they are.
    Execution(ExecutionId),
    /// When an execution was started.
    StartOf(ExecutionId),
    /// A visit; its number, its state and when it is due stay as they are.
    Visit(ExecutionId, u32),
    /// A gate; its id, its state and its expiry stay as they are.
    Gate(GateId),
    /// A schedule; its id, that it fires and when it is due stay as they are.
    Schedule(ScheduleId),
    /// An alert; its id, when it was raised, and whether it is open and read stay as they are.
    Alert(AlertId),
}

type Obeyed<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

struct Law {
    name: &'static str,
    check: for<'a> fn(&'a dyn StoreFactory) -> Obeyed<'a>,
}

/// The laws, once for the table and once for the tests.
macro_rules! laws {
    (($d:tt) $($module:ident { $($law:ident,)* })*) => {
        const LAWS: &[Law] = &[$($(Law {
            name: stringify!($law),
            check: |factory| Box::pin($module::$law(factory)),
        },)*)*];

        /// Makes each law of the contract a test, of a store that the given expression makes: a
        /// [`StoreFactory`](crate::store::contract::StoreFactory), a new one for each test.
        #[macro_export]
        macro_rules! store_contract_tests {
            ($d factory:expr) => {
                $($(
                    #[test]
                    fn $law() {
                        $crate::store::contract::check(stringify!($law), &$d factory);
                    }
                )*)*
            };
        }
    };
}

laws! {
    ($)
    starts {
        a_start_is_stored_whole,
        a_start_repeated_by_its_id_changes_nothing,
        the_same_key_answers_the_first_execution,
        fifty_starts_with_one_key_make_one_execution,
        an_id_belongs_to_one_execution,
        a_start_of_something_unknown_leaves_nothing,
        parts_that_do_not_belong_together_are_refused,
        registering_again_changes_nothing,
        a_new_definition_keeps_the_old_one,
    }
    transitions {
        a_step_forward_is_read_back_as_it_was,
        what_a_model_used_is_kept_with_its_attempt,
        a_transition_that_is_refused_has_written_nothing,
        a_finished_execution_never_changes_again,
        a_visit_that_is_over_is_not_written_again,
        a_paused_execution_goes_on_only_through_its_gate,
        the_end_of_an_execution_withdraws_its_gate,
        what_came_to_rest_tells_its_results_and_its_step,
    }
    turns {
        answers_and_their_calls_are_read_back_as_they_were,
        a_call_ends_once_and_with_it_the_next_one_begins,
        whoever_may_not_write_an_execution_records_no_answer,
        a_gate_knows_its_place_within_the_turns,
    }
    claims {
        claims_take_up_what_runs_the_oldest_first,
        whoever_held_an_execution_before_is_fenced_off,
        claims_that_race_get_epochs_of_their_own,
        what_does_not_run_is_not_taken_up,
    }
    queue {
        what_waits_is_stored_without_visits_and_taken_up_once,
        of_a_workflow_the_one_that_waited_longest_is_next,
        workflows_take_turns_whatever_each_has_waiting,
        one_round_is_as_fair_as_many,
        no_more_begin_than_the_limit_of_the_workflow_allows,
        the_limit_of_the_newest_definition_applies,
        what_is_skipped_leaves_nothing,
        one_that_waits_may_be_ended,
        after_a_crash_everything_that_ran_waits_but_retries,
        an_attempt_that_is_due_and_waits_for_its_turn_is_not_due_again,
        only_those_within_the_scope_have_a_turn,
        rounds_at_once_take_up_each_once,
        a_damaged_one_does_not_keep_others_from_their_turn,
    }
    groups {
        a_verb_that_fails_spares_its_neighbours,
        executions_that_advance_at_once_do_not_mix,
        a_dropped_future_leaves_all_or_nothing,
        reads_do_not_wait_for_writers,
        what_was_answered_is_read_at_once,
    }
    life {
        what_was_answered_is_there_when_opened_again,
        a_closed_store_takes_no_more_verbs,
        verbs_that_were_taken_are_done_when_the_store_is_closed,
    }
    gates {
        one_approval_settles_a_gate,
        approvals_count_until_there_are_enough,
        the_same_decision_repeats_and_the_opposite_one_conflicts,
        who_is_not_entitled_changes_nothing,
        fifty_racing_deciders_settle_a_gate_once,
        an_interrupted_step_is_resolved_once,
        a_gate_takes_only_what_it_asks_for,
        gates_are_found_by_execution_and_by_visit,
        waiting_gates_are_listed_the_oldest_first,
    }
    timers {
        gates_expire_in_the_order_in_which_they_are_due,
        only_gates_within_the_scope_expire,
        a_vote_after_the_expiry_conflicts_whether_or_not_it_was_noticed,
        attempts_are_due_in_their_order,
        what_is_due_next_is_the_earliest_of_all,
        nothing_of_a_finished_execution_is_due,
    }
    cancels {
        what_waits_ends_with_the_request,
        what_waits_for_its_first_turn_ends_with_the_request,
        a_running_attempt_can_only_end_as_cancelled,
        the_first_who_cancels_is_named_and_nothing_finished_is_cancelled,
        racing_cancels_and_votes_have_one_outcome,
    }
    retention {
        a_repetition_takes_over_the_visits_before_it,
        a_repetition_that_waits_for_its_turn_has_what_it_takes_over,
        a_repetition_of_what_is_not_there_leaves_nothing,
        only_what_has_finished_is_deleted,
        pruning_deletes_what_the_bounds_name_and_nothing_else,
        a_definition_that_nothing_refers_to_is_deleted,
    }
    schedules {
        a_schedule_is_read_back_as_it_was_and_its_id_is_its_own,
        a_change_is_written_only_to_what_it_was_worked_out_from,
        a_gap_is_one_row_and_survives_a_repetition,
        what_is_due_is_found_in_its_order,
        so_many_failures_in_a_row_pause_a_schedule,
        a_trigger_has_a_schedule_that_follows_it,
        a_trigger_takes_no_id_from_anybody,
        a_deleted_schedule_leaves_its_executions_and_no_fires,
    }
    fires {
        a_fire_is_recorded_with_what_it_starts_and_only_once,
        fifty_that_fire_at_once_start_one_execution,
        fires_that_are_asked_for_together_are_all_written_or_none_is,
        a_fire_that_was_planned_before_a_change_is_refused_whole,
        the_limit_of_runs_completes_a_schedule,
        what_is_not_finished_decides_what_overlaps,
        one_that_waits_for_a_person_is_passed_over_if_the_policy_says_so,
        a_buffered_fire_starts_when_nothing_is_in_its_way,
        a_backfill_takes_what_did_not_run_and_counts_nothing,
    }
    alerts {
        a_finding_makes_one_alert_until_it_is_clear,
        what_cannot_be_judged_is_an_alert_after_so_many_times,
        what_one_execution_found_is_recorded_once,
        an_item_that_is_not_named_any_more_ends_its_alert,
        alerts_are_listed_in_pages_the_newest_first,
        a_schedule_that_is_paused_for_its_failures_is_an_alert_until_it_is_not,
    }
    notices {
        only_what_is_open_and_unread_is_reminded_of,
        each_sink_is_told_all_in_its_order,
        a_sink_is_told_what_happens_while_it_is_configured,
        only_what_is_over_read_and_told_is_pruned,
        nothing_of_alerts_is_lost_between_any_two_verbs,
    }
    heartbeats {
        a_heartbeat_has_a_schedule_that_follows_its_file,
        a_run_is_judged_once_after_its_end,
        what_could_not_start_is_told_once_and_takes_nothing_from_other_items,
    }
    events {
        events_only_grow_and_are_read_from_any_place,
        votes_are_told_in_the_order_in_which_they_were_counted,
        events_of_a_long_history_are_read_in_pages,
        every_commit_is_told_to_who_reads_beside,
    }
    pages {
        pages_hold_every_execution_once_the_newest_first,
        pages_stay_whole_while_executions_start,
        every_filter_leaves_out_what_it_says,
        a_journal_is_read_in_pages,
    }
    held {
        fires_that_wait_for_a_person_are_one_alert_told_once,
        whatever_settles_the_gate_ends_the_alert_with_it,
        what_lets_a_schedule_go_ends_its_alert_and_nothing_else_does,
        what_has_waited_longest_is_named_and_then_what_waits_behind_it,
        a_backfill_and_what_is_still_buffered_say_nothing,
    }
    damage {
        a_damaged_execution_is_named_and_spares_its_neighbours,
        pages_go_on_after_what_is_damaged,
        a_damaged_gate_is_named_and_spares_its_neighbours,
        damaged_gates_do_not_keep_others_from_expiring,
        a_damaged_visit_is_named_and_spares_its_neighbours,
        a_damaged_workflow_is_named_and_spares_its_neighbours,
        a_damaged_schedule_is_named_and_spares_its_neighbours,
        a_damaged_alert_is_named_and_spares_its_neighbours,
    }
}

/// Checks every law, each on a store of its own; panics at the first that is broken.
///
/// [`store_contract_tests!`](crate::store_contract_tests) names the one that is.
pub async fn all<F: StoreFactory>(make: impl Fn() -> F) {
    for law in LAWS {
        (law.check)(&make()).await;
    }
}

/// Checks one law in a runtime of its own.
#[doc(hidden)]
pub fn check(name: &str, factory: &dyn StoreFactory) {
    let law = LAWS.iter().find(|law| law.name == name).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let deadline = SystemClock.now().saturating_add(PATIENCE);
        tokio::select! {
            () = (law.check)(factory) => {}
            () = SystemClock.sleep_until(deadline) => panic!("nothing happened in {PATIENCE:?}"),
        }
    });
}
