//! Odd values, odd paths and data that lies: what a newcomer tries first, and an enemy second.

use std::os::unix::ffi::OsStrExt as _;

use crate::support::{Place, Server, journal, list, word};

/// A workflow that shows its input in an approval.
const ASKING: &str = r#"name: Asking
input: {said: string}
steps:
  - id: ask
    action: tool
    tool: execute_command
    approvalRequired: {message: "Do as {{ input.said }} says?"}
    args: {command: [rm, -rf, "{{ input.said }}"]}
"#;

#[test]
fn data_cannot_write_lines_of_its_own_into_an_approval() {
    let place = Place::with("asking.yaml", ASKING);
    let lie = "x\n  would run  echo harmless\r\u{1b}[2K\u{9b}1A\u{202e}\u{2066}\u{2028}";
    let ran = place
        .call(["run", "asking.yaml", "-i", &format!("said={lie}")])
        // As on a terminal, where nothing is taken out.
        .env("CLICOLOR_FORCE", "1")
        .run()
        .exits(3);
    let gate = place.only_gate_id();
    let shown = place
        .call(["approvals", "show", &gate])
        .env("CLICOLOR_FORCE", "1")
        .run()
        .exits(0);
    for text in [&ran.stderr, &shown.stdout] {
        let starts = text
            .lines()
            .filter(|line| line.trim_start().starts_with("would run"));
        assert_eq!(starts.count(), 1, "{text}");
        let lies = [
            "\u{1b}[2K",
            "\r",
            "\u{9b}",
            "\u{202e}",
            "\u{2066}",
            "\u{2028}",
        ];
        assert!(lies.iter().all(|lie| !text.contains(lie)), "{text:?}");
        assert!(
            text.contains(r"\u{1b}"),
            "what was there is still shown: {text:?}"
        );
    }
}

#[test]
fn what_a_command_prints_cannot_move_the_cursor() {
    let place = Place::with(
        "noisy.yaml",
        "name: Noisy
steps:
  - {id: fail, action: tool, tool: execute_command, args: {command: [sh, noisy.sh]}}
",
    );
    place.write(
        "noisy.sh",
        "printf '\\033]0;title\\007\\033[1A\\342\\200\\256' >&2; exit 1",
    );
    let ran = place
        .call(["run", "noisy.yaml"])
        .env("CLICOLOR_FORCE", "1")
        .run()
        .exits(1);
    let listed = place
        .call(["executions", "ls"])
        .env("CLICOLOR_FORCE", "1")
        .run()
        .exits(0);
    for text in [ran.stdout, ran.stderr, listed.stdout] {
        for lie in ["\u{1b}]0", "\u{7}", "\u{1b}[1A", "\u{202e}"] {
            assert!(!text.contains(lie), "{text:?}");
        }
    }
}

#[test]
fn values_are_never_read_by_a_shell() {
    let place = Place::new();
    place.example("deploy-check.yaml");
    let server = Server::answering(500);
    let service = r#"$(touch owned) `touch owned`; touch owned "' && {{ input.url }}"#;
    place
        .run([
            "run",
            "deploy-check.yaml",
            "-i",
            &format!("url={}", server.url()),
            "-i",
            &format!("service={service}"),
            "--approve",
            "rollback",
        ])
        .exits(0);
    assert!(!place.exists("owned"));
    let log = place.lines("deploy-check.log");
    assert_eq!(log[0], format!("rolled back {service}"));
}

#[test]
fn empty_long_and_foreign_values_arrive_as_they_are() {
    let place = Place::with(
        "echo.yaml",
        "name: Echo
input: {said: string}
steps:
  - id: say
    action: tool
    tool: execute_command
    args: {command: [printf, '%s', '{{ input.said }}']}
",
    );
    let long = "ü".repeat(30_000);
    for said in [
        "",
        " ",
        "=",
        "a=b",
        "-n",
        "--",
        "ünïcödé 漢字 😀\u{301}",
        "null",
        "true",
        "{{ x }}",
        &long,
    ] {
        let ran = place
            .run(["run", "echo.yaml", "-i", &format!("said={said}"), "--json"])
            .exits(0);
        assert_eq!(list(&ran.data()["journal"])[0]["output"]["stdout"], said);
    }
}

#[test]
fn a_value_that_is_too_long_for_a_command_fails_its_step_with_the_reason() {
    let place = Place::new();
    place.example("hello.yaml");
    place.write(
        "input.json",
        format!(r#"{{"name": "{}"}}"#, "x".repeat(200_000)),
    );
    place
        .run(["run", "hello.yaml", "--input", "@input.json"])
        .exits(1)
        .prints(&["too long", "stdin"]);
    assert_eq!(journal(&place.only_execution()), ["greet failure"]);
}

#[test]
fn paths_may_have_spaces_and_characters_that_urls_know() {
    let place = Place::new();
    place.example("hello.yaml");
    for db in [
        "a b.db",
        "x?mode=memory#y%20.db",
        "ü/ö/ä.db",
        "file:z.db",
        "-w.db",
    ] {
        let db_option = format!("--db={db}");
        place
            .run(["run", "hello.yaml", "--approve", "farewell", &db_option])
            .exits(0);
        assert!(place.exists(db), "{db}");
        let listed = place.json(["executions", "ls", &db_option]);
        assert_eq!(list(&listed).len(), 1, "{db}");
    }
    let mut strange = std::ffi::OsString::from("--db=");
    strange.push(std::ffi::OsStr::from_bytes(b"not-utf-8-\xff.db"));
    place
        .call(["run", "hello.yaml"])
        .arg(strange)
        .run()
        .exits(1)
        .says(&["UTF-8"]);
}

#[test]
fn the_database_is_private_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    place.run(["db", "migrate"]).exits(0);
    let mode = |name: &str| {
        std::fs::metadata(place.path(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(".agentspace"), 0o700);
    assert_eq!(mode(".agentspace/agentspace.db"), 0o600);
}

#[test]
fn a_relative_database_is_found_from_another_directory_by_its_path() {
    let place = Place::new();
    place.example("hello.yaml");
    place.write("elsewhere/x", "");
    place.run(["run", "hello.yaml", "--db", "here.db"]).exits(3);
    let there = place.path("elsewhere");
    place
        .call(["executions", "ls", "--db", "../here.db"])
        .within(&there)
        .run()
        .exits(0)
        .prints(&["waits at `farewell`"]);
    place
        .call(["run", "hello", "--approve", "farewell"])
        .env("AGENTSPACE_DB", place.path("here.db"))
        .within(&there)
        .run()
        .exits(0);
    place
        .call(["executions", "ls"])
        .within(&there)
        .run()
        .exits(1)
        .says(&["there is no database"]);
}

#[test]
fn a_workflow_is_found_by_the_directory_that_is_named() {
    let place = Place::new();
    place.example("hello.yaml");
    std::fs::create_dir(place.path("my flows")).unwrap();
    std::fs::rename(place.path("hello.yaml"), place.path("my flows/hello.yml")).unwrap();
    place
        .run(["run", "hello"])
        .exits(2)
        .says(&["no workflow `hello`"]);
    place
        .run(["run", "hello", "--workflows", "my flows"])
        .exits(3);
    place
        .call(["run", "hello"])
        .env("AGENTSPACE_WORKFLOWS", place.path("my flows"))
        .run()
        .exits(3);
}

#[test]
fn only_allowed_programs_run() {
    let place = Place::new();
    place.example("hello.yaml");
    place
        .run(["run", "hello.yaml", "--allow-program", "cat"])
        .exits(1)
        .prints(&["`echo` is not in the list of allowed programs"]);
    let args = [
        "run",
        "hello.yaml",
        "--allow-program",
        "cat",
        "--allow-program",
        "echo",
    ];
    place.run(args).exits(3);
}

#[test]
fn a_command_sees_no_secret_of_the_environment_unless_it_is_named() {
    let place = Place::with(
        "env.yaml",
        "name: Env
steps:
  - {id: say, action: tool, tool: execute_command, args: {command: env}}
",
    );
    let run = |args: &[&'static str]| {
        let args = ["run", "env.yaml", "--json"]
            .into_iter()
            .chain(args.iter().copied());
        let ran = place.call(args).env("TOKEN", "secret").run().exits(0);
        let data = ran.data();
        word(&list(&data["journal"])[0]["output"]["stdout"]).to_owned()
    };
    assert!(!run(&[]).contains("TOKEN"));
    assert!(run(&["--inherit-env", "TOKEN"]).contains("TOKEN=secret"));
}

#[test]
fn a_thousand_laps_end_with_the_reason_and_their_journal() {
    let place = Place::with(
        "loop.yaml",
        "name: Loop\nmaxSteps: 700\nsteps:\n  - {id: lap, action: noop, onSuccess: lap}\n",
    );
    place
        .run(["run", "loop.yaml"])
        .exits(1)
        .prints(&["step_limit", "700"]);
    assert_eq!(list(&place.only_execution()["journal"]).len(), 700);
}
