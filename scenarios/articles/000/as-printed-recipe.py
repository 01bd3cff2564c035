# Runs recipe.py as it is printed, with what it leaves open: the loop around it, the message, and
# the FIFO with its mode. Its five seconds of sleep last until a line comes.
import sys
import threading
import types

source = open(sys.argv[1]).read()
text, n = sys.argv[2] == "text", int(sys.argv[3])
fd = open("log", "w" if text else "wb")
sys.stdin.readline()
names = {
    "finals": ["A" * n if text else b"A" * n],
    "fd": fd,
    "self": types.SimpleNamespace(_sink_buffer_size=4096, _the_end=threading.Event()),
    "time": types.SimpleNamespace(sleep=lambda seconds: sys.stdin.readline()),
}
exec(compile("while finals:\n     final = finals.pop()\n" + source, "recipe.py", "exec"), names)
fd.close()
