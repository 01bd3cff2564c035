"""pipelab's driver for CPython 3.6 and later and for PyPy 3.

It carries out one actor's steps with the objects that open() returns, and says
what they told it. docs/wire.md is the protocol. It is started as

    python3 -I -S -B -c SOURCE MODE [buffer=SIZE] [layers] [spawns] [sigpipe=default]

with descriptor 3 for the conversation. Three rules explain its shape:

1. What can be loaded or looked up is loaded at the start: between a step and
   its answer nothing happens but the step.
2. File objects live in one global, as a script's would, and nowhere else. A
   reference left in a frame or a traceback would keep an object alive past its
   step, and when it is collected at last it flushes into whatever is open then.
3. `%` formatting, no f-strings: an interpreter older than 3.6 should still come
   as far as its greeting, so that it can be told apart from a broken one.
"""

# _socket and not socket, which pulls in selectors and enum and nearly doubles
# the start-up of an interpreter (8 ms, 14 ms); every case may start one.
# socket.socket is a subclass of what is used here.
import _socket
import errno
import fcntl
import gc
import io
import os
import select
import sys
import termios
import time

PROTOCOL = 1
MODES = ("text", "binary", "raw", "line", "write_through")

# A file whose reads find its end at once, and whose writes reach nobody.
EMPTY = os.open(os.devnull, os.O_RDWR)

# What every file object is. (io.IOBase is an abstract class, and slow to ask.)
FILE = io.IOBase.__base__

# Channel name -> (writer, reader). One of them is None, unless opened `both`.
ends = {}

# Name -> Popen of what was started and not given up.
children = {}

# Channel name -> ids of what its writer referred to when it was fresh (see held_text).
fresh = {}


# The conversation.

# Family and type are given because 3.6 doesn't ask the descriptor for them.
control = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, 3)
os.set_inheritable(3, False)
inbox = bytearray()


def receive():
    """Wait for more of the conversation."""
    data = control.recv(65536)
    if not data:
        # The stage is gone. Nobody will count what an orderly exit would still
        # flush, and that flush might wait for a reader for ever.
        os._exit(0)
    inbox.extend(data)


def take(length):
    """The next `length` bytes that the stage sent."""
    while len(inbox) < length:
        receive()
    taken = bytes(inbox[:length])
    del inbox[:length]
    return taken


def take_line():
    """The next line that the stage sent, without its line feed."""
    while b"\n" not in inbox:
        receive()
    return take(inbox.index(b"\n") + 1)[:-1]


# Which word of a step says how long its payload is.
SIZES = {b"write": 3, b"spawn": 7, b"communicate": 3}


def parse(batch):
    """Yield each step of a batch as its words and its payload."""
    at = 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        words = batch[at:end].split(b" ")
        at = end + 1
        # Its last word is a path, spaces and all.
        if words[1] == b"open":
            words[5:] = [b" ".join(words[5:])]
        size = SIZES.get(words[1])
        payload = b""
        if size and words[size] != b"none":
            payload = batch[at : at + int(words[size])]
            at += len(payload)
        yield words, payload


def failed(error, done=b"bytes=0"):
    """The answer for an exception; `done` is what came to pass before it."""
    # Not every exception has an errno, and not every errno is a number:
    # io.UnsupportedOperation is an OSError whose errno is None.
    symbol = errno.errorcode.get(getattr(error, "errno", None), "-")
    message = " ".join(str(error).splitlines())
    report = "error=%s message=%s" % (type(error).__name__, message)
    return b"fail %s %s %s\n" % (symbol.encode(), done, report.encode("utf-8", "backslashreplace"))


def would_block(call, done=b"bytes=0"):
    """The answer for a call that returned None.

    That is how the raw layer says EAGAIN: io.RawIOBase promises None, and no
    exception, where the descriptor is non-blocking and not one byte could be
    moved. Buffered readers pass it on; buffered writers raise BlockingIOError.
    """
    return b"fail EAGAIN %s message=%s returned None\n" % (done, call)


def misused(channel, how):
    """The answer where the script is wrong, and no call was made."""
    return b"fail - bytes=0 message=%s %s\n" % (channel, how)


# The verbs. Each returns its answer from behind the step's number to its end.


def open_end(source, kind, **how):
    """What this mode's users get from open(); `kind` is "r" or "w".

    How long a layer holds data back, and whether it keeps them when the layer
    below fails, is what the lab is there to show. Two known changes:

    - A text layer hands down when it has more than a chunk, and since 3.8.9,
      3.9.3 and 3.10 when it has one (https://bugs.python.org/issue43260). It
      forgets before it hands down, so what the layer below refuses is lost.
    - A BufferedWriter keeps what is no longer than its buffer, and since 3.13
      what is shorter (https://github.com/python/cpython/pull/118037).
    """
    if MODE == "text":
        return open(source, kind, BUFFERING, **how)
    if MODE == "line":
        return open(source, kind, 1, **how)
    if MODE == "raw":
        return open(source, kind + "b", 0, **how)
    binary = open(source, kind + "b", BUFFERING, **how)
    if MODE == "write_through":
        return io.TextIOWrapper(binary, write_through=True)
    return binary


def do_open(channel, access, blocking, path):
    def opener(path, flags):
        if access == b"both":
            flags = os.O_RDWR | os.O_CLOEXEC
        if blocking == b"nonblock":
            flags |= os.O_NONBLOCK
        return os.open(path, flags)

    path = os.fsdecode(path)
    writer = reader = None
    try:
        if access == b"read":
            reader = open_end(path, "r", opener=opener)
        else:
            writer = open_end(path, "w", opener=opener)
        if access == b"both":
            # open(path, "r+") insists on a seekable file, so it takes a writer
            # and a reader on one descriptor. It belongs to the writer, whose
            # close() flushes and closes; then the reader has nothing to close.
            reader = open_end(writer.fileno(), "r", closefd=False)
        fd = (writer or reader).fileno()
    except Exception as error:
        return failed(error)
    ends[channel] = writer, reader
    if LAYERS and writer is not None:
        fresh[channel] = referents(writer)
    return b"ok fd=%d\n" % fd


def do_write(channel, length, piece, payload):
    writer, reader = ends[channel]
    # A reader is asked too, and says itself that it isn't writable.
    f = writer or reader
    is_text = isinstance(f, io.TextIOBase)
    step = max(int(piece), 1)
    # A write of nothing is a call too. No piece ends within a character.
    pieces = [payload[at : at + step] for at in range(0, len(payload), step)] or [payload]
    if is_text:
        pieces = [data.decode() for data in pieces]
    # What a piece counts, and its bytes.
    size = (lambda text: len(text.encode())) if is_text and payload[:1] >= b"\x80" else len
    accepted = 0
    for data in pieces:
        try:
            count = f.write(data)
        except Exception as error:
            # BlockingIOError says how much was taken, but a text layer hands
            # down older text together with this, and then it may say more.
            accepted += size(data[: min(getattr(error, "characters_written", 0), len(data))])
            return failed(error, b"bytes=%d" % accepted)
        if count is None:
            return would_block(b"write", b"bytes=%d" % accepted)
        accepted += size(data[:count])
        # A short write, which only the raw layer lets its user see. To go on
        # behind it would leave a hole.
        if count < len(data):
            break
    return b"ok bytes=%d\n" % accepted


def do_flush(channel):
    writer, reader = ends[channel]
    try:
        (writer or reader).flush()
    except Exception as error:
        return failed(error)
    return b"ok\n"


def do_read(channel, amount):
    writer, reader = ends[channel]
    # A writer is asked too, and says itself that it isn't readable.
    f = reader or writer
    is_text = isinstance(f, io.TextIOBase)
    if is_text and amount == b"available":
        # A text layer fetches and decodes whole chunks: its read() waits for
        # the end of the file or for so many characters, nothing less.
        return b"unsupported\n"
    data = b""
    try:
        if amount == b"available":
            # Counted once: what a blocked writer adds meanwhile came later.
            amount = available(f)
            if amount == 0:
                return b"eof\n" if hung_up(f) else b"ok data=0\n"
        for part in parts(f, amount):
            if part is None:
                return would_block(b"read", read_so_far(data)) + data
            data += part.encode() if is_text else part
    except Exception as error:
        return failed(error, read_so_far(data)) + data
    if not data and amount != b"0":
        return b"eof\n"
    return b"ok data=%d\n%s" % (len(data), data)


def parts(f, amount):
    """Yield what the calls return that it takes to read this amount."""
    if amount == b"to-eof":
        yield f.read()
    elif isinstance(f, io.RawIOBase):
        # read() of the raw layer is one read(2), so its users need a loop.
        missing = int(amount)
        while missing:
            part = f.read(missing)
            yield part
            if not part:
                break
            missing -= len(part)
    else:
        yield f.read(int(amount))


def queued(fd):
    """How many bytes are in the kernel."""
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)), sys.byteorder)


def available(f):
    """How many bytes a read would find, in the object and in the kernel."""
    fd = f.fileno()
    if isinstance(f, io.RawIOBase):
        return queued(fd)
    # A buffered reader has no way to be asked how much it holds: peek() would
    # tell, but fetches more, or waits, when it holds nothing. So let it look for
    # more where there is nothing and never will be. The channel notices neither
    # dup(2) nor dup2(2), since its open file description stays open throughout.
    in_kernel = queued(fd)
    aside = os.dup(fd)
    try:
        os.dup2(EMPTY, fd, False)
        return in_kernel + len(f.peek())
    finally:
        os.dup2(aside, fd, False)
        os.close(aside)


def hung_up(f):
    """The other side has come and gone."""
    poll = select.poll()
    poll.register(f.fileno(), select.POLLIN)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def read_so_far(data):
    return b"data=%d" % len(data) if data else b"bytes=0"


def held(channel):
    """What the layers above a writer's file hold back, the outermost first.

    There is no public way to ask. These two look, call nothing that could flush,
    touch no descriptor, and say `?` where this interpreter doesn't show it.
    """
    f = ends[channel][0]
    layers = []
    if isinstance(f, io.TextIOBase):
        layers.append(b"text:" + held_text(f, fresh[channel]))
        f = f.buffer
    if isinstance(f, io.BufferedIOBase):
        layers.append(b"buffer:" + held_buffer(f))
    return b" held=" + b",".join(layers) if layers else b""


def referents(f):
    return {id(o) for o in gc.get_referents(f)}


def held_text(f, born):
    """Bytes that a TextIOWrapper has encoded and not handed down.

    They are one object or a list of some (`pending_bytes` in Modules/_io/textio.c;
    bytes, and since 3.8 also ASCII str), and the collector is shown it, as it is
    shown the names of encoding and error handler, which the fresh object had too.
    """
    if not SHOWS_TEXT:
        return b"?"
    count = 0
    for o in gc.get_referents(f):
        if id(o) not in born and type(o) in (list, bytes, str):
            count += sum(map(len, o)) if type(o) is list else len(o)
    return b"%d" % count


def shows_text():
    """Whether held_text works here: PyPy's collector shows it nothing."""
    global SHOWS_TEXT
    SHOWS_TEXT = True
    text = io.TextIOWrapper(io.BytesIO(), "utf-8")
    born = referents(text)
    seen = [held_text(text, born)]
    for data in ("abc", "\xe9", ""):
        text.write(data)
        seen.append(held_text(text, born))
    text.flush()
    seen.append(held_text(text, born))
    return seen == [b"0", b"3", b"5", b"5", b"0"]


def held_buffer(f):
    """Bytes that a BufferedWriter has and its file hasn't.

    tell() is what the file's own tell() says, and these bytes (`RAW_OFFSET` in
    Modules/_io/bufferedio.c). A FIFO has no position, so one is given to it: the
    call finds this attribute before the method. What it stores (`abs_pos`) is of
    use to seek() alone, which a FIFO hasn't.
    """
    raw = f.raw
    raw.tell = at_start
    try:
        return b"%d" % f.tell()
    except OSError:
        # PyPy doesn't look for it there.
        return b"?"
    finally:
        del raw.tell


def at_start():
    return 0


def do_close(channel):
    # Forgotten even if close() raises: close() of every layer closes what is
    # below it also when its flush fails, so the object is of no more use.
    writer, reader = ends.pop(channel)
    fresh.pop(channel, None)
    try:
        for f in (writer, reader):
            if f is not None:
                f.close()
    except Exception as error:
        return failed(error)
    return b"ok\n"


# Programs. How a mode says what it wants of open(), it says to Popen() too:
# `text` and `line` are universal_newlines (`text` since 3.7), `raw` is bufsize=0.


def do_spawn(child, stdin, stdout, stderr, count, length, payload):
    words = payload.decode().split("\0")[:-1]
    count = int(count)
    how = {b"inherit": None, b"pipe": subprocess.PIPE, b"stdout": subprocess.STDOUT}
    is_text = MODE in ("text", "line", "write_through")
    bufsize = {"raw": 0, "line": 1}.get(MODE, BUFFERING)
    try:
        p = subprocess.Popen(
            words[:count],
            bufsize,
            stdin=how[stdin],
            stdout=how[stdout],
            stderr=how[stderr],
            universal_newlines=is_text,
            env=dict(word.split("=", 1) for word in words[count:]),
        )
    except Exception as error:
        return failed(error)
    children[child] = p
    made = []
    for name in ("stdin", "stdout", "stderr"):
        f = getattr(p, name)
        if f is not None:
            channel = child + b"." + name.encode()
            ends[channel] = (f, None) if name == "stdin" else (None, f)
            made.append(b"%d" % f.fileno())
            if LAYERS and name == "stdin":
                fresh[channel] = referents(f)
    made = b" made=" + b",".join(made) if made else b""
    return b"said bytes=%d%s\n" % (p.pid, made)


def do_wait(child, blocking):
    p = children[child]
    try:
        code = p.poll() if blocking == b"nonblock" else p.wait()
    except Exception as error:
        return failed(error)
    forget_closed(child)
    if code is None:
        return b"said words=running\n"
    return b"said words=%s\n" % ended(code)


def do_communicate(child, length, payload):
    p = children[child]
    data = None
    if length != b"none":
        data = payload.decode() if p.universal_newlines else payload
    try:
        read = p.communicate(data)
    except Exception as error:
        forget_closed(child)
        return failed(error)
    forget_closed(child)
    words, read_all = [ended(p.returncode)], b""
    for name, part in zip((b"stdout", b"stderr"), read):
        if part is not None:
            part = part.encode() if p.universal_newlines else part
            words.append(b"%s=%d" % (name, len(part)))
            read_all += part
    size = b" data=%d" % len(read_all) if read_all else b""
    return b"said words=%s%s\n%s" % (b",".join(words), size, read_all)


def ended(code):
    """How a child ended, in the wire's words and in Python's."""
    how = "exited=%d" % code
    if code < 0:
        how = "killed=%s" % signal_name(-code)
    return ("%s,returncode=%d" % (how, code)).encode()


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return "SIGRTMIN+%d" % (number - signal.SIGRTMIN)


def forget_closed(child):
    """Popen closes what it is done with."""
    for name in (b".stdin", b".stdout", b".stderr"):
        writer, reader = ends.get(child + name, (None, None))
        f = writer or reader
        if f is not None and f.closed:
            del ends[child + name]
            fresh.pop(child + name, None)


def end_children():
    """Popen keeps those that nobody has waited for, and asks after them later."""
    for p in children.values():
        if p.poll() is None:
            p.kill()
            p.wait()
    children.clear()


def do_reset():
    """Get ready for another case: drop all objects, and see that none is left.

    A file object that is collected later would flush what it still holds into
    whatever has its descriptor's number by then. So each gets a descriptor first
    that leads nowhere, and the objects that nobody may have are looked for.
    """
    for pair in ends.values():
        for f in pair:
            if f is not None:
                os.dup2(EMPTY, f.fileno(), False)
    # This frame must let go of them too.
    pair = f = None
    for channel in list(ends):
        do_close(channel)
    end_children()
    gc.collect()
    left = [o for o in gc.get_objects() if isinstance(o, FILE) and id(o) not in BORN]
    if left:
        return b"fail - bytes=0 message=a file object was left: %s\n" % repr(left[0]).encode()
    return b"ok\n"


VERBS = {
    b"open": do_open,
    b"write": do_write,
    b"flush": do_flush,
    b"read": do_read,
    b"close": do_close,
}

# Those of programs, which have no channel.
CHILD_VERBS = {b"spawn": do_spawn, b"wait": do_wait, b"communicate": do_communicate}


def carry_out(words, payload):
    """The answer to a step that has one."""
    verb, arguments = words[1], words[2:]
    if verb == b"reset":
        return do_reset()
    if verb in CHILD_VERBS and SPAWNS:
        if (verb == b"spawn") == (arguments[0] in children):
            return misused(arguments[0], b"was started already" if verb == b"spawn" else b"wasn't started")
        if verb != b"wait":
            arguments.append(payload)
        return CHILD_VERBS[verb](*arguments)
    if verb not in VERBS:
        return b"unsupported\n"
    channel = arguments[0]
    if verb == b"open" and channel in ends:
        return misused(channel, b"is open already")
    if verb != b"open" and channel not in ends:
        return misused(channel, b"isn't open")
    if verb == b"write":
        arguments.append(payload)
    answer = VERBS[verb](*arguments)
    if channel not in ends:
        return answer
    return counted(answer, ends[channel], held(channel) if channel in fresh else b"")


def counted(answer, pair, layers):
    """The answer with what is in the kernel and in the layers now."""
    count = b" queued=%d%s" % (queued((pair[0] or pair[1]).fileno()), layers)
    end = answer.index(b"\n")
    at = answer.find(b" message=", 0, end)
    at = end if at < 0 else at
    return answer[:at] + count + answer[at:]


def serve():
    """Take batches until there is a step that ends it all; give the exit status."""
    while True:
        length = int(take_line().split()[2])
        for words, payload in parse(take(length)):
            if words[1] == b"exit":
                # What the collector was told to leave alone, the interpreter's
                # shutdown would leave alone too: globals, and files in them.
                if hasattr(gc, "unfreeze"):
                    gc.unfreeze()
                return int(words[2])
            while words[1] == b"sleep":
                time.sleep(86400)
            while words[1] == b"spin":
                pass
            control.sendall(words[0] + b" " + carry_out(words, payload))


def greeting():
    this = sys.implementation
    name = this.name
    # PyPy and others have a version of their own beside the language's.
    if name != "cpython":
        name += "%d.%d" % sys.version_info[:2]
    version = "%d.%d.%d" % this.version[:3]
    if this.version[3] != "final":
        version += "%s%d" % this.version[3:5]
    # A text object to ask for its chunk, and to make this interpreter load now
    # what text needs: codecs, and up to 3.9 the module that asks for the locale.
    text = io.TextIOWrapper(io.BytesIO(b"x"))
    text.read()
    # Only where objects die with their last reference can a process be shown clean.
    abilities = "counts resets" if name == "cpython" else "counts"
    return "hello %d %s %s buffer=%d chunk=%d %s\n" % (
        PROTOCOL,
        name,
        version,
        io.DEFAULT_BUFFER_SIZE,
        text._CHUNK_SIZE,
        abilities,
    )


MODE, BUFFERING, LAYERS, SHOWS_TEXT, SPAWNS = MODES[0], -1, False, False, False
for word in sys.argv[1:]:
    if word.startswith("buffer="):
        BUFFERING = int(word[len("buffer=") :])
    elif word == "layers":
        LAYERS = True
        SHOWS_TEXT = shows_text()
    elif word == "spawns":
        # The slowest of imports.
        SPAWNS = True
        import signal
        import subprocess
    elif word in MODES:
        MODE = word
    elif word == "sigpipe=default":
        # As scripts do that want to end quietly behind `| head`.
        import signal

        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    else:
        sys.exit("no mode %r: there are %s, and buffer=SIZE, layers" % (word, ", ".join(MODES)))

control.sendall(greeting().encode())
# What is here now stays: a collection between two cases needn't look at it.
gc.collect()
if hasattr(gc, "freeze"):
    gc.freeze()
BORN = {id(o) for o in gc.get_objects() if isinstance(o, FILE)}
# Out here, so that no frame is left that holds an object: what a script's
# globals still hold now is flushed while the interpreter shuts down.
sys.exit(serve())
