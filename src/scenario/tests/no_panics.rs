//! Whatever the text, the answer is a scenario or mistakes that can be shown.

use proptest::prelude::*;

use super::{super::*, *};

fn check(text: &str) {
    match parse(text) {
        Err(problems) => shown(&problems),
        Ok(scenario) => {
            if let Err(problems) = bind(&scenario, &catalog(), &Overrides::default()) {
                shown(&problems);
            }
        }
    }
}

fn shown(problems: &Problems) {
    assert!(!problems.list.is_empty());
    for problem in &problems.list {
        assert!(!problem.labels.is_empty(), "a mistake of the file has a place: {problem:?}");
        for label in &problem.labels {
            assert!(
                label.span.start <= label.span.end && label.span.end <= problems.text.len(),
                "{problem:?}"
            );
        }
        assert!(problem.help.is_some(), "no way out: {problem:?}");
        assert!(problems.position(problem).0 >= 1);
    }
    assert!(problems.render(false).contains("error: "));
    problems.render(true);
}

/// A file with something of everything.
const FULL: &str = r#"about = "é all of it"
source = 'here'
[params]
n = [1, "blksize+1", "2*m"]
m = "page"
writer = ["python@3.8:text,buffer=2*{m}", 'stdio:line', "mine"]
how = ["", "nonblock if failed"]
[channels]
log = "fifo"
back = { kind = "fifo" }
[actors]
reader = "raw"
writer = { driver = "{writer}" }
[setting]
sigpipe = "default"
cpu_budget = "500 ms"
[drivers]
mine = { command = ["./é"] }
[expect]
error_at = "close"
[expect.log]
lost = "n*m"
[expect.back]
torn = 0
"#;
const FULL_SCRIPT: &str = "\nreader open log both {how}   # ü\nwriter open log write -> ok or EPIPE X or killed SIGPIPE\n\
    writer write log {2*n+1} newline pieces 8 KiB if failed repeat 3 until ok -> ok n+1\n\
    reader read log available\nreader kill SIGTERM\nwriter exit 3 -> exited 3\n";

fn full_files() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["'''", "\"\"\""])
        .prop_map(|quotes| format!("script = {quotes}{FULL_SCRIPT}{quotes}\n{FULL}"))
}

/// What to put in: pieces of the language and things that hurt.
fn inserts() -> impl Strategy<Value = String> {
    let tokens = vec![
        "{",
        "}",
        "{n}",
        "{x}",
        "{}",
        "'''",
        "\"\"\"",
        "\"",
        "'",
        "\n",
        "\r\n",
        "\r",
        " ",
        "=",
        "[",
        "]",
        "->",
        "or",
        "#",
        "é",
        "日本",
        "\u{0}",
        "\u{301}",
        "👩‍👩‍👧",
        "\\",
        "\\u00e9",
        "\t",
        "-",
        "1000000000000000000",
        "0",
        "n",
        "writer",
        "log",
        "close",
        "repeat",
        "if",
        "@all",
        ":",
        ",",
        "buffer=",
        "layers",
        "raw",
        "/0",
        "python.buffer",
        "writer.chunk",
        "(",
        ")",
        "KiB",
        "1e9",
        "[params]",
        "[[actors]]",
        "[expect.log]",
        "n.a = 1",
        "true",
        "1979-05-27",
    ];
    prop_oneof![prop::sample::select(tokens).prop_map(str::to_owned), "\\PC{0,3}"]
}

proptest! {
    #![proptest_config(super::trials(600))]

    #[test]
    fn arbitrary_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn arbitrary_scripts(script in "([a-z{}#>-]{1,6}|[ \n]|->|log|w|r|open|write|read| [0-9*/+-]{1,8}|\\PC){0,30}") {
        check(&with_script("python", &script.replace("'''", "")));
    }

    #[test]
    fn arbitrary_values(value in "\\PC{0,30}", spec in "(raw|python|stdio|@|:|,|buffer=|layers|all|[0-9a-z{}]|\\PC){0,6}") {
        let quoted = |text: &str| text.replace(['\'', '\n'], "");
        let (value, spec) = (quoted(&value), quoted(&spec));
        let head = format!("[params]\nn = ['{value}']\n[expect]\nlost = '{value}'\n");
        check(&(with_script("{s}", "w open log write\nw write log {n}\nw {n}") + &head.replace("[expect]", &format!("s = '{spec}'\n[expect]"))));
    }

    #[test]
    fn arbitrary_overrides(name in "(n|writer|m|\\PC)", value in "(\\[|\\]|,|\"|'|page|[0-9]|[+*/-]|python|@all|:|\\PC){0,8}") {
        let mut overrides = Overrides::default();
        if overrides.set(&format!("{name}={value}")).is_ok() {
            let cases = bind(&parse(SKETCH).expect("the sketch is sound"), &catalog(), &overrides);
            if let Err(problems) = cases {
                problems.render(false);
            }
        }
    }

    #[test]
    fn a_file_with_slips(
        file in full_files(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..8, inserts(), any::<bool>()), 1..5),
    ) {
        let mut text = file;
        for (index, len, insert, delete) in edits {
            let boundaries: Vec<usize> = (0..=text.len()).filter(|&at| text.is_char_boundary(at)).collect();
            let start = index.index(boundaries.len());
            let end = if delete { (start + len).min(boundaries.len() - 1) } else { start };
            text.replace_range(boundaries[start]..boundaries[end], if delete { "" } else { &insert });
        }
        check(&text);
    }
}

#[test]
fn the_file_with_something_of_everything_has_no_slip() {
    let text = format!("script = '''{FULL_SCRIPT}'''\n{FULL}");
    assert_eq!(cases_of(&text).len(), 18);
}

/// Growth that a naive reader would take for real.
#[test]
fn bombs_are_defused() {
    let chain: String = (1..60).map(|i| format!("p{i} = \"p{}+p{}\"\n", i - 1, i - 1)).collect();
    check(&format!("{}[params]\np0 = 1\n{chain}", with_script("raw", "w open log write\nw write log p59")));
    let chain: String = (1..25).map(|i| format!("p{i} = \"p{}+p{}\"\n", i - 1, i - 1)).collect();
    check(&format!("{}[params]\np0 = 1\n{chain}", with_script("raw", "w open log write\nw write log {p24}")));
    let wide: String = (0..40).map(|i| format!("p{i} = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n")).collect();
    check(&format!("{}[params]\n{wide}", with_script("raw", "w sleep")));
    check(&"[".repeat(100_000));
    check(&format!("x = {}", "[".repeat(100_000)));
    check(&format!(
        "{}[params]\nn = '{}'",
        with_script("raw", "w open log write\nw write log {n}"),
        "(".repeat(100_000)
    ));
}
