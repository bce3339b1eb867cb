//! Keys of other tools (GitHub Actions, n8n, Airflow, Step Functions, Temporal, cron daemons), and
//! what they are called here.

/// A word that authors bring along, and what it is here.
#[derive(Debug)]
pub(crate) struct Habit {
    /// The words, in lower case, without `_` and `-`.
    words: &'static [&'static str],
    /// The keys whose absence it explains, so that they are not asked for, too. The first is the
    /// key that takes its place, if `help` is none.
    pub(crate) explains: &'static [&'static str],
    /// What to do where another name alone does not do.
    pub(crate) help: Option<&'static str>,
}

impl Habit {
    /// Words for which the key alone is another.
    const fn key(words: &'static [&'static str], key: &'static [&'static str]) -> Self {
        Self {
            words,
            explains: key,
            help: None,
        }
    }

    /// Words for which more must be said.
    const fn told(words: &'static [&'static str], help: &'static str) -> Self {
        Self {
            words,
            explains: &[],
            help: Some(help),
        }
    }

    const fn explaining(mut self, keys: &'static [&'static str]) -> Self {
        self.explains = keys;
        self
    }
}

/// The habits behind a key that is not known in a mapping, by the mapping's name.
pub(crate) fn of(shape: &str, key: &str) -> impl Iterator<Item = &'static Habit> {
    let habits: &[Habit] = match shape {
        "workflow" => WORKFLOW,
        "step" => STEP,
        "branch" => BRANCH,
        "retry" => RETRY,
        "approval" => APPROVAL,
        "concurrency" => CONCURRENCY,
        "trigger" => TRIGGER,
        "heartbeat" => HEARTBEAT,
        _ => &[],
    };
    let plain: String = key
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect();
    habits
        .iter()
        .filter(move |habit| habit.words.contains(&plain.as_str()))
}

static WORKFLOW: &[Habit] = &[
    Habit::key(&["title", "label"], &["name"]),
    Habit::key(
        &["desc", "summary", "comment", "notes", "about"],
        &["description"],
    ),
    Habit::key(
        &["schedule", "cron", "triggers", "on", "scheduleinterval"],
        &["trigger"],
    ),
    Habit::key(
        &["tasks", "jobs", "nodes", "stages", "activities", "actions"],
        &["steps"],
    ),
    Habit::told(
        &["states"],
        "write `steps` with a list, each state with its `id`",
    )
    .explaining(&["steps"]),
    Habit::key(
        &[
            "inputs",
            "params",
            "parameters",
            "args",
            "arguments",
            "inputschema",
        ],
        &["input"],
    ),
    Habit::told(
        &[
            "maxconcurrency",
            "concurrencylimit",
            "maxparallel",
            "maxactiveruns",
            "parallelism",
        ],
        "write `concurrency: {limit: 1}`",
    ),
    Habit::told(
        &["id", "workflowid", "dagid"],
        "remove it: the id of a workflow is the name of its file",
    ),
    Habit::told(
        &["version", "apiversion", "schemaversion"],
        "remove it: a definition has no version of its own",
    ),
    Habit::told(
        &["startat", "start", "entry", "entrypoint", "first"],
        "remove it: the first step of the list is where an execution begins",
    ),
    Habit::told(
        &[
            "timeout",
            "timeoutseconds",
            "timeoutminutes",
            "retry",
            "retries",
        ],
        "each step has its own: move it to the steps",
    ),
    Habit::told(
        &["timezone", "tz"],
        "write it beside the pattern: `trigger: {cron: \"0 9 * * *\", timezone: Europe/Berlin}`",
    ),
    Habit::told(
        &["env", "vars", "variables", "environment"],
        "give them as `input` with a `default`, and read them as `{{ input.name }}`",
    ),
];

static STEP: &[Habit] = &[
    Habit::key(&["name", "stepid", "key", "taskid"], &["id"]),
    Habit::key(
        &[
            "name", "title", "label", "desc", "summary", "comment", "notes",
        ],
        &["description"],
    ),
    Habit::key(&["type", "kind"], &["action"]),
    Habit::key(
        &[
            "next",
            "then",
            "goto",
            "success",
            "onsuccessgoto",
            "nextstep",
        ],
        &["onSuccess"],
    ),
    Habit::key(
        &[
            "else", "catch", "onerror", "error", "failure", "onfail", "fallback", "rescue",
        ],
        &["onFailure"],
    ),
    Habit::told(
        &[
            "retries",
            "attempts",
            "maxattempts",
            "maxretries",
            "retrycount",
            "retryonfail",
            "maxtries",
        ],
        "write `retry: {maxAttempts: 3}`; the first attempt counts, too",
    ),
    Habit::told(
        &["retrydelay", "backoff", "waitbetweentries", "retryinterval"],
        "write `retry: {maxAttempts: 3, initialBackoff: 10s}`",
    ),
    Habit::told(
        &[
            "if",
            "when",
            "unless",
            "runif",
            "condition",
            "conditions",
            "only",
        ],
        "a step has no condition: write it in the step before, as `branches: [{condition: result.ok, goto: this-step}]`",
    ),
    Habit::key(&["choices", "switch", "cases", "rules"], &["branches"]),
    Habit::told(
        &[
            "dependson",
            "needs",
            "after",
            "requires",
            "upstream",
            "triggerrule",
        ],
        "remove it: steps run in the order of the list, and `onSuccess` leads elsewhere",
    ),
    Habit::told(
        &[
            "run",
            "cmd",
            "command",
            "script",
            "shell",
            "exec",
            "bash",
            "bashcommand",
        ],
        "write `action: tool`, `tool: execute_command` and `args: {command: [ls, -l]}`",
    )
    .explaining(&["action", "tool"]),
    Habit::told(
        &["uses", "task", "activity", "function", "operator", "plugin"],
        "write `action: tool` and the name of a tool, as `tool: http_request`",
    )
    .explaining(&["action", "tool"]),
    Habit::told(
        &["url", "method", "headers", "body"],
        "arguments of a tool stand under `args`",
    ),
    Habit::told(
        &["env", "environment", "cwd"],
        "arguments of a tool stand under `args`",
    ),
    Habit::key(
        &[
            "with",
            "inputs",
            "input",
            "params",
            "parameters",
            "arguments",
        ],
        &["args"],
    ),
    Habit::key(
        &["question", "text", "instruction", "instructions"],
        &["prompt"],
    ),
    Habit::key(&["systemprompt", "systemmessage", "role"], &["system"]),
    Habit::key(
        &[
            "schema",
            "output",
            "outputs",
            "responseformat",
            "responseschema",
            "format",
        ],
        &["outputSchema"],
    ),
    Habit::key(
        &[
            "approval",
            "approve",
            "gate",
            "manual",
            "requiresapproval",
            "needsapproval",
            "confirm",
        ],
        &["approvalRequired"],
    ),
    Habit::key(
        &["timeoutms", "timeoutmillis", "timeoutmilliseconds"],
        &["timeout"],
    ),
    Habit::told(
        &[
            "timeoutseconds",
            "timeoutsec",
            "timeouts",
            "starttoclosetimeout",
            "executiontimeout",
        ],
        "write `timeout: 30s`",
    ),
    Habit::told(
        &["timeoutminutes", "timeoutmin", "timeoutmins"],
        "write `timeout: 5m`",
    ),
    Habit::told(
        &[
            "continueonerror",
            "continueonfail",
            "ignoreerrors",
            "allowfailure",
        ],
        "name the step that comes after a failure: `onFailure: next-step`",
    ),
    Habit::told(
        &[
            "foreach",
            "loop",
            "matrix",
            "parallel",
            "repeat",
            "withitems",
        ],
        "a step runs once: lead back to it with a branch to repeat it",
    ),
    Habit::told(&["end", "final", "last"], "write `onSuccess: $end`"),
];

static BRANCH: &[Habit] = &[
    Habit::key(
        &["if", "when", "case", "expression", "expr", "cond", "test"],
        &["condition"],
    ),
    Habit::key(
        &["then", "to", "next", "target", "step", "do", "onsuccess"],
        &["goto"],
    ),
    Habit::told(
        &["else", "default", "otherwise"],
        "remove this branch, and name the step with `onSuccess`: it is taken when no branch is",
    )
    .explaining(&["condition", "goto"]),
];

static RETRY: &[Habit] = &[
    Habit::key(
        &[
            "attempts",
            "max",
            "count",
            "limit",
            "times",
            "retries",
            "maxretries",
            "maximumattempts",
            "maxtries",
        ],
        &["maxAttempts"],
    ),
    Habit::key(
        &[
            "delay",
            "backoff",
            "interval",
            "wait",
            "initialinterval",
            "initialdelay",
            "retrydelay",
        ],
        &["initialBackoff"],
    ),
    Habit::key(
        &[
            "multiplier",
            "backoffrate",
            "backoffcoefficient",
            "backofffactor",
            "exponent",
        ],
        &["factor"],
    ),
    Habit::key(
        &["maxdelay", "maxinterval", "maximuminterval", "maxwait"],
        &["maxBackoff"],
    ),
    Habit::told(
        &["intervalseconds", "delayseconds"],
        "write `initialBackoff: 10s`",
    ),
];

static APPROVAL: &[Habit] = &[
    Habit::key(
        &["text", "question", "prompt", "description", "reason"],
        &["message"],
    ),
    Habit::key(
        &["users", "reviewers", "by", "who", "allowed", "assignees"],
        &["approvers"],
    ),
    Habit::key(
        &[
            "required",
            "min",
            "minimum",
            "quorum",
            "requiredapprovals",
            "approvals",
        ],
        &["count"],
    ),
    Habit::key(&["onexpiry", "ontimeoutaction", "default"], &["onTimeout"]),
    Habit::key(&["expires", "expiry", "deadline", "ttl"], &["timeout"]),
];

static CONCURRENCY: &[Habit] = &[
    Habit::key(
        &["max", "count", "maxconcurrency", "maximum", "size"],
        &["limit"],
    ),
    Habit::told(
        &["group", "cancelinprogress"],
        "remove it: the limit is the workflow's own; `onLimit` says what happens to one more",
    ),
    Habit::key(&["strategy", "policy", "overflow"], &["onLimit"]),
];

static TRIGGER: &[Habit] = &[
    Habit::key(
        &["schedule", "expression", "pattern", "cronexpression"],
        &["cron"],
    ),
    Habit::key(&["tz", "zone"], &["timezone"]),
    Habit::key(&["hours", "window", "between"], &["activeHours"]),
    Habit::key(&["limit", "count", "times", "repeat"], &["maxRuns"]),
    Habit::told(
        &["every", "interval"],
        "write it as `cron`: `*/15 * * * *` is every 15 minutes",
    )
    .explaining(&["cron"]),
    Habit::told(
        &["at", "time", "when", "daily", "runat", "start"],
        "write the time as `cron`: `0 9 * * *` is every day at 9:00",
    )
    .explaining(&["cron"]),
    Habit::key(
        &[
            "missed",
            "onmissed",
            "onmisfire",
            "misfirepolicy",
            "misfires",
        ],
        &["misfire"],
    ),
    Habit::key(
        &[
            "misfiregracetime",
            "startingdeadlineseconds",
            "catchupwindow",
            "maxage",
            "deadline",
        ],
        &["catchUp"],
    ),
    Habit::key(
        &[
            "concurrencypolicy",
            "concurrency",
            "overlappolicy",
            "onoverlap",
            "overlaps",
        ],
        &["overlap"],
    ),
    Habit::key(
        &[
            "splay",
            "spread",
            "delay",
            "randomdelay",
            "randomizeddelaysec",
        ],
        &["jitter"],
    ),
    Habit::key(
        &["maxfailures", "failurelimit", "pauseonfailure", "failures"],
        &["pauseAfterFailures"],
    ),
    Habit::key(
        &["ignorepaused", "ignoreswaiting"],
        &["overlapIgnoresPaused"],
    ),
    Habit::told(
        &[
            "enabled",
            "disabled",
            "suspend",
            "suspended",
            "paused",
            "active",
        ],
        "remove it: `agentspace schedules pause` lets the schedule of a trigger rest",
    ),
    Habit::told(
        &["input", "inputs", "args", "params", "with"],
        "give each value as the `default` of its name in the workflow's `input`",
    ),
];

static HEARTBEAT: &[Habit] = &[
    Habit::key(&["every", "frequency", "period"], &["interval"]),
    Habit::told(
        &["cron", "schedule", "trigger"],
        "write `interval: 30m`; a heartbeat has no cron expression",
    ),
    Habit::key(&["tz", "zone"], &["timezone"]),
    Habit::key(&["hours", "window"], &["activeHours"]),
    Habit::told(&["disabled", "paused", "pause"], "write `enabled: false`"),
    Habit::key(&["active"], &["enabled"]),
    Habit::key(&["unknown", "unknowns", "alertafter"], &["unknownAfter"]),
];

#[cfg(test)]
mod tests {
    use super::super::{heartbeat, step, timing, workflow};
    use super::*;

    #[test]
    fn a_habit_leads_to_a_key_that_is_there() {
        for (shapes, habits) in [
            (vec![&workflow::WORKFLOW], WORKFLOW),
            (vec![&step::STEP, &step::TOOL, &step::MODEL], STEP),
            (vec![&step::BRANCH], BRANCH),
            (vec![&step::RETRY], RETRY),
            (vec![&step::APPROVAL], APPROVAL),
            (vec![&workflow::CONCURRENCY], CONCURRENCY),
            (vec![&timing::TRIGGER], TRIGGER),
            (vec![&heartbeat::HEARTBEAT], HEARTBEAT),
        ] {
            for habit in habits {
                assert!(
                    habit.help.is_some() || habit.explains.len() == 1,
                    "{habit:?}"
                );
                for key in habit.explains {
                    assert!(shapes.iter().any(|shape| shape.key(key).is_some()), "{key}");
                }
                for word in habit.words {
                    assert_eq!(
                        of(shapes[0].name, word)
                            .next()
                            .map(|h| h.words.contains(word)),
                        Some(true),
                        "{word}"
                    );
                    assert!(!shapes[0].knows(word), "{word} is a key of ours");
                }
            }
        }
    }
}
