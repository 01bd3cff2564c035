//! What parameters make of a program's words, and of a stream that is expected.

use rstest::rstest;

use super::{cases_of, mistakes::assert_mistake, *};

/// A scenario whose program has this word, in line 4.
fn with(word: &str, params: &str) -> String {
    format!(
        "[channels]\nout = \"pipe\"\n[actors]\necho = {{ command = [\"echo\", \"{word}\"], stdout = \"out\" }}\n\
         r = \"raw\"\nscript = '''\necho start\nr open out read\n'''\n[params]\n{params}\n"
    )
}

#[rstest]
#[case::sizes("{n}", "n = [1, \"page+1\", \"8 KiB\", \"2*m\"]\nm = 7", &["1", "4097", "8192", "14"])]
#[case::an_expression("-c{n-1}", "n = 10", &["-c9"])]
#[case::texts("{word}", "word = [\"007\", \"2024-01-02\", \"-n\", \"a.txt\", \"two words\"]",
    &["007", "2024-01-02", "-n", "a.txt", "two words"])]
#[case::others_braces("${n} {3} {{n}} {n}", "n = 1", &["${n} {3} {n} 1"])]
fn a_word_has_the_parameters_text_or_number(
    #[case] word: &str,
    #[case] params: &str,
    #[case] words: &[&str],
) {
    let cases = cases_of(&with(word, params));
    let seen: Vec<&str> = cases
        .iter()
        .map(|case| match &*case.plan.actors[0].launch {
            Launch::Command(command) => command.args[1].as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seen, words);
}

#[rstest]
#[case(
    "{n/m}",
    "n = 1\nm = 0",
    "division by zero",
    "leave out the parameter value that makes it 0, or add 1"
)]
#[case("{n}", "n = \"m\"\nm = \"n\"", "the parameter `n` is made of itself", "give one of them a number")]
#[case(
    "{r.buffer}",
    "",
    "`r.buffer` in the words of a program",
    "write a number, or a parameter that is one"
)]
fn a_mistake_in_braces_is_told(
    #[case] word: &str,
    #[case] params: &str,
    #[case] message: &str,
    #[case] help: &str,
) {
    let (problem, _) = mistake_of(&with(word, params));
    assert_eq!((problem.message.as_str(), problem.help.as_deref()), (message, Some(help)));
}

#[test]
fn qlen_is_the_settings() {
    let text = with("{qlen}", "").replace("[params]", "[setting]\nmax_dgram_qlen = 3");
    let case = cases_of(&text).remove(0);
    let Launch::Command(command) = &*case.plan.actors[0].launch else { panic!("a program") };
    assert_eq!(command.args[1], "3");
}

#[test]
fn a_stream_has_known_names_alone() {
    let text = with("x", "n = 3") + "[expect]\nstream = \"{nn}\\n\"\n";
    assert_mistake(
        &text,
        "no parameter or symbol is called `nn`",
        (13, 12),
        "there are `n`, `page`, `pipe_buf`, `blksize`, `capacity` and `qlen`",
    );
    let case = cases_of(&text.replace("{nn}", "{n}")).remove(0);
    assert_eq!(case.expect.streams[0].1, "3\n");
}

#[test]
fn a_descriptor_leads_to_one_channel() {
    let text = with("x", "").replace("stdout = \"out\" }", "stdout = \"out\", fds = { 1 = \"out write\" } }");
    let (problem, at) = mistake_of(&text);
    assert_eq!(problem.message, "two channels as descriptor 1");
    assert_eq!(at.0, 4);
}

#[test]
fn an_integer_may_be_written_as_in_any_toml() {
    let text = "channels = { log = { kind = \"pipe\", capacity = 0x10000 } }\nactors = { w = \"raw\" }\n\
        setting = { limits = { nofile = 0x40 } }\nscript = \"w open log write\"\n";
    let case = cases_of(text).remove(0);
    assert_eq!(case.plan.channels[0].capacity, Some(65_536));
}
