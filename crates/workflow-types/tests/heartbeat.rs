//! Heartbeats at their boundary: what `HEARTBEAT.md` says, and what authors get wrong in it.

use workflow_types::Heartbeat;

/// The heartbeat of a good file, and every diagnostic as `line:column code message | text |`.
fn check(text: &str) -> String {
    check_bytes(text.as_bytes())
}

fn check_bytes(bytes: &[u8]) -> String {
    let checked = Heartbeat::check(bytes);
    assert_eq!(
        checked.heartbeat.is_none(),
        checked.diagnostics.has_errors()
    );
    let mut lines: Vec<String> = checked.heartbeat.iter().map(show).collect();
    let mut all: Vec<_> = checked.diagnostics.iter().collect();
    all.sort_by_key(|diagnostic| checked.map.resolve(&diagnostic.place).start);
    for diagnostic in all {
        let span = checked.map.resolve(&diagnostic.place);
        let at = checked.map.line_column(span.start);
        let text = checked.map.text()[span].lines().next().unwrap_or_default();
        lines.push(format!(
            "{}:{} {}[{}] {} | {text} |",
            at.line, at.column, diagnostic.severity, diagnostic.code, diagnostic.message
        ));
        lines.extend(
            diagnostic
                .help
                .iter()
                .map(|help| format!("    help: {help}")),
        );
        for label in &diagnostic.related {
            let at = checked
                .map
                .line_column(checked.map.resolve(&label.place).start);
            lines.push(format!("    {}:{} {}", at.line, at.column, label.text));
        }
        lines.extend(
            diagnostic
                .fix
                .iter()
                .map(|fix| format!("    fix: {:?}", fix.replacement.to_string())),
        );
    }
    lines.join("\n")
}

fn show(heartbeat: &Heartbeat) -> String {
    let config = heartbeat.config();
    let mut words = vec![format!("every {} minutes", config.interval)];
    words.extend(config.timezone.map(|zone| format!("in {zone}")));
    let hours = config.active_hours.as_ref();
    words.extend(hours.map(|hours| format!("within {hours}")));
    words.extend(heartbeat.model().map(|model| format!("model {model}")));
    words.extend(heartbeat.tools().iter().map(|tool| format!("tool {tool}")));
    let unasked = heartbeat.without_approval().iter();
    words.extend(unasked.map(|tool| format!("unasked {tool}")));
    if !heartbeat.is_enabled() {
        words.push("disabled".to_owned());
    }
    let mut lines = vec![words.join(", ")];
    lines.extend(heartbeat.items().iter().map(|item| {
        let mark = if item.is_ticked() { 'x' } else { ' ' };
        format!("{} [{mark}] {:?}", item.line(), item.text())
    }));
    lines.join("\n")
}

/// A file with these settings and one item.
fn with_settings(settings: &str) -> String {
    format!("---\n{settings}\n---\n- [ ] The site answers\n")
}

fn snapshots(texts: &[&str]) -> String {
    let found: Vec<String> = texts
        .iter()
        .map(|text| format!("{}\n\n{}", text.trim_end(), check(text)))
        .collect();
    found.join("\n\n=======\n")
}

#[test]
fn the_example_is_good() {
    let text = include_str!("../../../examples/HEARTBEAT.md");
    let checked = Heartbeat::check(text.as_bytes());
    assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
    let heartbeat = checked.heartbeat.unwrap();
    assert_eq!(heartbeat.checks().count(), 4);
    for item in heartbeat.items() {
        let line = text.lines().nth(item.line() - 1).unwrap();
        let words = item.text().split(['\n', ' ']).next().unwrap();
        assert!(line.contains(words), "{line}");
    }
    insta::assert_snapshot!(check(text));
}

#[test]
fn settings_have_defaults_and_two_spellings() {
    let texts = [
        "- [ ] a\n",
        "---\n---\n- [ ] a\n",
        "\n\n---\n# interval: 5\n\n---\n- [ ] a\n",
        "---\ninterval: 2h\ntimezone: Asia/Tokyo\nactive_hours: {start: 09:00, end: 17:00, days_of_week: [1]}\nmodel: small\ntools: [http_request, ask]\nenabled: false\n---\n- [ ] a\n",
        "---\ntools: [look, act]\nwithout_approval: [act]\n---\n- [ ] a\n",
        "---\nactiveHours:\n  start: 22:00\n  end: '06:00'\ninterval: \"1d\"\n---\n- [ ] a",
        "---\ninterval: 7\nactiveHours: {start: 09:01, end: 09:02}\n---\n- [ ] a\n",
        "---\r\ninterval: 15\r\ntimezone: UTC\r\n---\r\n- [ ] a\r\n  b\r\n\r\n- [x] c\r\n",
        "\u{feff}---\ninterval: 10080\n---\n- [ ] Grüße ☕\n",
    ];
    insta::assert_snapshot!(snapshots(&texts));
}

#[test]
fn items_are_read_as_markdown_has_them() {
    let texts = [
        "# Title\n\nText.\n\n- [ ] dash\n* [ ] star\n+ [ ] plus\n1. [ ] one\n2) [X] two\n\t- [ ]\ttab\n",
        "- [ ] wrapped\n  over\nlines\n\n  another paragraph\n\nno part of it\n- [ ] next\n",
        "- [ ] parent\n  - detail\n    more\n  - [x] done\n  - [ ] child\n    goes on\n- plain\n  not an item\n",
        "- [ ] a\n# Heading\n- [ ] b\n---\n- [ ] c\n> quoted\n- [ ] d\n***\n- [ ] e\n| table |\n",
        "```\n- [ ] code\n```\n<!-- - [ ] one -->\n<!--\n- [ ] two\n-->\n~~~~ md\n- [ ] three\n~~~\n- [ ] four\n~~~~\n- [ ] real <!-- kept -->\n<!-- gone -->\n  goes on\n  ```sh\n  df -h\n  ```\n",
        "- [link](https://example.com)\n- [1]: note\n- [a][b]\n- [word] text\n- a [ ] b\n[x](y)\n*[bold]*\n- [ ] real\n```not ` a fence\n- [ ] also real\n",
    ];
    insta::assert_snapshot!(snapshots(&texts));
}

#[test]
fn bad_settings_are_shown_where_they_stand() {
    let settings = [
        "interval: 0",
        "interval: 10081",
        "interval: 1.5",
        "interval: 99999999999999999999",
        "interval: -30",
        "interval: 90s",
        "interval: 30 minutes",
        "interval: \"30\"",
        "interval: 8d",
        "interval: [30]",
        "interval:",
        "intervall: 30\nTimezone: UTC\nevery: 5m",
        "timezone: Europe/Berln",
        "timezone: America/New York",
        "timezone: +02:00",
        "timezone: 5",
        "activeHours: {start: 9:00, end: 25:00}",
        "activeHours: {start: 09:00}\nactive_hours: {}",
        "activeHours: {start: 09:00, end: 09:00}",
        "activeHours: {start: 09:00, end: 17:00, daysOfWeek: [0, Friday, 3]}",
        "activeHours: {start: 09:00, end: 17:00, days: [1]}",
        "interval: 1d\nactiveHours: {start: 09:00, end: 17:00}",
        "interval: 60\nactiveHours:\n  start: 09:01\n  end: 10:00",
        "model: my model\ntools: [http request, 5]\nenabled: yes",
        "tools: http_request",
        "tools: [http_request]\nwithoutApproval: [http_reqest, act]",
        "withoutApproval: act",
        "- interval: 30",
        "interval",
    ];
    let texts: Vec<String> = settings.into_iter().map(with_settings).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    insta::assert_snapshot!(snapshots(&texts));
}

#[test]
fn bad_front_matter_says_what_to_do() {
    let texts = [
        "---\ninterval: 30\n\n- [ ] a\n",
        "---",
        "interval: 30\n\n- [ ] a\n",
        "# Title\n\n---\nactive_hours: {}\n---\n- [ ] a\n",
        "---\ninterval: 30\ninterval: 15\n---\n- [ ] a\n",
        "---\nactiveHours:\n\tstart: 09:00\n---\n- [ ] a\n",
        "---\nmodel: a: b\n---\n- [ ] a\n",
        "---\nmodel: {{ x }}\n---\n- [ ] a\n",
        "---\ninterval: 30\n--- more\ninterval: 15\n---\n- [ ] a\n",
        "---\nactiveHours: {start: 09:00\n---\n- [] a\n",
        "---\nmodel: \"Grüße\" x\n---\n- [ ] a\n",
    ];
    insta::assert_snapshot!(snapshots(&texts));
}

#[test]
fn what_looks_like_an_item_is_never_left_out_silently() {
    let texts = [
        "- [] a\n-[ ] b\n- [ ]c\n- [  ] d\n- [ x ] e\n-[x]f\n[ ] g\n1.[ ] h\n* [X]i\n",
        "Text\n\n  - [-] a\n  - [✓] b\n",
        "- [ ]\n- [x] \n- [ ] ok\n",
        "- [ ] a\n\n> - [ ] quoted\n>> 1. [x] twice\n> plain - [ ] no\n> [ ] no\n",
        "- [ ] same\n- [x] same\n- [ ]  same\n- [ ] same",
        "",
        "---\ninterval: 5\n---\n",
        "---\ninterval: 5\n---\n\n# Title\n\n- plain\n> quoted\n",
        "- [x] a\n- [X] b\n",
        "- [ ] a\n```\n- [ ] b\n",
        "<!-- note\n- [ ] b\n",
    ];
    insta::assert_snapshot!(snapshots(&texts));
}

#[test]
fn every_place_lies_on_its_line_whatever_comes_before() {
    let text = "\n---\n# ä€😀\nmodel: 'Grüße'\ntimezone: Nowhere\n---\n😀 [x\n- [-] é\n";
    let checked = Heartbeat::check(text.as_bytes());
    let places: Vec<(usize, usize, &str)> = checked
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let span = checked.map.resolve(&diagnostic.place);
            let at = checked.map.line_column(span.start);
            (at.line, at.column, &text[span])
        })
        .collect();
    let expected = [(5, 11, "Nowhere"), (4, 8, "'Grüße'"), (8, 1, "- [-]")];
    assert_eq!(places, expected);
}

#[test]
fn limits_are_those_of_every_text() {
    let large = format!("- [ ] {}\n", "x".repeat(300 * 1024));
    let found = [
        check(&large),
        check_bytes(b"---\nmodel: \xff\n---\n- [ ] a\n"),
        check(&with_settings(&format!(
            "tools: {}{}",
            "[".repeat(70),
            "]".repeat(70)
        )))
        .lines()
        .next()
        .unwrap_or_default()
        .replace(['[', ']'], ""),
    ];
    insta::assert_snapshot!(found.join("\n---\n"));
}

proptest::proptest! {
    /// Whatever the text is, it is read to an end, and a heartbeat that is good has items.
    #[test]
    fn any_text_is_read(text in "(---\n|- \\[[ x-]?\\] ?|interval: [0-9a-z]{1,3}\n|[-*>`~!<# \t\r\n]|[a-zé😀])*") {
        let checked = Heartbeat::check(text.as_bytes());
        let has_errors = checked.diagnostics.has_errors();
        proptest::prop_assert_eq!(checked.heartbeat.is_none(), has_errors);
        if let Some(heartbeat) = checked.heartbeat {
            proptest::prop_assert!(!heartbeat.items().is_empty());
        }
        for diagnostic in &checked.diagnostics {
            let span = checked.map.resolve(&diagnostic.place);
            proptest::prop_assert!(checked.map.text().get(span).is_some());
        }
    }
}
