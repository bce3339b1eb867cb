//! `agentspace explain`: the page of a code; and the pages that only a host can check.

use serde_json::Value;

use crate::support::{Place, list, word};

/// Every code with its severity, as the program lists them.
fn codes(place: &Place) -> Vec<(String, String)> {
    let all = place.json(["explain"]);
    list(&all)
        .iter()
        .map(|one| {
            let text = |key: &str| word(&one[key]).to_owned();
            (text("code"), text("severity"))
        })
        .collect()
}

/// The first example below a heading of a page.
fn example(page: &str, heading: &str) -> String {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let fenced = section.split("```").nth(1).unwrap();
    let (language, text) = fenced.split_once('\n').unwrap();
    assert!(
        matches!(language, "yaml" | "markdown" | "toml"),
        "{language}"
    );
    text.to_owned()
}

#[test]
fn a_page_is_plain_text_where_no_terminal_shows_it() {
    let place = Place::new();
    let ran = place.run(["explain", "WF0107"]).exits(0);
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!(ran.stdout);
    for typed in ["wf0107", "0107", "107"] {
        assert_eq!(place.run(["explain", typed]).exits(0).stdout, ran.stdout);
    }
}

#[test]
fn a_page_is_styled_where_a_terminal_is_asked_for() {
    let place = Place::new();
    let call = place.call(["explain", "WF0107"]);
    let ran = call.env("CLICOLOR_FORCE", "1").run().exits(0);
    let title = "\u{1b}[1mWF0107: a target is not a step of the workflow\u{1b}[0m\n";
    assert!(ran.stdout.starts_with(title), "{:?}", ran.stdout);
    assert!(ran.stdout.contains("    \u{1b}[36mname: Deploy\u{1b}[0m\n"));
}

#[test]
fn every_code_is_listed_and_has_a_page() {
    let place = Place::new();
    let listed = place.run(["explain"]).exits(0).stdout;
    let codes = codes(&place);
    assert_eq!(listed.lines().count(), codes.len());
    for (code, severity) in &codes {
        let data: Value = place.json(["explain", code]);
        assert_eq!(
            (word(&data["code"]), word(&data["severity"])),
            (&**code, &**severity)
        );
        let title = word(&data["title"]);
        assert!(word(&data["page"]).starts_with(&format!("# {code}: {title}\n")));
        let line = format!("{code}  {severity:7}  {title}");
        assert!(listed.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn an_unknown_code_is_bad_usage_and_the_near_one_is_named() {
    let place = Place::new();
    place
        .run(["explain", "WF0170"])
        .exits(2)
        .says(&["there is no code `WF0170`", "did you mean `WF0107`?"]);
    let ran = place.run(["explain", "gates"]).exits(2);
    ran.says(&[
        "`gates`",
        "for example WF0107",
        "`agentspace explain` lists all",
    ]);
}

/// The library's own tests check the other pages; these need tools and models.
#[test]
fn the_examples_that_only_a_host_can_judge_are_wrong_and_right() {
    let place = Place::new();
    for code in ["WF0207", "WF0208", "WF0209", "WF0520"] {
        let data = place.json(["explain", code]);
        let page = word(&data["page"]);
        let file = match code {
            "WF0520" => "agentspace.toml",
            _ => "example.yaml",
        };
        for (heading, expected) in [("Wrong", vec![code]), ("Right", Vec::new())] {
            place.write(file, example(page, heading));
            // Nobody names a configuration: it is found.
            let named = (code != "WF0520").then_some(file);
            let args = ["check", "--json"].into_iter().chain(named);
            let found = list(&place.run(args).data()["files"]);
            let of_file = |one: &&Value| word(&one["path"]).ends_with(file);
            let found: Vec<String> = list(&found.iter().find(of_file).unwrap()["diagnostics"])
                .iter()
                .map(|one| word(&one["code"]).to_owned())
                .collect();
            assert_eq!(found, expected, "{heading} of {code}");
        }
    }
}

#[test]
fn diagnostics_end_with_where_to_read_more_once() {
    let place = Place::with("one.yaml", "name: One\nsteps: []\n");
    place.write(
        "two.yaml",
        "nme: Two\nsteps: [{id: a, action: noop, timeout: 30}]\n",
    );
    let one = place.run(["check", "one.yaml"]).exits(2);
    assert!(
        one.stderr
            .ends_with("for more about an error: agentspace explain WF0108\n"),
        "{}",
        one.stderr
    );
    let both = place.run(["check", "."]).exits(2).stderr;
    let last = "for more about an error: agentspace explain WF0101 (or WF0108, WF0304)\n";
    assert!(both.ends_with(last), "{both}");
    assert_eq!(both.matches("agentspace explain").count(), 1, "{both}");
    place
        .run(["run", "one.yaml"])
        .exits(2)
        .says(&["agentspace explain WF0108"]);
    place.write("good.yaml", "name: Good\nsteps: [{id: a, action: noop}]\n");
    let good = place.run(["check", "good.yaml"]).exits(0).stderr;
    assert!(!good.contains("explain"), "{good}");
}

#[test]
fn a_refused_file_is_the_same_document_to_run_and_to_check() {
    let place = Place::with("bad.yaml", "name: Bad\nsteps: []\n");
    let check = place.run(["check", "bad.yaml", "--json"]).exits(2);
    let run = place.run(["run", "bad.yaml", "--json"]).exits(2);
    assert_eq!(run.envelope(), check.envelope());
    assert_eq!(run.stderr, "");
    let missing = place.run(["run", "missing.yaml", "--json"]).exits(2).data();
    assert!(list(&missing["files"])[0]["unreadable"].is_string());
    assert!(!place.exists(".agentspace"));
}

#[test]
fn a_checked_file_says_what_it_is() {
    let place = Place::with("good.yaml", "name: Good\nsteps: [{id: a, action: noop}]\n");
    place.write("HEARTBEAT.md", "- [ ] The site answers\n");
    let data = place.run(["check", ".", "--json"]).exits(0).data();
    let kinds: Vec<(String, Value)> = list(&data["files"])
        .iter()
        .map(|file| (word(&file["kind"]).to_owned(), file["workflowId"].clone()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("workflow".to_owned(), "good".into()),
            ("heartbeat".to_owned(), Value::Null)
        ]
    );
}
