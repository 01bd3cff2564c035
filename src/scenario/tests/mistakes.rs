//! Each mistake: its message, its place, its way out.

use rstest::rstest;

use super::*;

pub(super) fn assert_mistake(text: &str, message: &str, position: (usize, usize), help: &str) {
    let (problem, at) = mistake_of(text);
    assert_eq!(problem.message, message);
    assert_eq!(at, position, "{}", problem.message);
    assert_eq!(problem.help.as_deref(), Some(help));
}

/// In a script of an actor `w` on Python, with the file's line 10 as given.
#[rstest]
#[case("x write log 1", "no actor is called `x`", (10, 1), "the actors are `r` and `w`; declare others in [actors]")]
#[case("writer write log 1", "no actor is called `writer`", (10, 1), "the actors are `r` and `w`; declare others in [actors]")]
#[case("w", "a step without a verb", (10, 1), "the verbs are `open`, `close`, `write`, `flush`, `read`, `await`, `sleep`, `spin`, `exit`, `kill`, `start`, `run`, `fault`, `cut`, `hold`, `release`, `spawn`, `wait` and `communicate`")]
#[case("-> ok", "a step without an actor", (10, 1), "for example `writer flush log -> EPIPE`")]
#[case("w wrtie log 1", "no verb is called `wrtie`", (10, 3), "did you mean `write`?")]
#[case("w write lgo 1", "no channel is called `lgo`", (10, 9), "did you mean `log`?")]
#[case("w write journal 1", "no channel is called `journal`", (10, 9), "the channels are `log`; declare others in [channels]")]
#[case("w write", "`write` without a channel", (10, 3), "the form is `ACTOR write CHANNEL SIZE|again|rest [wide] [newline] [pieces SIZE]`")]
#[case("w write log", "`write` without a size", (10, 3), "the form is `ACTOR write CHANNEL SIZE|again|rest [wide] [newline] [pieces SIZE]`")]
#[case("w write log 1 newlin", "unexpected `newlin` in an expression", (10, 15), "did you mean `newline`?")]
#[case("w write log 1 newline pices 2", "unexpected `pices`", (10, 23), "did you mean `pieces`?")]
#[case("w write log 1 newline newline", "unexpected `newline`", (10, 23), "the form is `ACTOR write CHANNEL SIZE|again|rest [wide] [newline] [pieces SIZE]`")]
#[case("w write log 1 pieces 0", "pieces of 0 bytes", (10, 22), "a piece has at least 1 byte")]
#[case("w write log 1 pieces page-page", "pieces of 0 bytes", (10, 22), "a piece has at least 1 byte")]
#[case("w write log blksiez", "no parameter or symbol is called `blksiez`", (10, 13), "did you mean `blksize`?")]
#[case("w write log {blksiez+1}", "no parameter or symbol is called `blksiez`", (10, 14), "did you mean `blksize`?")]
#[case("w write log 1-2", "a size of -1 bytes", (10, 13), "a size is between 0 and 256 MiB, as far as the position-coded streams reach")]
#[case("w write log 1000000000000000000", "a size of 1000000000000000000 bytes", (10, 13), "a size is between 0 and 256 MiB, as far as the position-coded streams reach")]
#[case("w write log capacity*page*2", "a size of 536870912 bytes", (10, 13), "a size is between 0 and 256 MiB, as far as the position-coded streams reach")]
#[case("w write log 4/(page-page)", "division by zero", (10, 15), "leave out the parameter value that makes it 0, or add 1")]
#[case("w write log 2*", "an unfinished expression", (10, 14), "for example `2*blksize+1`")]
#[case("w write log {1", "`{` without its `}`", (10, 13), "a parameter stands as `{name}`")]
#[case("w write log 1}", "`}` without its `{`", (10, 14), "a parameter stands as `{name}`")]
#[case("w {verb} log", "no parameter or symbol is called `verb`", (10, 4), "there are `page`, `pipe_buf`, `blksize`, `capacity` and `qlen`")]
#[case("w write log 200 MiB\nw write log 57 MiB", "`w` writes 269484032 bytes to `log` in all", (11, 1), "one actor writes up to 256 MiB to a channel, repeats counted")]
#[case("w write log 1 MiB repeat 300 until ok", "`w` writes 314572800 bytes to `log` in all", (10, 1), "one actor writes up to 256 MiB to a channel, repeats counted")]
#[case("w open log raed", "unexpected `raed`", (10, 12), "did you mean `read`?")]
#[case("w open log", "`open` without `read`, `write` or `both`", (10, 3), "the form is `ACTOR open CHANNEL read|write|both [nonblock]`")]
#[case("w open log read nonblok", "unexpected `nonblok`", (10, 17), "did you mean `nonblock`?")]
#[case("w read log to-eoff", "unexpected `to-eoff`", (10, 12), "did you mean `to-eof`?")]
#[case("w close log now", "unexpected `now`", (10, 13), "the form is `ACTOR close CHANNEL`")]
#[case("w exit 256", "`256` can't be an exit status", (10, 8), "an exit status is between 0 and 255")]
#[case("w kill SIGTREM", "no signal is called `SIGTREM`", (10, 8), "did you mean `SIGTERM`?")]
#[case("w kill term", "no signal is called `term`", (10, 8), "did you mean `SIGTERM`?")]
#[case("w await log read", "`python` can't `await`", (10, 3), "a driver that can: `raw`")]
#[case("w flush log if faild", "unexpected `if faild`", (10, 13), "the form is `if failed`")]
#[case("w flush log unles failed", "unexpected `unles`", (10, 13), "did you mean `unless`?")]
#[case("w flush log repeat 1001 until ok", "`repeat 1001`", (10, 20), "between 0 and 1000, as a plain number")]
#[case("w flush log repeat page until ok", "`repeat page`", (10, 20), "between 0 and 1000, as a plain number")]
#[case("w flush log repeat 3", "unexpected `repeat 3`", (10, 13), "the form is `repeat N until ok`")]
#[case("w flush log if failed if failed", "a second `if`", (10, 23), "a step has at most one condition and one repeat")]
#[case("w flush log if failed EPIPE", "unexpected `EPIPE`", (10, 23), "what a step should give stands after `->`")]
#[case("w write log again", "`w` hasn't written anything to `log`", (10, 1), "write a message above: `w write log 100`")]
#[case("w write log 1 wide newline", "`wide` and `newline` together", (10, 3), "a line feed is a character of one byte: leave out one of them")]
#[case("w write log 200 MiB wide", "200 MiB characters of two bytes", (10, 3), "a size is between 0 and 256 MiB, as far as the position-coded streams reach")]
#[case("w write log 1; flsh log", "no verb is called `flsh`", (10, 16), "did you mean `flush`?")]
#[case("w write log 1; flush lgo", "no channel is called `lgo`", (10, 22), "did you mean `log`?")]
#[case("w write log 1; flush", "`flush` without a channel", (10, 16), "the form is `ACTOR flush CHANNEL`")]
#[case("w write log 1;", "nothing beside a `;`", (10, 14), "for example `writer write log 1; flush log`")]
#[case("w write log 1;; flush log", "nothing beside a `;`", (10, 14), "for example `writer write log 1; flush log`")]
#[case("w write log 1 if failed; flush log", "`if` in the middle of a sequence", (10, 15), "put it behind the last step; only `when` may stand behind any")]
#[case("w write log 1; flush log -> EPIPE", "an expectation of a sequence", (10, 26), "leave it to [expect] and the snapshot, or give its steps lines of their own")]
#[case("w flush log when 1", "`when 1` compares nothing", (10, 13), "the form is `when EXPRESSION < EXPRESSION`, with `<`, `<=`, `>`, `>=`, `==` or `!=`")]
#[case("w flush log when > 1", "`when > 1` compares nothing", (10, 13), "the form is `when EXPRESSION < EXPRESSION`, with `<`, `<=`, `>`, `>=`, `==` or `!=`")]
#[case("w flush log when 1 > blksiez", "no parameter or symbol is called `blksiez`", (10, 22), "did you mean `blksize`?")]
#[case("w write log 1 MiB\nw write log again repeat 300 until ok", "`w` writes 315621376 bytes to `log` in all", (11, 1), "one actor writes up to 256 MiB to a channel, repeats counted")]
#[case("w write log sise\nw write log again", "no parameter or symbol is called `sise`", (10, 13), "there are `page`, `pipe_buf`, `blksize`, `capacity` and `qlen`")]
#[case("w flush log ->", "an expectation without an outcome", (10, 13), "for example `-> EPIPE`")]
#[case("w flush log -> ok or", "an expectation without an outcome", (10, 19), "for example `-> EPIPE`")]
#[case("w flush log -> EPIEP", "no errno is called `EPIEP`", (10, 16), "did you mean `EPIPE`?")]
#[case("w flush log -> EWHATEVER", "no errno is called `EWHATEVER`", (10, 16), "the names are those of errno(3)")]
#[case("w flush log -> bloked", "no outcome is called `bloked`", (10, 16), "did you mean `blocked`?")]
#[case("w flush log -> killed SIGPIEP", "no signal is called `SIGPIEP`", (10, 23), "did you mean `SIGPIPE`?")]
#[case("w flush log -> exited no", "`no` can't be an exit status", (10, 23), "for example `-> exited 0`")]
#[case("w flush log -> eof 5", "unexpected `5`", (10, 20), "alternatives are joined with `or`; conditions stand before `->`")]
#[case("w flush log -> ok 5x", "unexpected `x` in an expression", (10, 20), "a number may be followed by `KiB`, `MiB` and `GiB`")]
#[case("w write log 1 -> ok 1 from w", "a step that hands out no bytes has them from nobody", (10, 23), "only a read or a receive that doesn't peek is given a writer's bytes")]
#[case("r open log read nonblock\nr read log 5 -> ok 5 from", "whose bytes?", (11, 22), "for example `-> ok 20 from v, w`, or `-> ok 20 from v 12, w 8`")]
#[case("w write log 5\nr open log read nonblock\nr read log 5 -> ok 5 from w,", "whose bytes?", (12, 28), "for example `-> ok 20 from v, w`, or `-> ok 20 from v 12, w 8`")]
#[case("r open log read nonblock\nr read log 5 -> ok 5 from x", "no actor is called `x`", (11, 27), "the actors are `r` and `w`; declare others in [actors]")]
#[case("r open log read nonblock\nr read log 5 -> ok 5 from w 5x", "unexpected `x` in an expression", (11, 30), "a number may be followed by `KiB`, `MiB` and `GiB`")]
#[case("r open log read nonblock\nr read log 5 -> ok 5 from w", "`w` writes nothing, so nobody has bytes from it", (11, 1), "let it write above: `w write CHANNEL 100`")]
#[case("r read log 5", "`r` can't read `log`: it never opened it", (10, 8), "write `r open log read` above")]
#[case("r close log", "`r` can't close `log`: it never opened it", (10, 9), "write `r open log read|write|both` above")]
#[case("w exit\nw flush log", "`w` has ended before this step", (11, 3), "move the step up, or leave it out")]
#[case("w kill\nw flush log", "`w` has ended before this step", (11, 3), "move the step up, or leave it out")]
#[case("w write log python.bufer", "`python` tells no size `bufer`", (10, 13), "did you mean `buffer`?")]
#[case("w write log r.buffer", "`raw` tells no size `buffer`", (10, 13), "`raw` has no buffer of its own")]
#[case("w write log rust.buffer", "no actor of this case runs `rust`", (10, 13), "name an actor instead: `r.buffer` and `w.buffer`")]
#[case("w write log pyhton.buffer", "no actor and no driver is called `pyhton`", (10, 13), "did you mean `python.buffer`?")]
#[case("w write log 1 # ü\nw wrtie log 1", "no verb is called `wrtie`", (11, 3), "did you mean `write`?")]
fn in_a_script(
    #[case] line: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    assert_mistake(&with_script("python", &format!("w open log write\n{line}")), message, position, help);
}

/// What may look like one of the above and isn't.
#[rstest]
#[case("w exit if failed\nw flush log -> gone")]
#[case("w kill SIGTERM\nw flush log")]
#[case("r open log read if failed\nr read log 1")]
#[case("w close log\nw write log 1 -> failed")]
#[case("w write log 0")]
#[case("w write log 256 MiB")]
fn no_mistake(#[case] line: &str) {
    cases_of(&with_script("python", &format!("w open log write\n{line}")));
}

/// At the end of a file of 10 lines, from line 11 on.
#[rstest]
#[case("[parms]\nn = 1", "unknown key `parms`", (11, 2), "did you mean `params`?")]
#[case("[setting]\nsigpip = \"default\"", "unknown key `sigpip` in `setting`", (12, 1), "did you mean `sigpipe`?")]
#[case("[expect]\nsigpipe = \"default\"", "unknown key `sigpipe` in `expect`", (12, 1), "`sigpipe` belongs in [setting]")]
#[case("[expect]\nlsot = 1", "unknown key `lsot` in `expect`", (12, 1), "did you mean `lost`?")]
#[case("[expect.log]\nend = \"played\"", "`end` isn't said of one channel", (12, 1), "it belongs in [expect]")]
#[case("[expect.lgo]\nlost = 0", "no channel is called `lgo`", (11, 9), "did you mean `log`?")]
#[case("[expect]\nlost = 1.5", "`expect.lost` takes an integer or a string with an expression, not a float", (12, 8), "for example `lost = 0`")]
#[case("[expect]\nlost = -1", "`lost` can't be -1 bytes", (12, 8), "a count of bytes is 0 or more")]
#[case("[expect]\nlost = \"page-\"", "an unfinished expression", (12, 13), "for example `2*blksize+1`")]
#[case("[expect]\nerror_at = \"wirte\"", "`expect.error_at` can't be `wirte`", (12, 12), "did you mean `write`?")]
#[case("[expect]\nend = \"stcuk\"", "`expect.end` can't be `stcuk`", (12, 7), "did you mean `stuck`?")]
#[case("[expect]\nend = 5", "`expect.end` takes a string, not an integer", (12, 7), "for example `end = \"stuck\"`")]
#[case("[setting]\nsigpipe = \"ignor\"", "`sigpipe` can't be `ignor`", (12, 12), "did you mean `ignore`?")]
#[case("[setting]\nsigpipe = \"{how}\"", "no parameter is called `how`", (12, 13), "declare it in [params]: `how = …`")]
#[case("[setting]\ncpu_budget = \"5 minutes\"", "`cpu_budget` can't be `5 minutes`", (12, 15), "write it as `500 ms` or `2 s`; at least 1 ms, at most 600 s")]
#[case("[setting]\ncpu_budget = -5", "`cpu_budget` can't be `-5 ms`", (12, 14), "write it as `500 ms` or `2 s`; at least 1 ms, at most 600 s")]
#[case("[setting]\nuser = \"no body\"", "`user` can't be `no body`", (12, 9), "for example `nobody`, 65534, or `fresh` for somebody whom nobody else is")]
#[case("[setting]\nuser = 4294967295", "`user` can't be `4294967295`", (12, 8), "for example `nobody`, 65534, or `fresh` for somebody whom nobody else is")]
#[case("[setting]\nuser = [1]", "`setting.user` takes a string or an integer, not an array", (12, 8), "for example `user = \"nobody\"`")]
#[case("[setting]\nmax_dgram_qlen = -1", "`max_dgram_qlen` can't be `-1`", (12, 18), "between 0 and 2147483647 (unix(7))")]
#[case("[setting]\nmax_dgram_qlen = \"pgae\"", "no parameter or symbol is called `pgae`", (12, 19), "did you mean `page`?")]
#[case("[setting]\nlimits = 5", "`setting.limits` takes a table, not an integer", (12, 10), "for example `limits = { nofile = 64 }`")]
#[case("[setting]\nlimits = { nofiles = 5 }", "unknown key `nofiles` in `setting.limits`", (12, 12), "did you mean `nofile`?")]
#[case("[setting]\nlimits = { nofile = 3 }", "`nofile` can't be `3`", (12, 21), "descriptors 0 to 3 are the actor's own, so 4 is the least")]
#[case("[setting]\nlimits = { nofile = \"unlimited\" }", "`nofile` can't be `unlimited`", (12, 22), "a number, up to /proc/sys/fs/nr_open (setrlimit(2))")]
#[case("[setting]\nlimits = { fsize = \"1-2\" }", "`fsize` can't be `1-2`", (12, 21), "a limit is 0 or more, or `unlimited` (setrlimit(2))")]
#[case("[params]\nn = 1", "the parameter `n` is never used", (12, 1), "use it as `{n}`, or leave it out")]
#[case("[params]\nw = 1", "the parameter `w` is never used", (12, 1), "use it as `{w}`, or leave it out")]
#[case("[drivers]\nmine = { comand = [] }", "`mine` has no `command`", (12, 1), "for example `command = [\"./driver\", \"--fast\"]`")]
#[case("[drivers]\nmine = { command = [] }", "the driver `mine` has no program", (12, 20), "for example `command = [\"./driver\", \"--fast\"]`")]
#[case("[drivers]\nmine = { command = \"x\" }", "`drivers.NAME.command` takes an array of strings, not a string", (12, 20), "for example `command = [\"./driver\", \"--fast\"]`")]
#[case("[drivers]\nraw = { command = [\"x\"] }", "`raw` is a driver already", (12, 1), "give yours another name")]
#[case("script = 'w sleep'", "`script` is set twice", (11, 1), "leave one of them out")]
#[case("[actors]\nx = \"raw\"", "`actors` is set twice", (11, 2), "leave one of them out")]
#[case("x = ", "not TOML: string values must be quoted, expected literal string", (11, 5), "the format is described at https://toml.io; the other mistakes show once this is mended")]
fn in_other_tables(
    #[case] tail: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    let text = with_script("raw", "w sleep") + tail + "\n";
    let problems = mistakes_of(&text);
    if message.contains("has no `command`") {
        assert_eq!(problems.list.len(), 2, "the slip in the key, too:\n{problems}");
    } else {
        assert_eq!(problems.list.len(), 1, "{problems}");
    }
    let problem = problems.list.iter().find(|problem| problem.message == message);
    let problem = problem.unwrap_or_else(|| panic!("not this mistake:\n{problems}"));
    assert_eq!((problems.position(problem), problem.help.as_deref()), (position, Some(help)), "{problems}");
}

#[rstest]
#[case("pyhton", "no driver is called `pyhton`", (6, 6), "did you mean `python`?")]
#[case("python:txt", "`python` has no mode `txt`", (6, 13), "did you mean `text`?")]
#[case("python:", "`python:` isn't a driver: no mode after `:`", (6, 12), "the form is `driver[@version][:mode[,buffer=SIZE][,layers]]`, such as `python:text,buffer=8192`")]
#[case("python:text,size=5", "`python:text,size=5` isn't a driver: no option `size`: a mode takes `buffer=SIZE` and `layers`", (6, 18), "the form is `driver[@version][:mode[,buffer=SIZE][,layers]]`, such as `python:text,buffer=8192`")]
#[case("python@:text", "`python@:text` isn't a driver: no version after `@`", (6, 12), "the form is `driver[@version][:mode[,buffer=SIZE][,layers]]`, such as `python:text,buffer=8192`")]
#[case("raw@3", "`raw` comes in no versions", (6, 9), "write `raw` alone")]
#[case("raw:syscalls,buffer=5", "`raw:syscalls` takes no `buffer`", (6, 19), "leave it out: no mode of `raw` has a buffer")]
#[case("raw:syscalls,layers", "`raw:syscalls` has no layers to show", (6, 19), "leave it out: no mode of `raw` holds bytes back")]
#[case("rust:linewriter,buffer=5,layers", "`rust:linewriter` has no layers to show", (6, 31), "a mode that shows them: `bufwriter`")]
#[case("rust:linewriter,buffer=layers,layers", "`rust:linewriter` has no layers to show", (6, 36), "a mode that shows them: `bufwriter`")]
#[case("python:raw,layers", "`python:raw` has no layers to show", (6, 17), "a mode that shows them: `text`")]
#[case("python:text,layers=1", "`python:text,layers=1` isn't a driver: `layers` takes no value", (6, 18), "the form is `driver[@version][:mode[,buffer=SIZE][,layers]]`, such as `python:text,buffer=8192`")]
#[case("python:line,buffer=5", "`python:line` takes no `buffer`", (6, 18), "a mode that takes it: `text`")]
#[case("python:text,buffer=0", "a buffer of 0 bytes", (6, 25), "a buffer has between 1 byte and 256 MiB")]
#[case("python:text,buffer=page-5000", "a buffer of -904 bytes", (6, 25), "a buffer has between 1 byte and 256 MiB")]
#[case("python:text,buffer=pgae", "no parameter or symbol is called `pgae`", (6, 25), "did you mean `page`?")]
#[case("{x}", "no parameter is called `x`", (6, 7), "declare it in [params]: `x = …`")]
#[case("{", "`{` without its `}`", (6, 6), "a parameter stands as `{name}`")]
fn in_a_driver(
    #[case] spec: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    assert_mistake(&with_script(spec, "w sleep"), message, position, help);
}

/// In `[params]`, with `n` used as a size; from line 14 on.
#[rstest]
#[case("n = []", "`n` has no value", (14, 5), "give it a value, or leave the parameter out")]
#[case("n = [1, 2, 1]", "`n` has the value `1` twice", (14, 12), "leave one out: both would be the same case")]
#[case("n = [true]", "`params.NAME` takes an integer, a string, or an array of them, not a boolean", (14, 6), "for example `n = [1, \"blksize\", \"blksize+1\"]`")]
#[case("n = 1.5", "`params.NAME` takes an integer, a string, or an array of them, not a float", (14, 5), "for example `n = [1, \"blksize\", \"blksize+1\"]`")]
#[case("n = \"page+\"", "an unfinished expression", (14, 10), "for example `2*blksize+1`")]
#[case("n = \"page+pgae\"", "no parameter or symbol is called `pgae`", (14, 11), "did you mean `page`?")]
#[case("n = \"é\\u0065+1\"", "no parameter or symbol is called `ée`", (14, 6), "there are `n`, `page`, `pipe_buf`, `blksize`, `capacity` and `qlen`")]
#[case("n = \"n+1\"", "the parameter `n` is made of itself", (14, 5), "give one of them a number")]
#[case("n = \"m\"\nm = \"page+n\"", "the parameter `n` is made of itself", (14, 5), "give one of them a number")]
#[case("n = 1\nblksize = 1", "`blksize` is a symbol already", (15, 1), "give the parameter another name")]
#[case("n = 1\nn = 2", "two parameters are called `n`", (15, 1), "give one of them another name")]
#[case("n = 1\n\"a b\" = 2", "`a b` can't be the name of a parameter", (15, 1), "a name starts with a letter and has up to 100 letters, digits and `_`")]
#[case("n = 99999999999999999999999999999999999999999", "a number beyond 128 bits", (14, 5), "sizes go up to 256 MiB")]
fn in_a_parameter(
    #[case] params: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    let text = with_script("raw", "w open log write\nw write log {n}") + "\n[params]\n" + params + "\n";
    let problems = mistakes_of(&text);
    let problem = problems.list.iter().find(|problem| problem.message == message);
    let problem = problem.unwrap_or_else(|| panic!("not this mistake:\n{problems}"));
    assert_eq!((problems.position(problem), problem.help.as_deref()), (position, Some(help)), "{problems}");
}

#[rstest]
#[case("log = \"fifo\"", "log = \"fifoo\"", "no kind of channel is called `fifoo`", (2, 7), "did you mean `fifo`?")]
#[case("log = \"fifo\"", "log = { knid = \"fifo\" }", "`log` has no `kind`", (2, 1), "for example `log = { kind = \"fifo\" }`")]
#[case("w = \"raw\"", "w = { driver = \"raw\", script = \"w sleep\" }", "unknown key `script` in `actors.NAME`", (6, 23), "there are `command`, `stdin`, `stdout`, `stderr`, `by`, `fds`, `nonblock`, `env`, `files`, `trace` and `driver`")]
#[case("log = \"fifo\"", "log = 5", "`channels.NAME` takes a string or a table, not an integer", (2, 7), "for example `log = \"fifo\"`")]
#[case("log = \"fifo\"", "log = \"fifo\"\n\"a/b\" = \"fifo\"", "`a/b` can't be the name of a channel", (3, 1), "a name starts with a letter and has up to 100 letters, digits, `_` and `-`")]
#[case("r = \"raw\"", "r = \"raw\"\nr = \"stdio\"", "two actors are called `r`", (6, 1), "give one of them another name")]
#[case("w sleep", "# nothing", "a script without a step", (8, 10), "write a step a line: `writer open log write`")]
#[case("script", "scritp", "no `script`", (1, 1), "add `script = '''`, a step a line, and `'''`")]
fn in_the_rest(
    #[case] from: &str,
    #[case] to: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    let problems = mistakes_of(&with_script("raw", "w sleep").replace(from, to));
    let problem = problems.list.iter().find(|problem| problem.message == message);
    let problem = problem.unwrap_or_else(|| panic!("not this mistake:\n{problems}"));
    assert_eq!((problems.position(problem), problem.help.as_deref()), (position, Some(help)), "{problems}");
}

#[test]
fn counts_of_several_channels_must_say_which() {
    let text = with_script("raw", "w sleep").replace("log = \"fifo\"", "log = \"fifo\"\nback = \"fifo\"");
    let (problem, at) = mistake_of(&(text + "[expect]\nlost = 0\n"));
    assert_eq!((problem.message.as_str(), at), ("`lost` of which channel?", (13, 1)));
    assert_eq!(problem.help.as_deref(), Some("write it under [expect.log]"));
}

#[test]
fn a_mistake_through_a_parameter_is_shown_in_its_value_and_where_it_is_put_in() {
    let text = with_script("{d}", "w {ending}")
        + "[params]\nd = [\"raw\", \"python:txt\"]\nending = [\"sleep\", \"clsoe log\"]\n";
    let problems = mistakes_of(&text);
    let seen: Vec<_> =
        problems.list.iter().map(|p| (p.message.as_str(), problems.position(p), p.when.as_deref())).collect();
    assert_eq!(
        seen,
        [("`python` has no mode `txt`", (12, 21), None), ("no verb is called `clsoe`", (13, 21), None),]
    );
    let via = |index: usize| &text[problems.list[index].labels[1].span.clone()];
    assert_eq!((via(0), via(1)), ("{d}", "{ending}"));
}

#[test]
fn a_mistake_whose_words_differ_names_a_binding_even_if_no_case_is_without() {
    let (problem, _) =
        mistake_of(&(with_script("raw", "w open log write\nw write log {n}-5") + "[params]\nn = [1, 2]\n"));
    assert_eq!((problem.message.as_str(), problem.when.as_deref()), ("a size of -4 bytes", Some("n = 1")));
    let (problem, _) =
        mistake_of(&(with_script("raw", "w open log write\nw wrtie log {n}") + "[params]\nn = [1, 2]\n"));
    assert_eq!(problem.when, None);
}

#[test]
fn a_line_with_an_unbound_name_shows_its_other_mistakes_too() {
    let text = with_script("raw", "w opne log write\nw wrtie log {nn}");
    let problems = parse(&text).unwrap_err();
    let messages: Vec<&str> = problems.list.iter().map(|problem| problem.message.as_str()).collect();
    let expected =
        ["no verb is called `opne`", "no verb is called `wrtie`", "no parameter or symbol is called `nn`"];
    assert_eq!(messages, expected);
}

/// What follows from a mistake isn't reported beside it.
#[rstest]
#[case("{d}", "w sleep", "d = [true]", "`params.NAME` takes")]
#[case("python:txt", "w open log write\nw write log w.buffer", "", "`python` has no mode")]
#[case("{x}", "w open log write\nw write log w.buffer", "", "no parameter is called `x`")]
#[case("python:txt", "w open log write\nw write log python.buffer", "", "`python` has no mode")]
#[case("raw", "w open log write\nw write log {n+}", "n = 1", "an unfinished expression")]
#[case("python:text,buffer={n+}", "w sleep", "n = 1", "an unfinished expression")]
#[case("raw", "w opne log write\nw write log {n}", "n = 1", "no verb is called `opne`")]
#[case("raw", "w wrtie log {n}", "n = 1", "no verb is called `wrtie`")]
#[case("raw", "w open log write\nw write log {nn}", "n = 1", "no parameter or symbol is called `nn`")]
fn one_slip_is_one_mistake(
    #[case] spec: &str,
    #[case] script: &str,
    #[case] params: &str,
    #[case] message: &str,
) {
    let (problem, _) = mistake_of(&format!("{}[params]\n{params}\n", with_script(spec, script)));
    assert!(problem.message.starts_with(message), "{}", problem.message);
}

#[test]
fn a_verb_that_a_driver_lacks_points_at_the_declaration() {
    let text =
        with_script("{d}", "w open log read\nw await log read") + "[params]\nd = [\"raw\", \"stdio:line\"]\n";
    let (problem, at) = mistake_of(&text);
    assert_eq!((problem.message.as_str(), at), ("`stdio:line` can't `await`", (10, 3)));
    assert_eq!(problem.when.as_deref(), Some("d = stdio:line"));
    assert_eq!(&text[problem.labels[1].span.clone()], "\"{d}\"");
}

#[test]
fn a_mode_that_cannot_read_without_blocking_is_named() {
    let text = with_script("python:text", "w open log read\nw read log available");
    let (problem, _) = mistake_of(&text);
    assert_eq!(problem.message, "`python:text` can't `read available`");
    assert_eq!(&text[problem.labels[0].span.clone()], "log available");
}

#[test]
fn a_runtimes_size_that_differs_between_actors_wants_the_actors_name() {
    let text = with_script("python@3.8", "w open log write\nw write log python.buffer")
        .replace("r = \"raw\"", "r = \"python@3.13\"");
    let (problem, _) = mistake_of(&text);
    assert_eq!(problem.message, "`python.buffer` has several values in this case");
    assert_eq!(problem.help.as_deref(), Some("name the actor: `r.buffer` and `w.buffer`"));
}

#[test]
fn a_size_that_is_absurd_in_one_case_is_said_once() {
    let text = with_script("raw", "w open log write\nw write log {n}-1000")
        + "[params]\nn = [1, 2, 5000]\nk = [1, 2]\n";
    let text = text.replace("w open", "r sleep\nr kill if failed repeat {k} until ok\nw open");
    let (problem, at) = mistake_of(&text);
    assert_eq!((problem.message.as_str(), at), ("a size of -999 bytes", (12, 13)));
    assert_eq!(problem.when.as_deref(), Some("n = 1"));
}

#[test]
fn more_writers_than_there_are_keys() {
    let actors: String = (0..257).map(|i| format!("a{i} = \"raw\"\n")).collect();
    let script: String = (0..257).map(|i| format!("a{i} open log write\na{i} write log 1\n")).collect();
    let text = format!("script = '''\n{script}'''\n[channels]\nlog = \"fifo\"\n[actors]\n{actors}");
    let (problem, (line, _)) = mistake_of(&text);
    assert_eq!((problem.message.as_str(), line), ("too many writers on `log`", 515));
}

#[test]
fn an_absurd_number_of_cases_is_refused() {
    let params: String = (0..6).map(|i| format!("p{i} = [1, 2, 3, 4, 5, 6, 7]\n")).collect();
    let (problem, at) = mistake_of(&format!("{}[params]\n{params}", with_script("raw", "w sleep")));
    assert_eq!((problem.message.as_str(), at), ("more than 100000 cases", (12, 1)));
}

#[test]
fn a_slip_in_one_part_hides_none_in_another() {
    let text =
        with_script("python:txt", "x open log write\nw write lgo 1 -> EPIEP\nr await log raed\nr pause")
            + "[params]\nn = [1.5]\n[expect]\nlsot = 0\n";
    let messages: Vec<String> = mistakes_of(&text).list.into_iter().map(|problem| problem.message).collect();
    assert_eq!(
        messages,
        [
            "`python` has no mode `txt`",
            "no actor is called `x`",
            "no channel is called `lgo`",
            "no errno is called `EPIEP`",
            "unexpected `raed`",
            "no verb is called `pause`",
            "the parameter `n` is never used",
            "`params.NAME` takes an integer, a string, or an array of them, not a float",
            "unknown key `lsot` in `expect`",
        ]
    );
}

#[test]
fn all_slips_in_tomls_own_syntax_are_reported() {
    let problems = mistakes_of("about = \n[params\nsource = nope\n");
    assert_eq!(problems.list.len(), 2, "{problems}");
    assert!(problems.list.iter().all(|problem| problem.rule == "toml"));
}

/// A pipe's capacity is a size of its own.
#[rstest]
#[case("\"0\"", "a capacity of 0 bytes", (2, 36))]
#[case("\"2*pages\"", "no parameter or symbol is called `pages`", (2, 38))]
#[case("[1]", "`channels.NAME.capacity` takes an integer or a string with an expression, not an array", (2, 35))]
fn a_capacity_that_cant_be(#[case] capacity: &str, #[case] message: &str, #[case] position: (usize, usize)) {
    let head = "[channels]\n";
    let rest = "[actors]\nw = \"raw\"\n";
    let text = format!(
        "{head}log = {{ kind = \"pipe\", capacity = {capacity} }}\n{rest}script = 'w open log write'\n"
    );
    let (problem, at) = mistake_of(&text);
    assert_eq!((problem.message.as_str(), at), (message, position));
}
