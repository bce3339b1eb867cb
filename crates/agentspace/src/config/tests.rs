//! Finding the file, and what each mistake in it is told. Which value wins is tested end to end,
//! because variables belong to a process.

use std::fs;
use std::path::Path;

use super::{check, find};

/// What is said of a file with this text: `line:column code message | help`.
fn told(text: impl AsRef<[u8]>) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(find::NAME);
    fs::write(&path, text).unwrap();
    let (report, config) = check(&path);
    assert_eq!(config.is_none(), report.is_refused());
    let lines: Vec<String> = report
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let span = report.map.resolve(&diagnostic.place);
            let at = report.map.line_column(span.start);
            let help = diagnostic.help.as_deref().unwrap_or("-");
            let (line, column, code) = (at.line, at.column, diagnostic.code);
            format!("{line}:{column} {code} {} | {help}", diagnostic.message)
        })
        .collect();
    lines.join("\n")
}

#[test]
fn every_mistake_of_a_document_is_told_at_its_place() {
    insta::assert_snapshot!(told(
        r#"databse = "x"
database = ""
[gatway]
[gateway]
drain = "soon"
grace = "2d"
maxOutputBytes = 3
max_concurrent_executions = 0
max_output_bytes = 0xFFFFFFFFFFFFFFFFFF
durability = "ful"
durability = "full"
when = 2020-01-01
[tools.execute_command]
allow_programs = ["", 3, "git"]
inherit_env = ["A=b"]
[tools.http_request]
allow_private_addresses = "yes"
"#
    ));
}

#[test]
fn mistakes_of_the_syntax_are_told_in_plain_words_with_a_remedy() {
    let cases = [
        "database = .agentspace/x\n",
        "database = flows\n",
        "database = \"flows\n",
        "drain: 5\n",
        "[gateway\ndrain = \"5s\"\n",
        "[gateway]\ndrain =\n",
        "database = \"a\" \"b\"\n",
        "flag = yes\n",
        "flag = True\n",
        "list = [1,,2]\n",
        "list = [1\n",
        "path = \"C:\\new\"\n",
        "number = 007\n",
        "[gateway]\n[gateway]\n",
        "a = 1\na.b = 2\n",
        "x = nan\n",
        "= 1\n",
        "one two = 3\n",
    ];
    let rows = cases.map(|text| format!("{text}  {}\n", told(text).replace('\n', "\n  ")));
    insta::assert_snapshot!(rows.concat());
}

#[test]
fn what_is_no_text_is_told_as_of_other_files() {
    assert!(told(b"database = \"\xff\"").starts_with("1:13 WF0001 "));
    assert!(told("#".repeat(300_000)).starts_with("1:1 WF0002 "));
    assert_eq!(told(""), "");
    assert_eq!(told("\u{feff}database = \"x\"\r\n"), "");
}

#[test]
fn a_file_that_is_not_there_or_no_file_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let reason = |path: &Path| check(path).0.unreadable.unwrap();
    assert_eq!(
        reason(&directory.path().join("x.toml")),
        "there is no such file"
    );
    assert!(reason(directory.path()).contains("name the agentspace.toml in it"));
}

#[test]
fn the_nearest_file_above_is_found_and_none_above_the_home() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let below = root.join("home/project/deep");
    fs::create_dir_all(&below).unwrap();
    let found = |home: Option<&Path>| {
        let found = find::nearest(&below, home).unwrap();
        found.map(|found| (found.path, found.directory))
    };
    let home = root.join("home");
    assert_eq!(found(Some(&home)), None);

    fs::write(root.join(find::NAME), "").unwrap();
    assert_eq!(found(Some(&home)), None);
    let outside = (root.join(find::NAME), root.to_owned());
    assert_eq!(found(None), Some(outside));

    fs::write(home.join(find::NAME), "").unwrap();
    let at_home = (home.join(find::NAME), home.clone());
    assert_eq!(found(Some(&home)), Some(at_home));

    // A directory of that name is no file.
    fs::create_dir(root.join("home/project").join(find::NAME)).unwrap();
    assert!(found(None).unwrap().0.starts_with(&home));

    fs::write(below.join(find::NAME), "").unwrap();
    assert_eq!(found(None), Some((find::NAME.into(), "".into())));
}
