"""A driver that claims to be reusable and leaves something behind.

Its mode says what: a function `leave_...` below, called by a `flush`. Its I/O is that of the
system calls; docs/wire.md is the protocol.
"""

import errno
import fcntl
import os
import resource
import signal
import socket
import sys
import threading
import time

control = socket.socket(fileno=3)
os.set_inheritable(3, False)
orders = control.makefile("rb")
ends = {}
children = []
at_reset = []
at_answer = []


def leave_nothing():
    pass


def leave_descriptors():
    try:
        while True:
            os.dup(0)
    except OSError:
        pass


def leave_descriptors_late():
    at_reset.append(lambda: (burn(0.05), leave_descriptors()))


def leave_another_descriptor():
    zero = os.open("/dev/zero", os.O_RDWR)
    os.dup2(zero, 0)
    os.close(zero)


def leave_flags():
    fcntl.fcntl(2, fcntl.F_SETFL, fcntl.fcntl(2, fcntl.F_GETFL) | os.O_APPEND)


def leave_disposition():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def leave_mask():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def leave_real_time_signal():
    signal.signal(signal.SIGRTMIN + 3, signal.SIG_IGN)


def leave_thread():
    # An interpreter that ends waits for it.
    threading.Thread(target=threading.Event().wait).start()


def leave_thread_late():
    at_reset.append(lambda: (time.sleep(0.05), leave_thread()))


def leave_child():
    pid = os.fork()
    if pid == 0:
        os.closerange(3, 1024)
        signal.pause()
    children.append(pid)


def leave_grandchild():
    pid = os.fork()
    if pid == 0:
        os.closerange(3, 1024)
        if os.fork() == 0:
            signal.pause()
        os._exit(0)
    # Without a sleep: the stage proves nothing of processes that aren't actors.
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        pass


def leave_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))


def leave_umask():
    os.umask(0o777)


def leave_folder():
    os.chdir("/")


def leave_priority():
    os.nice(1)


def leave_file():
    os.close(os.open("other", os.O_CREAT | os.O_WRONLY))


def leave_words():
    os.write(2, b"words of the first case\n")


def leave_two_answers_to_reset():
    at_reset.append(lambda: control.sendall(b"9007199254740991 ok\n"))


def leave_no_answer_to_reset():
    at_reset.append(None)


def leave_deaf_to_reset():
    at_answer.append(signal.pause)


def leave_hang_up_at_reset():
    at_reset.append(lambda: (os.close(3), signal.pause()))


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def do(words, payload):
    verb, channel = words[1], words[2] if len(words) > 2 else ""
    if verb in ("write", "close") and channel not in ends:
        return "fail - bytes=0 message=it isn't open"
    try:
        if verb == "open":
            flags = {"read": os.O_RDONLY, "write": os.O_WRONLY, "both": os.O_RDWR}[words[3]]
            flags |= os.O_NONBLOCK if words[4] == "nonblock" else 0
            ends[channel] = os.open(words[5], flags | os.O_CLOEXEC)
            return "ok fd=%d" % ends[channel]
        if verb == "write":
            return "ok bytes=%d" % os.write(ends[channel], payload)
        if verb == "flush":
            globals()["leave_" + sys.argv[1]]()
            return "ok"
        if verb == "close":
            os.close(ends.pop(channel))
            return "ok"
        if verb == "exit":
            for pid in children:
                os.waitpid(pid, 0)
            sys.exit(int(words[2]))
    except OSError as error:
        return "fail %s bytes=0 message=%s" % (errno.errorcode[error.errno], error.strerror)
    return "unsupported"


def reset():
    for channel in list(ends):
        os.close(ends.pop(channel))


sys.stderr.write("words of the start\n")
sys.stderr.flush()
control.sendall(b"hello 1 leaky 1 resets\n")
while True:
    head = orders.readline().split()
    if not head:
        sys.exit()
    for _ in range(int(head[1])):
        words = orders.readline().decode().rstrip("\n").split(" ", 5)
        payload = orders.read(int(words[3])) if words[1] == "write" else b""
        if words[1] == "reset":
            reset()
            if None in at_reset:
                signal.pause()
            control.sendall(("%s ok\n" % words[0]).encode())
            while at_reset:
                at_reset.pop()()
        else:
            control.sendall(("%s %s\n" % (words[0], do(words, payload))).encode())
            while at_answer:
                at_answer.pop()()
