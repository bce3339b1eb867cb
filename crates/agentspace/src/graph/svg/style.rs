//! The look of a drawing: its colours, light and dark, and the classes that use them.

use std::fmt::Write as _;

/// The kinds of arrows: one for each colour that a way can have.
pub(super) const ARROWS: [&str; 4] = ["flow", "back", "failure", "taken"];

/// A colour: its name, and how it is where it is light and where it is dark.
const COLOURS: [(&str, &str, &str); 12] = [
    ("paper", "#ffffff", "#0d1117"),
    ("box", "#f6f8fa", "#161b22"),
    ("edge", "#8c959f", "#6e7681"),
    ("text", "#1f2328", "#e6edf3"),
    ("muted", "#59636e", "#9198a1"),
    ("tool", "#0969da", "#4493f8"),
    ("model", "#8250df", "#ab7df8"),
    ("gate", "#7d4e00", "#e3b341"),
    ("gate-box", "#fff8c5", "#3b2e0a"),
    ("failure", "#cf222e", "#f85149"),
    ("back", "#0a7d91", "#39c5cf"),
    ("taken", "#1a7f37", "#3fb950"),
];

/// A rule: what it is for, and its properties, in which `$name` is a colour.
const RULES: [(&str, &str); 33] = [
    (
        "",
        "font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace",
    ),
    (" .paper", "fill:$paper"),
    (" text", "fill:$text"),
    (" .box", "fill:$box;stroke:$edge;stroke-width:1.25"),
    (" .id", "font-size:13px;font-weight:600"),
    (" .small", "fill:$muted"),
    (
        " .sign",
        "fill:none;stroke:$muted;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round",
    ),
    (" .tool .sign", "stroke:$tool"),
    (" .tool .bar", "fill:$tool"),
    (" .model .box", "stroke:$model"),
    (" .model .sign", "fill:$model;stroke:none"),
    (" .noop .box", "stroke-dasharray:2 3"),
    (" .start .box", "fill:$text;stroke:none"),
    (" .start .id", "fill:$paper"),
    (" .end .box", "fill:$paper;stroke:$text;stroke-width:2.5"),
    (
        " .fail .box",
        "fill:$paper;stroke:$failure;stroke-width:2.5",
    ),
    (" .fail .id", "fill:$failure"),
    (" .gate rect", "fill:$gate-box;stroke:$gate"),
    (" .gate path", "fill:$gate"),
    (" .gate .open", "fill:none;stroke:$gate;stroke-width:1.5"),
    (" .gate text", "fill:$gate;font-weight:600"),
    (" .way path", "fill:none;stroke:$edge;stroke-width:1.5"),
    (" .way.back path", "stroke:$back"),
    (" .way.failure path", "stroke:$failure;stroke-dasharray:5 4"),
    (" .way.taken path", "stroke:$taken;stroke-width:3"),
    (" .arrow path", "fill:$edge"),
    (" .arrow.back path", "fill:$back"),
    (" .arrow.failure path", "fill:$failure"),
    (" .arrow.taken path", "fill:$taken"),
    (" .label rect", "fill:$paper"),
    (" .label text", "fill:$muted;text-anchor:middle"),
    (" .label.back text", "fill:$back"),
    (" .label.failure text", "fill:$failure"),
];

/// Rules for what an execution did, which come last because they overrule the others.
const MARKED: [(&str, &str); 3] = [
    (" .passed .box", "stroke:$taken;stroke-width:3"),
    (" .failed .box", "stroke:$failure;stroke-width:3"),
    (
        " .here .box",
        "stroke:$gate;stroke-width:3;stroke-dasharray:8 3",
    ),
];

/// The style sheet. Every rule is for this drawing only, wherever it is shown.
///
/// A colour stands twice in a rule: as it is, for programs that know no variables, and as the
/// variable for all others.
pub(super) fn sheet() -> String {
    let mut light = String::new();
    let mut dark = String::new();
    for (name, on_light, on_dark) in COLOURS {
        let _ = write!(light, "--wf-{name}:{on_light};");
        let _ = write!(dark, "--wf-{name}:{on_dark};");
    }
    let mut sheet =
        format!(".wf{{{light}}}\n@media (prefers-color-scheme:dark){{.wf{{{dark}}}}}\n");
    for (place, properties) in RULES.iter().chain(&MARKED) {
        let _ = writeln!(sheet, ".wf{place}{{{}}}", coloured(properties));
    }
    sheet
}

fn coloured(properties: &str) -> String {
    let one = |property: &str| {
        let (name, value) = property.split_once(':').unwrap_or((property, ""));
        let colour = value
            .strip_prefix('$')
            .and_then(|wanted| COLOURS.iter().find(|(colour, _, _)| *colour == wanted));
        match colour {
            Some((colour, on_light, _)) => {
                format!("{name}:{on_light};{name}:var(--wf-{colour})")
            }
            None => property.to_owned(),
        }
    };
    let all: Vec<String> = properties.split(';').map(one).collect();
    all.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_that_a_rule_names_exists_and_is_used() {
        let sheet = sheet();
        assert!(!sheet.contains('$'), "{sheet}");
        for (name, _, _) in COLOURS {
            assert!(sheet.contains(&format!("var(--wf-{name})")), "{name}");
        }
    }
}
