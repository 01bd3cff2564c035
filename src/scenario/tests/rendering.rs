//! Mistakes as people see them.

use super::*;

#[test]
fn several_mistakes_are_shown_at_once_in_their_order() {
    let text = SKETCH
        .replace("reader = \"raw\"", "reader = \"rwa\"")
        .replace("reader  close log", "readér  close log")
        .replace("write log {n}", "write log {m}")
        .replace("unless failed", "unles failed")
        .replace("lost = 0", "lsot = 0");
    insta::assert_snapshot!(mistakes_of(&text), @r#"
    error: no driver is called `rwa`
      --> dir/test.toml:12:11
       |
    12 | reader = "rwa"
       |           ^^^ unknown driver
       |
       = help: did you mean `raw`?

    error: no actor is called `readér`
      --> dir/test.toml:18:1
       |
    18 | readér  close log
       | ^^^^^^ unknown actor
       |
       = help: did you mean `reader`?

    error: no parameter or symbol is called `m`
      --> dir/test.toml:19:20
       |
    19 | writer  write log {m}
       |                    ^ unbound
       |
       = help: there are `n`, `writer`, `page`, `pipe_buf`, `blksize`, `capacity` and `qlen`

    error: unexpected `unles`
      --> dir/test.toml:20:30
       |
    20 | writer  flush log            unles failed
       |                              ^^^^^^^^^^^^ nothing goes here
       |
       = help: did you mean `unless`?

    error: unknown key `lsot` in `expect`
      --> dir/test.toml:27:1
       |
    27 | lsot = 0                                       # or an expression over n and the symbols
       | ^^^^ unknown key
       |
       = help: did you mean `lost`?
    "#);
}

#[test]
fn a_mistake_in_some_case_names_it_and_shows_both_places() {
    let text = with_script("raw", "w open log write\nw write log {n}")
        + "[params]\nn = [4, \"2*m\"]\nm = [0, \"2-k\"]\nk = [1, 9]\n";
    insta::assert_snapshot!(mistakes_of(&text), @r#"
    error: a size of -14 bytes (with n = 2*m, m = 2-k, k = 9)
      --> dir/test.toml:10:13
       |
    10 | w write log {n}
       |             ^^^ negative
    ...
    13 | n = [4, "2*m"]
       |         ----- from here
       |
       = help: a size is between 0 and 256 MiB, as far as the position-coded streams reach
    "#);
}
