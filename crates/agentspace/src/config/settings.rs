//! Which value each setting has, and who said so: a flag, a variable, the file or nobody.

mod alert;

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::parser::ValueSource;
use gateway::workflow_types::config::{
    AlertConfig, Config, DEFAULT_DATABASE, DEFAULT_DRAIN, DEFAULT_DURABILITY, DEFAULT_EXECUTIONS,
    DEFAULT_GRACE, DEFAULT_OUTPUT_BYTES, DEFAULT_TIMEZONE, DEFAULT_WORKFLOWS, Durability,
    ModelConfig,
};
use gateway::workflow_types::duration;
use gateway::workflow_types::id::HeartbeatName;
use gateway::workflow_types::schedule::TimeZone;
use gateway::{HEARTBEAT, Retention};
use serde_json::{Value, json};

use super::ConfigFile;
use super::secrets;
use super::servers::{self, ConfiguredServer};
use crate::cli::Given;
use crate::models::Models;
use crate::secrets::ConfiguredSecret;

/// What a heartbeat is called that no configuration names.
pub(crate) const USUAL_HEARTBEAT: &str = "heartbeat";

/// What every command works with.
#[derive(Debug)]
pub(crate) struct Global {
    /// The database file.
    pub(crate) db: PathBuf,
    /// The directory of workflow files.
    pub(crate) workflows: PathBuf,
    /// Whether data is printed as JSON.
    pub(crate) json: bool,
    /// What a committed step survives.
    pub(crate) durability: Durability,
    /// How many executions may run at once.
    pub(crate) max_concurrent_executions: NonZeroU32,
    /// The largest output of a step in bytes.
    pub(crate) max_output_bytes: NonZeroU32,
    /// The zone of schedules that name none.
    pub(crate) zone: TimeZone,
    /// How long a shutdown waits.
    pub(crate) drain: Duration,
    /// How long a cancelled attempt may take.
    pub(crate) grace: Duration,
    /// Which finished executions are kept.
    pub(crate) retention: Retention,
    /// The programs that commands may run; none stands for any.
    pub(crate) allow_programs: Option<Vec<String>>,
    /// The variables that commands see besides the usual few.
    pub(crate) inherit_env: Vec<String>,
    /// Whether requests may reach private addresses.
    pub(crate) allow_private_addresses: bool,
    /// The MCP servers, whose tools steps may call.
    pub(crate) servers: Vec<ConfiguredServer>,
    /// The models that steps may ask.
    pub(crate) models: Models,
    /// Where the values of secrets are.
    pub(crate) secrets: Vec<ConfiguredSecret>,
    /// The heartbeats, each with its file.
    pub(crate) heartbeats: Vec<(HeartbeatName, PathBuf)>,
    /// Who is told of alerts.
    pub(crate) alerts: AlertConfig,
    /// All of them but the servers with their origins, in the order of the file's keys.
    pub(crate) settings: Vec<Setting>,
}

/// A setting as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    /// Its name in the file, as `gateway.drain`.
    pub(crate) name: Cow<'static, str>,
    /// Its value.
    pub(crate) value: Value,
    /// Who said so.
    pub(crate) origin: Origin,
}

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag of the command line, by its name.
    Flag(String),
    /// An environment variable, by its name.
    Variable(String),
    /// A line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Nobody said anything.
    Default,
}

/// What each may say of a setting.
struct Sources<T> {
    given: Option<T>,
    file: Option<T>,
    default: T,
}

/// Decides every setting. `directory` is the file's, or empty for the current one.
pub(super) fn resolve(given: &Given, directory: &Path, file: Option<&ConfigFile>) -> Global {
    let nothing = Config::default();
    let config = file.map_or(&nothing, |file| &file.config);
    let flags = &given.flags;
    let mut decide = Decide {
        given,
        file,
        settings: Vec::new(),
    };
    let path = |name: &str| directory.join(name);
    let db = Sources {
        given: flags.db.clone(),
        file: config.database.as_deref().map(path),
        default: path(DEFAULT_DATABASE),
    };
    let workflows = Sources {
        given: flags.workflows.clone(),
        file: config.workflows.as_deref().map(path),
        default: path(DEFAULT_WORKFLOWS),
    };
    let db = decide.value("database", "db", db, |path| {
        json!(path.display().to_string())
    });
    let workflows = decide.value("workflows", "workflows", workflows, |path| {
        json!(path.display().to_string())
    });
    let (durability, max_concurrent_executions, max_output_bytes) = decide.limits(config);
    let zone = decide.zone(config);
    let (drain, grace) = decide.waits(config);
    let retention = decide.retention(config);
    let (allow_programs, inherit_env, allow_private_addresses) = decide.tools(config);
    let models = decide.models(config);
    let heartbeats = decide.heartbeats(config, directory);
    decide.alerts(config);
    Global {
        db,
        workflows,
        json: flags.json,
        durability,
        max_concurrent_executions,
        max_output_bytes,
        zone,
        drain,
        grace,
        retention,
        allow_programs,
        inherit_env,
        allow_private_addresses,
        servers: servers::of(file, directory),
        models,
        secrets: secrets::of(file, directory),
        heartbeats,
        alerts: config.alerts.clone(),
        settings: decide.settings,
    }
}

/// Decides settings one by one and remembers who said so.
struct Decide<'a> {
    given: &'a Given,
    file: Option<&'a ConfigFile>,
    settings: Vec<Setting>,
}

impl Decide<'_> {
    /// The value of a setting with this name in the file and this flag.
    fn value<T>(
        &mut self,
        name: &'static str,
        flag: &'static str,
        sources: Sources<T>,
        show: impl FnOnce(&T) -> Value,
    ) -> T {
        let Sources {
            given,
            file,
            default,
        } = sources;
        let (value, origin) = match (given, file, self.file) {
            (Some(value), _, _) => (value, self.origin(flag)),
            (None, Some(value), Some(file)) => {
                let (path, line) = (file.path.clone(), file.line(name));
                (value, Origin::File { path, line })
            }
            (None, _, _) => (default, Origin::Default),
        };
        self.settings.push(Setting {
            name: Cow::Borrowed(name),
            value: show(&value),
            origin,
        });
        value
    }

    /// Whether a flag or its variable was given.
    fn origin(&self, flag: &str) -> Origin {
        let (long, variable) = Given::names(flag);
        match self.given.source(flag) {
            Some(ValueSource::EnvVariable) => Origin::Variable(variable),
            Some(_) | None => Origin::Flag(long),
        }
    }

    fn limits(&mut self, config: &Config) -> (Durability, NonZeroU32, NonZeroU32) {
        let flags = &self.given.flags;
        let durability = Sources {
            given: flags.durability,
            file: config.durability,
            default: DEFAULT_DURABILITY,
        };
        let executions = Sources {
            given: flags.max_concurrent_executions,
            file: config.max_concurrent_executions,
            default: DEFAULT_EXECUTIONS,
        };
        let bytes = Sources {
            given: flags.max_output_bytes,
            file: config.max_output_bytes,
            default: DEFAULT_OUTPUT_BYTES,
        };
        let name = "gateway.max_concurrent_executions";
        (
            self.value("gateway.durability", "durability", durability, |value| {
                json!(value)
            }),
            self.value(name, "max_concurrent_executions", executions, |value| {
                json!(value)
            }),
            self.value(
                "gateway.max_output_bytes",
                "max_output_bytes",
                bytes,
                |value| json!(value),
            ),
        )
    }

    fn zone(&mut self, config: &Config) -> TimeZone {
        let zone = Sources {
            given: self.given.flags.timezone,
            file: config.timezone,
            default: DEFAULT_TIMEZONE,
        };
        self.value("gateway.timezone", "timezone", zone, |zone| json!(zone))
    }

    fn waits(&mut self, config: &Config) -> (Duration, Duration) {
        let flags = &self.given.flags;
        let drain = Sources {
            given: flags.drain,
            file: config.drain,
            default: DEFAULT_DRAIN,
        };
        let grace = Sources {
            given: flags.grace,
            file: config.grace,
            default: DEFAULT_GRACE,
        };
        let show = |value: &Duration| json!(duration::format(*value));
        (
            self.value("gateway.drain", "drain", drain, show),
            self.value("gateway.grace", "grace", grace, show),
        )
    }

    fn retention(&mut self, config: &Config) -> Retention {
        let flags = &self.given.flags;
        let age = Sources {
            given: flags.retention_older_than.map(Some),
            file: config.older_than.map(Some),
            default: None,
        };
        let keep = Sources {
            given: flags.retention_keep_per_workflow.map(Some),
            file: config.keep_per_workflow.map(Some),
            default: None,
        };
        let older_than = "gateway.retention.older_than";
        let keep_per_workflow = "gateway.retention.keep_per_workflow";
        Retention {
            older_than: self.value(older_than, "retention_older_than", age, |age| {
                json!(age.map(duration::format))
            }),
            keep_per_workflow: self
                .value(
                    keep_per_workflow,
                    "retention_keep_per_workflow",
                    keep,
                    |keep| json!(keep),
                )
                .map(NonZeroU32::get),
        }
    }

    fn tools(&mut self, config: &Config) -> (Option<Vec<String>>, Vec<String>, bool) {
        let flags = &self.given.flags;
        let programs = Sources {
            given: flags.allow_program.clone().map(without_empty).map(Some),
            file: config.allow_programs.clone().map(Some),
            default: None,
        };
        let inherit = Sources {
            given: flags.inherit_env.clone().map(without_empty),
            file: config.inherit_env.clone(),
            default: Vec::new(),
        };
        let private = Sources {
            given: flags.allow_private_addresses,
            file: config.allow_private_addresses,
            default: false,
        };
        let command = "tools.execute_command.allow_programs";
        let names = "tools.execute_command.inherit_env";
        let request = "tools.http_request.allow_private_addresses";
        (
            self.value(command, "allow_program", programs, |list| json!(list)),
            self.value(names, "inherit_env", inherit, |list| json!(list)),
            self.value(request, "allow_private_addresses", private, |flag| {
                json!(flag)
            }),
        )
    }
}

impl Decide<'_> {
    /// The models of the file: no flag or variable says anything of them. Shown is what is said.
    fn models(&mut self, config: &Config) -> Models {
        if let (Some(file), Some(name)) = (self.file, &config.default_model) {
            self.show(file, "default_model".into(), json!(name));
        }
        for (name, model) in &config.models {
            for (key, value) in shown(model) {
                if let (Some(file), Some(value)) = (self.file, value) {
                    // A name may have dots, which the way to a line is not written with.
                    let (path, line) = (
                        file.path.clone(),
                        file.line_at(&["models", name.as_ref(), key]),
                    );
                    self.settings.push(Setting {
                        name: Cow::Owned(format!("models.{name}.{key}")),
                        value,
                        origin: Origin::File { path, line },
                    });
                }
            }
        }
        Models {
            all: config.models.clone(),
            default: config.default_model.clone(),
        }
    }

    /// The heartbeats of the file; without any, the `HEARTBEAT.md` beside it, if there is one.
    fn heartbeats(&mut self, config: &Config, directory: &Path) -> Vec<(HeartbeatName, PathBuf)> {
        let mut heartbeats = Vec::new();
        for (name, text) in &config.heartbeats {
            let path = directory.join(text);
            if let Some(file) = self.file {
                let line = file.line_at(&["heartbeats", name.as_ref(), "file"]);
                self.settings.push(Setting {
                    name: Cow::Owned(format!("heartbeats.{name}.file")),
                    value: json!(path.display().to_string()),
                    origin: Origin::File {
                        path: file.path.clone(),
                        line,
                    },
                });
            }
            heartbeats.push((name.clone(), path));
        }
        let beside = directory.join(HEARTBEAT);
        let usual = HeartbeatName::try_new(USUAL_HEARTBEAT).ok();
        if let Some(name) = usual.filter(|_| heartbeats.is_empty() && beside.is_file()) {
            self.settings.push(Setting {
                name: Cow::Owned(format!("heartbeats.{name}.file")),
                value: json!(beside.display().to_string()),
                origin: Origin::Default,
            });
            heartbeats.push((name, beside));
        }
        heartbeats
    }

    /// What the file says of alerts: no flag or variable says anything of them.
    fn alerts(&mut self, config: &Config) {
        let Some(file) = self.file else {
            return;
        };
        if let Some(after) = config.alerts.remind_after {
            let after = json!(duration::format(after));
            self.show(file, "alerts.remind_after".into(), after);
        }
        for (name, sink) in &config.alerts.sinks {
            for (key, value) in alert::shown(sink) {
                let name = Cow::Owned(format!("alerts.sinks.{name}.{key}"));
                self.show(file, name, value);
            }
        }
    }

    fn show(&mut self, file: &ConfigFile, name: Cow<'static, str>, value: Value) {
        let (path, line) = (file.path.clone(), file.line(&name));
        self.settings.push(Setting {
            name,
            value,
            origin: Origin::File { path, line },
        });
    }
}

/// What a model's table says, key by key; of its key the name of the variable alone.
fn shown(model: &ModelConfig) -> [(&'static str, Option<Value>); 9] {
    let ModelConfig {
        adapter,
        model,
        base_url,
        key_env,
        max_tokens,
        temperature,
        timeout,
        input_price,
        output_price,
    } = model;
    [
        ("adapter", Some(json!(adapter))),
        ("model", Some(json!(model))),
        ("base_url", base_url.as_ref().map(|url| json!(url))),
        ("key_env", key_env.as_ref().map(|name| json!(name))),
        ("max_tokens", max_tokens.map(|most| json!(most))),
        ("temperature", temperature.map(|heat| json!(heat))),
        ("timeout", timeout.map(|wait| json!(duration::format(wait)))),
        ("input_price", input_price.map(|price| json!(price))),
        ("output_price", output_price.map(|price| json!(price))),
    ]
}

/// A variable without text is an empty list.
fn without_empty(list: Vec<String>) -> Vec<String> {
    list.into_iter().filter(|item| !item.is_empty()).collect()
}
