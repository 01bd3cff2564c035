//! The drivers: one table, from which `pipelab drivers`, the checks of a
//! scenario and the documents are made.

use crate::outcome::Verb;

/// The option, and the word of a mode, that has a driver tell after each step what the
/// layers of its runtime hold back. Off unless asked for: it costs calls.
pub const LAYERS: &str = "layers";

/// The word of a mode that says that steps will have the actor start programs: its runtime
/// may make itself ready for that, and nobody else's children come to it.
pub const SPAWNS: &str = "spawns";

/// The mode of a `raw` actor whose process a step of another one makes.
pub const FORK: &str = "fork";

/// The mode of a `raw` actor that is a thread of another one's process.
pub const THREAD: &str = "thread";

/// One mode of a driver: a way of its runtime to do I/O.
#[derive(Clone, Copy, Debug)]
pub struct ModeInfo {
    pub name: &'static str,
    pub about: &'static str,
    /// Takes `buffer=SIZE`.
    pub takes_buffer: bool,
    /// Can `read CHANNEL available`: its runtime has a way to read without blocking.
    pub reads_available: bool,
    /// The layers between a program's call and write(2) whose bytes it can tell, the
    /// outermost first. Empty: it takes no `layers`.
    pub layers: &'static [&'static str],
}

/// Which system calls as steps a driver carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// All of them, on handles.
    All,
    /// Those that a program makes beside its runtime, on the descriptors of open channels.
    Beside,
    None,
}

/// One line of the driver table.
#[derive(Clone, Copy, Debug)]
pub struct DriverInfo {
    pub name: &'static str,
    pub about: &'static str,
    /// The first is what a bare driver name means.
    pub modes: &'static [ModeInfo],
    /// Verbs that it has, apart from the stage's own.
    pub verbs: &'static [Verb],
    pub calls: Calls,
    /// Sizes that its runtime tells (`python.buffer`).
    pub symbols: &'static [&'static str],
    /// It comes in versions which are looked for on the machine.
    pub versioned: bool,
    /// Its runtime ignores SIGPIPE at start.
    pub ignores_sigpipe: bool,
}

const PLAIN: ModeInfo =
    ModeInfo { name: "", about: "", takes_buffer: false, reads_available: true, layers: &[] };

/// What the standard library of a language has: its files, and the programs that it starts.
const OF_A_LIBRARY: &[Verb] = &[
    Verb::Open,
    Verb::Close,
    Verb::Write,
    Verb::Flush,
    Verb::Read,
    Verb::Sleep,
    Verb::Spin,
    Verb::Exit,
    Verb::Spawn,
    Verb::Wait,
    Verb::Communicate,
];

/// All drivers.
pub const DRIVERS: &[DriverInfo] = &[
    DriverInfo {
        name: "raw",
        about: "the system calls themselves: open(2), read(2), write(2), close(2)",
        modes: &[
            ModeInfo { name: "syscalls", about: "no buffer at all", ..PLAIN },
            ModeInfo { name: FORK, about: "a copy of another actor, made by its step `fork`", ..PLAIN },
            ModeInfo {
                name: THREAD,
                about: "a thread of another actor's process, made by its step `thread`",
                ..PLAIN
            },
        ],
        verbs: &[
            Verb::Open,
            Verb::Close,
            Verb::Write,
            Verb::Flush,
            Verb::Read,
            Verb::Await,
            Verb::Sleep,
            Verb::Spin,
            Verb::Exit,
        ],
        calls: Calls::All,
        symbols: &[],
        versioned: false,
        ignores_sigpipe: false,
    },
    DriverInfo {
        name: "stdio",
        about: "the C library's FILE: fopen(3), fwrite(3), fflush(3), fclose(3)",
        modes: &[
            ModeInfo {
                name: "full",
                about: "fully buffered; setvbuf(3) with the size given, else the library's own choice",
                takes_buffer: true,
                reads_available: false,
                layers: &["buffer"],
            },
            ModeInfo {
                name: "line",
                about: "line-buffered: setvbuf(3) with _IOLBF",
                takes_buffer: true,
                reads_available: false,
                layers: &["buffer"],
            },
            ModeInfo {
                name: "unbuffered",
                about: "setvbuf(3) with _IONBF",
                takes_buffer: false,
                reads_available: false,
                layers: &[],
            },
            ModeInfo {
                name: FORK,
                about: "a copy of another actor, made by its step `fork`, with all that it buffers",
                reads_available: false,
                ..PLAIN
            },
            ModeInfo {
                name: "popen",
                about: "as full; programs are started by popen(3), and waited for by pclose(3)",
                takes_buffer: true,
                reads_available: false,
                layers: &["buffer"],
            },
        ],
        verbs: &[
            Verb::Open,
            Verb::Close,
            Verb::Write,
            Verb::Flush,
            Verb::Read,
            Verb::Sleep,
            Verb::Spin,
            Verb::Exit,
            Verb::Spawn,
            Verb::Wait,
        ],
        calls: Calls::Beside,
        symbols: &["bufsiz"],
        versioned: false,
        ignores_sigpipe: false,
    },
    DriverInfo {
        name: "rust",
        about: "Rust's standard library: File, BufWriter, LineWriter",
        modes: &[
            ModeInfo {
                name: "bufwriter",
                about: "BufWriter around a File; close is a drop, as in most programs",
                takes_buffer: true,
                reads_available: true,
                layers: &["buffer"],
            },
            ModeInfo {
                name: "linewriter",
                about: "LineWriter around a File; close is a drop",
                takes_buffer: true,
                reads_available: true,
                // LineWriter keeps its BufWriter to itself.
                layers: &[],
            },
            ModeInfo { name: "file", about: "a bare File, written with write_all", ..PLAIN },
            ModeInfo {
                name: FORK,
                about: "a copy of another actor, made by its step `fork`, with all that it buffers",
                ..PLAIN
            },
        ],
        verbs: OF_A_LIBRARY,
        calls: Calls::Beside,
        symbols: &["buffer"],
        versioned: false,
        ignores_sigpipe: true,
    },
    DriverInfo {
        name: "python",
        about: "CPython 3.6 and later, PyPy: the objects that open() returns",
        modes: &[
            ModeInfo {
                name: "text",
                about: "open(path, 'w'): TextIOWrapper, BufferedWriter, FileIO",
                takes_buffer: true,
                reads_available: false,
                layers: &["text", "buffer"],
            },
            ModeInfo {
                name: "binary",
                about: "open(path, 'wb'): BufferedWriter, FileIO",
                takes_buffer: true,
                reads_available: true,
                layers: &["buffer"],
            },
            ModeInfo {
                name: "raw",
                about: "open(path, 'wb', buffering=0): FileIO alone",
                takes_buffer: false,
                reads_available: true,
                layers: &[],
            },
            ModeInfo {
                name: "line",
                about: "open(path, 'w', buffering=1): text, flushed at each line feed",
                takes_buffer: false,
                reads_available: false,
                layers: &["text", "buffer"],
            },
            ModeInfo {
                name: "write_through",
                about: "TextIOWrapper with write_through=True over a BufferedWriter",
                takes_buffer: true,
                reads_available: false,
                layers: &["text", "buffer"],
            },
        ],
        verbs: OF_A_LIBRARY,
        calls: Calls::None,
        symbols: &["buffer", "chunk"],
        versioned: true,
        ignores_sigpipe: true,
    },
    DriverInfo {
        name: "node",
        about: "Node.js 18 and later: what a path leads to with fs.openSync, fs.writeSync, fs.readSync; child_process",
        modes: &[
            ModeInfo {
                name: "flowing",
                about: "a child's streams have a listener for `data` from the start, which keeps what comes",
                reads_available: false,
                ..PLAIN
            },
            ModeInfo {
                name: "paused",
                about: "nobody listens to a child's streams until a step reads them",
                reads_available: false,
                ..PLAIN
            },
        ],
        verbs: OF_A_LIBRARY,
        calls: Calls::None,
        symbols: &["watermark"],
        versioned: true,
        ignores_sigpipe: true,
    },
    DriverInfo {
        name: "program",
        about: "any command, written `{ command = [\"cat\"], stdin = \"in\", stdout = \"out\" }`",
        modes: &[ModeInfo { name: "command", about: "a program that knows nothing of steps", ..PLAIN }],
        verbs: &[Verb::Start, Verb::Run, Verb::Fault, Verb::Cut, Verb::Hold, Verb::Release],
        calls: Calls::None,
        symbols: &[],
        versioned: false,
        ignores_sigpipe: false,
    },
];

impl DriverInfo {
    pub fn named(name: &str) -> Option<&'static DriverInfo> {
        DRIVERS.iter().find(|info| info.name == name)
    }

    /// It carries this verb out.
    pub fn can(&self, verb: Verb) -> bool {
        match verb {
            Verb::Call(call) => match self.calls {
                Calls::All => true,
                Calls::Beside => call.info().beside,
                Calls::None => false,
            },
            verb => self.verbs.contains(&verb),
        }
    }

    pub fn mode(&self, name: &str) -> Option<&'static ModeInfo> {
        self.modes.iter().find(|mode| mode.name == name)
    }
}
