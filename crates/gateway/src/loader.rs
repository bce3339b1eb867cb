//! Reads workflow files: one by one, or a directory as a whole, with every problem kept.
//!
//! A bad file costs nothing that is stored: it is reported, and its last good version stays. What
//! becomes of a good one is decided by the caller.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use workflow_types::definition::StoredDefinition;
use workflow_types::id::WorkflowId;
use workflow_types::source::MAX_BYTES;
use workflow_types::{
    Checked, CheckedHeartbeat, Diagnostics, Heartbeat, SourceFormat, SourceMap, WorkflowDefinition,
};

use crate::check;
use crate::error::{Error, ErrorKind};
use crate::model::ModelRegistry;
use crate::secret::Secrets;
use crate::tool::ToolRegistry;

/// The file of a heartbeat. It stands among workflow files and is none.
pub const HEARTBEAT: &str = "HEARTBEAT.md";

/// What a file is, which its name decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A workflow, or what is taken for one.
    Workflow,
    /// A `HEARTBEAT.md`.
    Heartbeat,
    /// The settings of a host, which no gateway reads: only hosts make reports of them.
    Config,
}

impl FileKind {
    /// The word for it in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Heartbeat => "heartbeat",
            Self::Config => "config",
        }
    }

    fn of(path: &Path) -> Self {
        if path.file_name().is_some_and(|name| name == HEARTBEAT) {
            Self::Heartbeat
        } else {
            Self::Workflow
        }
    }
}

/// What reading a workflow file or a `HEARTBEAT.md` gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Whether it is a workflow or a heartbeat.
    pub kind: FileKind,
    /// The workflow's id: the file's stem. None for a heartbeat.
    pub id: Option<WorkflowId>,
    /// What there is to say about its text.
    pub diagnostics: Diagnostics,
    /// From the diagnostics' places to lines and columns.
    pub map: SourceMap,
    /// Why the file could not be read at all.
    pub unreadable: Option<String>,
    /// What the file defines, unless it was refused.
    pub definition: Option<WorkflowDefinition>,
    /// The heartbeat that a `HEARTBEAT.md` describes, unless it was refused; none for other files.
    pub heartbeat: Option<Heartbeat>,
}

impl FileReport {
    /// A report that says nothing yet, for a host that checks files of its own beside a gateway's.
    pub fn of(path: impl Into<PathBuf>, kind: FileKind) -> Self {
        Self {
            path: path.into(),
            kind,
            id: None,
            diagnostics: Diagnostics::default(),
            map: SourceMap::default(),
            unreadable: None,
            definition: None,
            heartbeat: None,
        }
    }

    /// Its text, or why there is none: what tells whether it is as it was.
    pub(crate) fn text(&self) -> Text {
        match &self.unreadable {
            Some(reason) => Err(reason.clone()),
            None => Ok(self.map.text().to_owned()),
        }
    }

    /// Whether the file was refused.
    pub fn is_refused(&self) -> bool {
        self.unreadable.is_some() || self.diagnostics.has_errors()
    }
}

/// What a file was: its text, or why there is none.
pub(crate) type Text = Result<String, String>;

/// A workflow file that was read, with its definition if it is good.
pub(crate) struct Loaded {
    pub(crate) report: FileReport,
    /// What is registered of it, if it is good.
    pub(crate) good: Option<GoodFile>,
}

/// A definition with all that is registered of it.
pub(crate) struct GoodFile {
    pub(crate) id: WorkflowId,
    pub(crate) definition: WorkflowDefinition,
    pub(crate) stored: StoredDefinition,
    pub(crate) source: String,
    pub(crate) path: String,
}

/// What a definition is checked against besides itself.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) tools: ToolRegistry,
    pub(crate) models: ModelRegistry,
    pub(crate) secrets: Secrets,
    /// Ids that workflow files cannot have, because heartbeats have them.
    pub(crate) taken: Arc<BTreeSet<WorkflowId>>,
    /// Where the files of heartbeats are: whatever their names, they are no workflows.
    pub(crate) heartbeats: Arc<BTreeSet<PathBuf>>,
}

impl Known {
    /// What a file is: a heartbeat if it is known as one, else what its name says.
    fn kind(&self, path: &Path) -> FileKind {
        if !self.heartbeats.is_empty() && self.heartbeats.contains(&location(path)) {
            FileKind::Heartbeat
        } else {
            FileKind::of(path)
        }
    }
}

/// Reads one workflow file, or the file of a heartbeat, of which nothing is registered.
pub(crate) fn file(path: &Path, known: &Known) -> Loaded {
    match known.kind(path) {
        FileKind::Heartbeat => heartbeat(path, known),
        // No name says that a file is a host's.
        FileKind::Workflow | FileKind::Config => workflow(path, known),
    }
}

fn workflow(path: &Path, known: &Known) -> Loaded {
    let id = match workflow_id(path) {
        Ok(id) => id,
        Err(reason) => return unreadable(path, reason),
    };
    if known.taken.contains(&id) {
        let reason =
            format!("its id `{id}` is that of a heartbeat; rename the file or the heartbeat");
        return unreadable(path, reason);
    }
    let Some(format) = format_of(path) else {
        let reason =
            "a workflow file ends in .yaml, .yml or .json; a heartbeat is called HEARTBEAT.md";
        return unreadable(path, reason.to_owned());
    };
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(reason) => return unreadable(path, reason),
    };
    let Checked {
        definition,
        usable,
        diagnostics,
        map,
    } = WorkflowDefinition::check(&bytes, format);
    let diagnostics = match &definition {
        Some(definition) => check::against(definition, known, &diagnostics),
        None => check::usable(&usable, known, &diagnostics),
    };
    let definition = definition.filter(|_| !diagnostics.has_errors());
    let good = definition.clone().map(|definition| GoodFile {
        id: id.clone(),
        stored: StoredDefinition::new(&definition),
        definition,
        source: map.text().to_owned(),
        path: absolute(path),
    });
    let report = FileReport {
        path: path.to_owned(),
        kind: FileKind::Workflow,
        id: Some(id),
        diagnostics,
        map,
        unreadable: None,
        definition,
        heartbeat: None,
    };
    Loaded { report, good }
}

/// Reads the file of a heartbeat, whatever its name.
pub(crate) fn heartbeat(path: &Path, known: &Known) -> Loaded {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(reason) => {
            let report = FileReport {
                unreadable: Some(reason),
                ..FileReport::of(path, FileKind::Heartbeat)
            };
            return Loaded { report, good: None };
        }
    };
    let CheckedHeartbeat {
        heartbeat,
        mut diagnostics,
        map,
    } = Heartbeat::check(&bytes);
    if let Some(heartbeat) = &heartbeat {
        diagnostics = check::heartbeat(heartbeat, known, &diagnostics);
    }
    let report = FileReport {
        path: path.to_owned(),
        kind: FileKind::Heartbeat,
        id: None,
        heartbeat: heartbeat.filter(|_| !diagnostics.has_errors()),
        diagnostics,
        map,
        unreadable: None,
        definition: None,
    };
    Loaded { report, good: None }
}

/// Reads every workflow file of a directory, in the order of their names; the files of heartbeats
/// are none.
///
/// Two files with one stem are both refused. Links that lead out of the directory are refused. What
/// is hidden belongs to other programs: editors keep locks under names that end as the file's.
pub(crate) fn directory(directory: &Path, known: &Known) -> std::io::Result<Vec<Loaded>> {
    let root = directory.canonicalize()?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_workflow = known.kind(&path) == FileKind::Workflow && is_workflow_file(&path);
        if is_workflow && !is_hidden(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut stems: BTreeMap<String, usize> = BTreeMap::new();
    for path in &paths {
        *stems.entry(stem(path)).or_default() += 1;
    }
    let loaded = paths.iter().map(|path| {
        let twins = stems.get(&stem(path)).copied().unwrap_or_default();
        if twins > 1 {
            return unreadable(path, self::twins(twins, &stem(path)));
        }
        match path.canonicalize() {
            Ok(real) if !real.starts_with(&root) => unreadable(
                path,
                "the link leads out of the workflow directory".to_owned(),
            ),
            Ok(_) | Err(_) => file(path, known),
        }
    });
    Ok(loaded.collect())
}

/// Why files of one directory with one stem are refused: each would be the same workflow.
pub fn twins(count: usize, stem: &str) -> String {
    format!("{count} files have the stem `{stem}`; rename all but one")
}

/// What of a directory looks as if it were meant to be read and is not, in the order of the names:
/// files whose names are almost those of workflows or heartbeats, and directories that hold
/// workflow files.
pub(crate) fn not_read(directory: &Path, known: &Known) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_read = is_workflow_file(&path) || known.kind(&path) == FileKind::Heartbeat;
        if is_hidden(&path) || is_read {
            continue;
        }
        if path.is_dir() && holds_workflows(&path) || !path.is_dir() && looks_read(&name) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// `a.yaml.bak`, `heartbeat.md`.
fn looks_read(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_other_heartbeat = lower == HEARTBEAT.to_ascii_lowercase() && name != HEARTBEAT;
    let is_almost = [".yaml", ".yml"]
        .iter()
        .any(|extension| lower.contains(extension));
    is_almost || is_other_heartbeat
}

/// Whether a file of a directory is taken for a workflow; what is in directories below is not asked.
fn holds_workflows(directory: &Path) -> bool {
    // A directory that may not be read holds nothing for us.
    let Ok(entries) = std::fs::read_dir(directory) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let is_schema = name.to_string_lossy().ends_with(".schema.json");
        format_of(Path::new(&name)).is_some() && !is_schema
    })
}

fn unreadable(path: &Path, reason: String) -> Loaded {
    let kind = FileKind::of(path);
    let report = FileReport {
        id: workflow_id(path)
            .ok()
            .filter(|_| kind == FileKind::Workflow),
        unreadable: Some(reason),
        ..FileReport::of(path, kind)
    };
    Loaded { report, good: None }
}

/// The bytes of a regular file, at most one more than may be read, so that too much is noticed.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a foreign enum that grows: the rest is told in the system's words"
    )]
    let describe = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read: permission denied".to_owned(),
        _ => format!("it cannot be read: {error}"),
    };
    let metadata = std::fs::metadata(path).map_err(describe)?;
    if metadata.is_dir() {
        return Err("it is a directory, not a file".to_owned());
    }
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(describe)?;
    Ok(bytes)
}

/// What a file is now, whatever it is for.
pub(crate) fn text(path: &Path) -> Text {
    read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether the name of a file is that of a workflow.
pub(crate) fn is_workflow_file(path: &Path) -> bool {
    format_of(path).is_some()
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with('.')
}

fn format_of(path: &Path) -> Option<SourceFormat> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "yaml" | "yml" => Some(SourceFormat::Yaml),
        "json" => Some(SourceFormat::Json),
        _ => None,
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn workflow_id(path: &Path) -> Result<WorkflowId, String> {
    let stem = stem(path);
    WorkflowId::try_new(stem.clone())
        .map_err(|error| format!("its stem `{stem}` is no workflow id: {error}"))
}

/// Does what blocks on files.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::new(ErrorKind::Internal, "reading workflow files panicked").caused(error)
    })
}

/// Where a file is, as it is registered.
pub(crate) fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

/// Where a file stands, whatever its directory was called; the file itself need not be there.
pub(crate) fn location(path: &Path) -> PathBuf {
    let path = PathBuf::from(absolute(path));
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        (Some(_) | None, _) => path,
    }
}

#[cfg(test)]
mod tests {
    use crate::Gateway;

    /// What the gateway says of a file of this name and text, one diagnostic a line.
    fn check(name: &str, text: &str) -> (super::FileReport, String) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        let report = Gateway::builder().check_file(&path);
        let codes: Vec<String> = report
            .diagnostics
            .iter()
            .map(|diagnostic| {
                let span = report.map.resolve(&diagnostic.place);
                let at = report.map.line_column(span.start);
                format!("{}:{} {}", at.line, at.column, diagnostic.code)
            })
            .collect();
        (report, codes.join("\n"))
    }

    #[test]
    fn a_heartbeat_is_checked_by_its_name_and_is_no_workflow() {
        let (report, codes) = check("HEARTBEAT.md", "---\ninterval: 5\n---\n- [ ] a\n");
        assert_eq!(codes, "2:1 WF0209");
        assert_eq!(
            report
                .heartbeat
                .as_ref()
                .unwrap()
                .config()
                .interval
                .into_inner(),
            5
        );
        assert_eq!(report.kind, super::FileKind::Heartbeat);
        assert!(!report.is_refused() && report.id.is_none() && report.definition.is_none());
    }

    #[test]
    fn tools_and_model_of_a_heartbeat_are_checked_too() {
        let text = "---\ntools: [nothing]\nmodel: none\n---\n- [ ] a\n";
        let (report, codes) = check("HEARTBEAT.md", text);
        assert_eq!(codes, "2:9 WF0207\n3:8 WF0209");
        assert!(report.is_refused() && report.heartbeat.is_none());
    }

    #[test]
    fn other_markdown_is_neither() {
        for name in ["heartbeat.md", "README.md"] {
            let (report, _) = check(name, "- [ ] a\n");
            let reason = report.unreadable.unwrap();
            assert!(
                reason.contains("a heartbeat is called HEARTBEAT.md"),
                "{reason}"
            );
        }
    }

    #[test]
    fn extensions_are_taken_in_any_case_and_nothing_is_skipped_silently() {
        let directory = tempfile::tempdir().unwrap();
        let good = "name: w\nsteps: [{id: a, action: noop}]\n";
        for name in [
            "BAD.YAML",
            "c.Yml",
            "d.yaml.bak",
            "heartbeat.md",
            "notes.txt",
            ".e.yaml.swp",
            ".#c.Yml",
            "inner/b.yaml",
            "schemas/w.schema.json",
            "empty/notes.md",
        ] {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, good).unwrap();
        }
        let names = |paths: Vec<std::path::PathBuf>| -> Vec<String> {
            let last = |path: &std::path::PathBuf| path.file_name().unwrap().to_owned();
            paths
                .iter()
                .map(|path| last(path).into_string().unwrap())
                .collect()
        };
        let builder = Gateway::builder();
        let read = builder.check_directory(directory.path()).unwrap();
        assert!(read.iter().all(|report| !report.is_refused()));
        let read = names(read.into_iter().map(|report| report.path).collect());
        assert_eq!(read, ["BAD.YAML", "c.Yml"]);
        let passed = names(builder.not_read(directory.path()).unwrap());
        assert_eq!(passed, ["d.yaml.bak", "heartbeat.md", "inner"]);
    }

    #[test]
    fn a_directory_passes_over_heartbeats_whatever_they_are_called() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        for name in ["HEARTBEAT.md", "ops.yaml", "heartbeat.md"] {
            std::fs::write(file(name), "- [ ] a\n").unwrap();
        }
        let builder = Gateway::builder()
            .heartbeat("ops", file("ops.yaml"))
            .heartbeat("other", file("heartbeat.md"));
        assert!(
            builder
                .check_directory(directory.path())
                .unwrap()
                .is_empty()
        );
        assert!(builder.not_read(directory.path()).unwrap().is_empty());
        let report = builder.check_file(file("../").join(file("ops.yaml")));
        assert!(!report.is_refused() && report.heartbeat.is_some());
        // To whom they are unknown, they are what their names say.
        let read = Gateway::builder().check_directory(directory.path());
        assert_eq!(read.unwrap().len(), 1);
    }
}
