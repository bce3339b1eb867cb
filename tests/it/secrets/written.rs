//! Secrets that somebody has written into `agentspace.toml` itself: the program says where, and never
//! what.

use crate::support::Place;

const SECRET: &str = "cAnary-7f3a";

/// A line in the table of a model, of a sink, of a server, and of neither.
fn texts() -> Vec<String> {
    let model = "[models.x]\nadapter = \"openai\"\nmodel = \"m\"\n";
    let sink = "[alerts.sinks.x]\nkind = \"webhook\"\n";
    let server = "[mcp.servers.x]\n";
    let mut texts: Vec<String> = Vec::new();
    let mut below = |table: &str, lines: &[&str]| {
        texts.extend(lines.iter().map(|line| format!("{table}{line}\n")));
    };
    below(
        model,
        &[
            "api_key = \"cAnary-7f3a\"",
            "api_key = cAnary-7f3a",
            "api_key = \"cAnary-7f3a",
            "api_key = \"\"\"\ncAnary-7f3a",
            "api_key: cAnary-7f3a",
            "\"api_key\" \"cAnary-7f3a\"",
            "api_key = 2026-11-23T10:00:00Z # cAnary-7f3a",
            "api_key = 1\napi_key = \"cAnary-7f3a\"",
            "apiKey = [\n\"cAnary-7f3a\", x ]",
            "pass = \"cAnary-7f3a\"",
            "key_env = \"cAnary-7f3a\"",
            "key_env = [\"cAnary-7f3a\"]",
            "key_env = {a = \"cAnary-7f3a\"}",
            "base_url = \"https://cAnary-7f3a@h\"",
            "base_url = \"https://h/?x=cAnary-7f3a\"",
            "headers = {Authorization = \"cAnary-7f3a\"}",
            "timeout = [ # cAnary-7f3a is the key",
        ],
    );
    below(
        sink,
        &[
            "url = \"https://u:cAnary-7f3a@h\"",
            "url = \"ftp://h/cAnary-7f3a\"",
            "url = \"https://h\"\nsecret = \"cAnary-7f3a\"",
            "url = \"https://h\"\nsecret_env = \"cAnary-7f3a\"",
            "command = [\"page\", \"cAnary-7f3a\", 5]",
        ],
    );
    below(
        server,
        &[
            "url = \"ftp://u:cAnary-7f3a@h\"",
            "url = \"https://h\"\nheaders = {A = \"cAnary-7f3a\\n\"}",
            "url = \"https://h\"\n[mcp.servers.x.headers]\n\"X Y\" = \"cAnary-7f3a\"",
            "command = [\"a\", \"--with=cAnary-7f3a\", 5]",
            "command = [\"a\"]\nenv = {A = \"cAnary-7f3a\", B = 5}",
            "command = [\"a\"]\n[mcp.servers.x.env]\nA = cAnary-7f3a",
            "command = [\"a\"]\ntoken = \"cAnary-7f3a\"",
        ],
    );
    below(
        "",
        &[
            "models.x = {adapter = \"opnai\", model = \"m\", api_key = \"cAnary-7f3a\"}",
            "models = {x = {adapter = \"openai\", model = 5, more = \"cAnary-7f3a\"}}",
            "models = \"cAnary-7f3a\"",
            "api_key = \"cAnary-7f3a\"",
            "[gateway]\npassword = \"cAnary-7f3a\"",
            "[gateway]\ndrain = \"soon\" # the token is cAnary-7f3a",
            "sk-0cAnary-7f3a",
        ],
    );
    texts
}

/// Runs the program on a file with a secret in it, which it refuses without showing that.
fn is_refused(text: &str, args: &[&str]) {
    assert!(text.contains(SECRET));
    let place = Place::with("agentspace.toml", text);
    let ran = place.run(args.iter().copied());
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!said.contains(SECRET), "{text}: {said}");
    assert!(!said.contains("10:00"), "{text}: {said}");
    assert!(said.contains("agentspace.toml"), "{text}: {said}");
    assert_eq!(ran.code, Some(2), "{text}: {said}");
}

#[test]
fn a_secret_in_the_file_is_told_by_its_place_alone() {
    let texts = texts();
    for text in &texts {
        for args in [
            &["check"][..],
            &["check", "--json"],
            &["check", "--format=github"],
        ] {
            is_refused(text, args);
        }
    }
    // Every other command reads the file, too.
    for args in [
        &["models", "ls"][..],
        &["doctor"],
        &["run", "w"],
        &["serve"],
    ] {
        is_refused(&texts[0], args);
    }
}

#[test]
fn what_is_no_secret_is_shown_with_its_line() {
    for (text, line) in [
        (
            "[models.x]\nadapter = \"opnai\"\nmodel = \"m\"\n",
            "adapter = \"opnai\"",
        ),
        ("[gateway]\ndrain = \"soon\"\n", "drain = \"soon\""),
        ("[alerts.sinks.x]\nkind = \"pager\"\n", "kind = \"pager\""),
        ("databse = \"x\"\n", "databse = \"x\""),
    ] {
        let place = Place::with("agentspace.toml", text);
        place.run(["check"]).exits(2).says(&[line]);
    }
}
