//! The scenarios that are broken: as they stand here, they hold.

/// Calls on a pipe that answer at once.
pub const CALLS: &str = r#"
[setting]
sigpipe = "ignore"
[actors]
a = "raw"
script = '''
a pipe r w nonblock
a read r 1       -> EAGAIN
a write w 10     -> ok 10
a fionread r     -> ok 1 to 4096
a getfl w        -> says wronly nonblock
a poll r in now  -> says in
a read r 100     -> ok 10
a close r
a write w 1      -> EPIPE
a exit 3         -> exited 3
'''
[expect]
error_at = "read"
[expect.r]
delivered = "accepted"
accepted  = "<= capacity"
offered   = "10 to 11"
lost      = 0
"#;

/// Calls that wait for another process.
pub const WAITS: &str = r#"
[setting]
sigpipe = "ignore"
[actors]
a = "raw"
b = "raw:fork"
script = '''
a pipe r w
a fork b
a close w
b close r
a read r 4   -> blocked then ok 4 by b write
b write w 4  -> ok 4
a read r 4   -> blocked then eof by b exit
b exit       -> exited 0
'''
[expect]
end = "played"
error_at = "none"
[expect.r]
kernel = "delivered"
"#;

/// A record of `v` that one of `w` cuts apart: who sleeps in a full pipe goes to the
/// queue's end once it has filled what room there was.
pub const TORN: &str = r#"
[channels]
log = "fifo"
[actors]
r = "raw"
v = "raw"
w = "raw"
script = '''
r open log read nonblock
v open log write
w open log write
v write log capacity+3*page  -> blocked then ok capacity+3*page by r read log page
w write log page             -> blocked then ok page by r read
r read log page              -> ok page
r read log page              -> ok page
r read log page              -> ok page
r read log page              -> ok page
r read log capacity          -> ok capacity from v capacity-3*page, w page, v 2*page
'''
[expect]
torn = 1
queued = "0 to 0"
delivered = "> capacity"
"#;

/// Two writers' packets in the order in which they were written.
pub const ORDER: &str = r#"
[actors]
a = "raw"
b = "raw:fork"
script = '''
a pipe r w direct
a fork b
a write w 10
b write w 20
a read r 100  -> ok 10 from a
a read r 100  -> ok 20 from b 20
a read r 100  -> blocked then ok 5 from b by b write
b write w 5
'''
"#;

/// How often an edge-triggered epoll set wakes.
pub const EDGES: &str = r#"
[actors]
a = "raw"
script = '''
a pipe r w
a epoll_create e
a epoll_ctl e add r in et
a edges e        -> ok 0
a write w 10
a edges e        -> ok 1
a edges e        -> ok 0 to 1
'''
"#;

/// A script that goes no further.
pub const STUCK: &str = r#"
[channels]
log = "fifo"
[actors]
r = "raw"
script = '''
r open log read  -> blocked then nothing
r read log 1
'''
[expect]
end = "stuck"
"#;

/// A reader that takes the end of file for nothing yet.
pub const SPINS: &str = r#"
[channels]
log = "fifo"
[actors]
r = "raw"
w = "raw"
[setting]
cpu_budget = "20 ms"
script = '''
w openat rw log both
r openat r log read
w close rw
r tail r 5       -> spinning
'''
"#;
