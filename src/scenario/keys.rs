//! The keys of a scenario: one table, from which unknown keys, wrong types,
//! suggestions and the documents are made.

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// Dotted; a part in capitals stands for a name of the author's choice.
    pub path: &'static str,
    /// The values that it takes.
    pub takes: &'static str,
    pub about: &'static str,
    /// How it looks in a file.
    pub example: &'static str,
}

const fn key(path: &'static str, takes: &'static str, about: &'static str, example: &'static str) -> KeyInfo {
    KeyInfo { path, takes, about, example }
}

/// All keys, in the order in which they are documented.
pub const KEYS: &[KeyInfo] = &[
    key("about", "a string", "what the scenario shows, in a sentence", r#"about = "The reader leaves""#),
    key("source", "a string", "where the story comes from", r#"source = "a blog post, 2018""#),
    key(
        "catalogue",
        "an array of strings",
        "the lines of `docs/semantics.md` that it shows, every clause of them",
        r#"catalogue = ["K04"]"#,
    ),
    key("params", "a table", "values to vary; the cases are the product of all", "[params]"),
    key(
        "params.NAME",
        "an integer, a string, or an array of them",
        "the values of one parameter, used as `{NAME}`",
        r#"n = [1, "blksize", "blksize+1"]"#,
    ),
    key("channels", "a table", "what the actors talk over", "[channels]"),
    key("channels.NAME", "a string or a table", "one channel and its kind", r#"log = "fifo""#),
    key("channels.NAME.kind", "a string", "the kind of channel", r#"log = { kind = "fifo" }"#),
    key(
        "channels.NAME.capacity",
        "an integer or a string with an expression",
        "what it holds at most, set with its first end (F_SETPIPE_SZ); the kernel rounds up to a power of two of pages",
        r#"log = { kind = "pipe", capacity = "8 KiB" }"#,
    ),
    key("actors", "a table", "the processes of the scenario", "[actors]"),
    key("actors.NAME", "a string or a table", "one actor and its driver", r#"writer = "python:text""#),
    key(
        "actors.NAME.command",
        "an array of strings, or one that is parted at spaces",
        "a program as an actor, and its arguments; paths of files beside the scenario are found from there",
        r#"cat = { command = ["cat", "-u"], stdin = "in", stdout = "out" }"#,
    ),
    key(
        "actors.NAME.stdin",
        "a string",
        "the channel that the program's standard input is",
        r#"stdin = "in""#,
    ),
    key("actors.NAME.stdout", "a string", "the channel of its standard output", r#"stdout = "out""#),
    key("actors.NAME.stderr", "a string", "the channel of its standard error", r#"stderr = "out""#),
    key(
        "actors.NAME.by",
        "a string",
        "the actor that starts the program with its runtime's own API; its streams are then `pipe`, or `stdout` for a standard error that goes the same way",
        r#"log = { command = ["cat"], by = "parent", stdin = "pipe", stdout = "pipe" }"#,
    ),
    key(
        "actors.NAME.fds",
        "a table",
        "other descriptors: number, channel and `read`, `write` or `both`",
        r#"fds = { 3 = "ctl read" }"#,
    ),
    key(
        "actors.NAME.nonblock",
        "an array of names (`stdin`, `stdout`, `stderr`) and numbers of descriptors",
        "those of the program's descriptors that have O_NONBLOCK set at its start",
        r#"nonblock = ["stdin", 3]"#,
    ),
    key("actors.NAME.env", "a table", "variables that it gets beside the usual", r#"env = { TZ = "UTC" }"#),
    key(
        "actors.NAME.files",
        "a table",
        "files that it finds in its folder, by name; paths are found from the scenario's folder",
        r#"files = { "log.py" = "programs/log.py" }"#,
    ),
    key(
        "actors.NAME.trace",
        "true or false",
        "its calls on the case's channels are seen, with their results",
        r#"cat = { command = ["cat"], stdin = "in", trace = true }"#,
    ),
    key("actors.NAME.driver", "a string", "the driver", r#"writer = { driver = "python:text" }"#),
    key("setting", "a table", "what surrounds the case", "[setting]"),
    key(
        "setting.sigpipe",
        "a string",
        "SIGPIPE at the actors' start: `runtime`, `default` or `ignore`",
        r#"sigpipe = "default""#,
    ),
    key(
        "setting.cpu_budget",
        "a string or an integer",
        "CPU time after which an actor that neither sleeps nor answers counts as spinning; an integer is milliseconds",
        r#"cpu_budget = "500 ms""#,
    ),
    key(
        "setting.user",
        "a string or an integer",
        "who all actors are, by name or number, without a capability; `fresh` is somebody whom nobody else is",
        r#"user = "nobody""#,
    ),
    key(
        "setting.limits",
        "a table",
        "resource limits of all actors (setrlimit(2)), soft and hard",
        "limits = { nofile = 64 }",
    ),
    key("setting.limits.as", LIMIT, "bytes of address space", r#"as = "1 GiB""#),
    key("setting.limits.data", LIMIT, "bytes of data and heap", r#"data = "64 MiB""#),
    key("setting.limits.fsize", LIMIT, "bytes of a file; no pipe or socket is one", r#"fsize = "page""#),
    key("setting.limits.memlock", LIMIT, "bytes of locked memory", "memlock = 0"),
    key("setting.limits.nofile", LIMIT, "open descriptors", "nofile = 64"),
    key("setting.limits.nproc", LIMIT, "processes of the same user", "nproc = 10"),
    key("setting.limits.sigpending", LIMIT, "signals that wait", "sigpending = 0"),
    key("setting.limits.stack", LIMIT, "bytes of the stack", r#"stack = "1 MiB""#),
    key(
        "setting.max_dgram_qlen",
        "an integer or a string with an expression",
        "datagrams that may wait in a UNIX socket's queue, in a network namespace of the case's own; `qlen` is then this",
        "max_dgram_qlen = 3",
    ),
    key("drivers", "a table", "driver programs of your own", "[drivers]"),
    key("drivers.NAME", "a table", "one driver program", r#"mine = { command = ["./driver"] }"#),
    key(
        "drivers.NAME.command",
        "an array of strings",
        "the program and its arguments; a relative path with a `/` starts at the scenario's folder, as a program and, if a file is there, as an argument; a program without one is looked for on `PATH`",
        r#"command = ["./driver", "--fast"]"#,
    ),
    key("script", "a string", "the steps, one a line", "script = '''\nwriter open log write\n'''"),
    key(
        "snapshot",
        "a string",
        "what snapshots hold of a case: its `steps` and its ledger, or the `ledger` alone",
        r#"snapshot = "ledger""#,
    ),
    key(
        "orders",
        "an integer",
        "of each case at most so many orders of what stands `together` are played: of more, a sample of so many",
        "orders = 200",
    ),
    key("expect", "a table", "what must hold at the end of every case", "[expect]"),
    key(
        "expect.error_at",
        "a string",
        "the verb at which the first error surfaces: `open`, `write`, `flush`, `read`, `close`, `exit` or `none`",
        r#"error_at = "close""#,
    ),
    key("expect.end", "a string", "how the case ends: `played` or `stuck`", r#"end = "stuck""#),
    key("expect.CHANNEL", "a table", "the bytes of one channel, where there are several", "[expect.log]"),
    key(
        "expect.stream",
        "a string",
        "what readers got is this text over and over, from its beginning: for what programs write",
        r#"stream = "Hello stderr\n""#,
    ),
    key("expect.offered", BYTES, "bytes that write steps offered", "offered = \"n\""),
    key("expect.accepted", BYTES, "bytes that the library calls said they accepted", "accepted = \"n\""),
    key("expect.kernel", BYTES, "bytes that the kernel accepted", "kernel = 0"),
    key("expect.queued", BYTES, "bytes still queued in the kernel", "queued = 0"),
    key("expect.delivered", BYTES, "bytes that readers got", "delivered = \"n\""),
    key("expect.lost", BYTES, "bytes that were accepted and are nowhere", "lost = 0"),
    key("expect.duplicated", BYTES, "bytes delivered more than once", "duplicated = 0"),
    key("expect.reordered", BYTES, "bytes delivered out of order", "reordered = 0"),
    key(
        "expect.some",
        "a table, or an array of them",
        "what one of the open orders (`together`) must show at least, with the keys of `expect`; of several tables, each by itself",
        r#"some = { torn = "> 0" }"#,
    ),
    key("expect.torn", BYTES, "writes that another writer's bytes cut apart", "torn = 0"),
];

const LIMIT: &str = "an integer, a string with an expression, or `unlimited`";
const BYTES: &str = "an integer or a string with an expression";

/// The key of this path, names of the author's choice as in the table.
pub(super) fn info(path: &str) -> &'static KeyInfo {
    KEYS.iter().find(|key| key.path == path).expect("the walk asks for paths of the table only")
}

/// The fixed names that may stand under `parent` (empty for the top).
pub(super) fn children(parent: &str) -> Vec<&'static str> {
    KEYS.iter()
        .filter_map(|key| match parent {
            "" => Some(key.path),
            _ => key.path.strip_prefix(parent)?.strip_prefix('.'),
        })
        .filter(|name| !name.contains('.') && name.chars().any(char::is_lowercase))
        .collect()
}

/// Another table where this key is at home, if it has one.
pub(super) fn home(name: &str) -> Option<&'static str> {
    KEYS.iter().find_map(|key| {
        let (parent, last) = key.path.rsplit_once('.')?;
        (last == name && !parent.contains('.')).then_some(parent)
    })
}
