//! The texts that are measured: good files of many sizes, the worst within the limits, and bombs.

use std::fmt::Write as _;

use workflow_types::source::{MAX_BYTES, MAX_NODES};

const HEAD: &str = "name: Deploy check
description: Checks a service, offers a rollback, and says what happened.
input:
  url: string
  service: {type: string, default: web}
  log: {type: string, default: deploy.log}
steps:
";

/// A workflow such as people write: tools, a model, gates, branches and templates in turn.
pub fn steps(count: usize) -> String {
    let mut text = HEAD.to_owned();
    for number in 0..count {
        let last = number + 1 == count;
        step(&mut text, number, last);
    }
    text
}

fn step(text: &mut String, number: usize, last: bool) {
    let before = number.saturating_sub(1);
    let written = match number % 5 {
        _ if last => write!(text, "  - id: step-{number}\n    action: noop\n"),
        0 => write!(
            text,
            "  - id: step-{number}\n    description: Ask the service.\n    action: tool\n    tool: http_request\n    args:\n      url: \"{{{{ input.url }}}}\"\n    timeout: 10s\n    retry: {{maxAttempts: 3, initialBackoff: 200ms}}\n    branches:\n      - condition: result.status >= 500 && result.healthy != true\n        goto: step-{}\n    onFailure: $fail\n",
            number + 1
        ),
        1 => write!(
            text,
            "  - id: step-{number}\n    action: tool\n    tool: execute_command\n    approvalRequired:\n      message: \"{{{{ input.service }}}} answered {{{{ steps.step-{before}.output.status }}}}. Roll it back?\"\n    args:\n      command: [sh, -c, 'echo \"$1\" >> \"$2\"', rollback, \"{{{{ input.service }}}}\", \"{{{{ input.log }}}}\"]\n",
        ),
        2 => write!(
            text,
            "  - id: step-{number}\n    action: model\n    prompt: |\n      What does this mean for {{{{ input.service }}}}?\n      {{{{ steps.step-{before}.output | json }}}}\n    tools: [http_request]\n    outputSchema:\n      type: object\n      properties: {{severity: {{type: string}}}}\n",
        ),
        3 => write!(
            text,
            "  - id: step-{number}\n    action: tool\n    tool: execute_command\n    args:\n      command: [alert, \"{{{{ steps.step-{before}.output.severity }}}}\", \"{{{{ error ?? 'answered' }}}}\"]\n    onInterrupt: rerun\n",
        ),
        _ => write!(text, "  - id: step-{number}\n    action: noop\n"),
    };
    written.unwrap_or_default();
}

/// A text with a name, and what is to be found out with it.
pub struct Case {
    pub name: &'static str,
    pub text: String,
}

fn case(name: &'static str, text: String) -> Case {
    Case { name, text }
}

/// A tool step whose arguments are `args`, as large as a text may be.
fn with_args(args: impl Fn(usize) -> String) -> String {
    let mut text =
        "name: w\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args:\n".to_owned();
    for number in 0.. {
        let line = args(number);
        if line.is_empty() || text.len() + line.len() > MAX_BYTES {
            break;
        }
        text.push_str(&line);
    }
    text
}

/// What costs most within the limits.
pub fn worst() -> Vec<Case> {
    let flat = with_args(|n| match n {
        0..9_800 => format!("      k{n}: v{n}\n"),
        _ => String::new(),
    });
    let deep = {
        let line = |n: usize| format!("      k{n}: {}1{}\n", "[".repeat(60), "]".repeat(60));
        with_args(|n| if n < 160 { line(n) } else { String::new() })
    };
    let templates = with_args(|n| match n {
        0..9_800 => format!("      k{n}: \"{{{{input}}}}\"\n"),
        _ => String::new(),
    });
    let one = |quote: &str| {
        let room = MAX_BYTES - 80;
        format!(
            "name: w\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args:\n      k: {quote}{}{quote}\n",
            "x".repeat(room)
        )
    };
    let many_in_one = {
        let text = "{{ input.a }} ".repeat((MAX_BYTES - 80) / 14);
        format!(
            "name: w\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args:\n      k: '{text}'\n"
        )
    };
    let aliases = {
        let items = vec!["*a"; 3_000].join(", ");
        format!(
            "name: w\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args:\n      a: &a [1, 2]\n      b: [{items}]\n"
        )
    };
    let wide = "é☕ ".repeat((MAX_BYTES - 80) / 6);
    vec![
        case("9,800 keys in one mapping", flat),
        case("160 values nested to 64", deep),
        case("9,800 templates", templates),
        case("one plain scalar", one("")),
        case("one quoted scalar", one("\"")),
        case("one string of 18,000 templates", many_in_one),
        case("3,000 aliases of a list", aliases),
        case(
            "one scalar beyond ASCII",
            format!("name: w\ndescription: {wide}\nsteps: [{{id: a, action: noop}}]\n"),
        ),
        case("1,000 steps", steps(1_000)),
        case("1,000 steps in one loop", one_loop()),
        case(
            "comments alone",
            format!(
                "{}name: w\nsteps: [{{id: a, action: noop}}]\n",
                "# comment\n".repeat(26_000)
            ),
        ),
    ]
}

/// A thousand steps each of which leads back to the first.
fn one_loop() -> String {
    let mut text = "name: w\nsteps:\n".to_owned();
    for number in 0..1_000 {
        let (next, back) = ((number + 1) % 1_000, (number * 7) % 1_000);
        let step = format!(
            "  - id: s{number}\n    action: tool\n    tool: t\n    args: {{k: \"{{{{steps.s{next}.output}}}}\"}}\n    branches: [{{condition: status, goto: s{back}}}, {{condition: error, goto: $end}}]\n    onSuccess: s{next}\n",
        );
        text.push_str(&step);
    }
    text
}

/// Files of nothing but mistakes.
pub fn mistakes() -> Vec<Case> {
    let lines = |line: &dyn Fn(usize) -> String, most: usize| {
        let mut text = String::new();
        for number in 0..most {
            let line = line(number);
            if text.len() + line.len() > MAX_BYTES - 200 {
                break;
            }
            text.push_str(&line);
        }
        text
    };
    let head = "name: w\nsteps:\n  - id: a\n    action: tool\n    tool: t\n    args:\n";
    let unknown_keys = lines(&|n| format!("unknown{n}: 1\n"), MAX_NODES / 2 - 10);
    let twice = lines(&|_| "k: 1\n".to_owned(), MAX_NODES / 2 - 10);
    let twice_each = lines(&|n| format!("k{}: 1\n", n / 2), MAX_NODES / 2 - 10);
    let names = lines(&|n| format!("      - \"{{{{nput.x{n}}}}}\"\n"), 9_800);
    let unknown_steps = lines(
        &|n| format!("  - {{id: s{n}, action: noop, onSuccess: s{n}x}}\n"),
        1_000,
    );
    let reads = format!(
        "{}{}",
        lines(
            &|n| format!("  - {{id: step-number-{n}, action: noop}}\n"),
            900
        ),
        "  - id: z\n    action: tool\n    tool: t\n    args:\n      k:\n"
    );
    let reads = {
        let room = 6_000;
        let items = lines(
            &|n| format!("      - \"{{{{steps.step-umber-{n}.x}}}}\"\n"),
            room,
        );
        format!("name: w\nsteps:\n{reads}{items}")
    };
    vec![
        case(
            "4,990 unknown keys",
            format!("name: w\nsteps: [{{id: a, action: noop}}]\n{unknown_keys}"),
        ),
        case(
            "one key 4,990 times",
            format!("name: w\nsteps: [{{id: a, action: noop}}]\n{twice}"),
        ),
        case(
            "2,495 keys twice",
            format!("name: w\nsteps: [{{id: a, action: noop}}]\n{twice_each}"),
        ),
        case(
            "unknown names in templates",
            format!("{head}     k:\n{names}")
                .replace("    args:\n     k:\n", "    args:\n      k:\n"),
        ),
        case(
            "1,000 unknown targets",
            format!("name: w\nsteps:\n{unknown_steps}"),
        ),
        case("unknown steps beside 900", reads),
        case(
            "1,000 empty steps",
            format!("name: w\nsteps:\n{}", "  - {}\n".repeat(1_000)),
        ),
    ]
}

/// What has to be refused at once.
pub fn bombs() -> Vec<Case> {
    let one_anchor = {
        let value = "x".repeat(64);
        let list = vec![format!("'{value}'"); 200].join(", ");
        let aliases = vec!["*a"; 2_000].join(", ");
        format!("name: b\na: &a [{list}]\nb: [{aliases}]\n")
    };
    let laughs = {
        let mut text = "name: b\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let items = vec![format!("*a{}", level - 1); 10].join(", ");
            let _ = writeln!(text, "a{level}: &a{level} [{items}]");
        }
        text
    };
    let nested = format!("name: b\nx: {}\n", "[".repeat(MAX_BYTES - 20));
    let indented: String = (0..700)
        .map(|level| format!("{}k:\n", " ".repeat(level)))
        .collect();
    vec![
        case("one anchor, 2,000 aliases", one_anchor),
        case("nested aliases (billion laughs)", laughs),
        case("10 MB", format!("name: b\n{}", "# x\n".repeat(2_500_000))),
        case(
            "a million brackets",
            format!("name: b\nx: {}\n", "[".repeat(1_000_000)),
        ),
        case("262,000 brackets", nested),
        case("131,000 braces", "{".repeat(131_000)),
        case("262,000 `- `", "- ".repeat(131_000)),
        case("262,000 `? `", "? ".repeat(131_000)),
        case("700 levels of indentation", indented),
        case(
            "130,000 items",
            format!("name: b\nx: [{}]\n", "1,".repeat(130_000)),
        ),
    ]
}
