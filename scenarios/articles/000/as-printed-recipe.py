# Runs recipe.py as it is printed, with what it leaves open: the loop around it, the message and
# the FIFO. Its five seconds of sleep last until a line comes.
import sys
import threading
import types

source = open(sys.argv[1]).read()
fd = open("log", "w")
sys.stdin.readline()
names = {
    "finals": ["A" * int(sys.argv[2])],
    "fd": fd,
    "self": types.SimpleNamespace(_sink_buffer_size=4096, _the_end=threading.Event()),
    "time": types.SimpleNamespace(sleep=lambda seconds: sys.stdin.readline()),
}
exec(compile("while finals:\n     final = finals.pop()\n" + source, "recipe.py", "exec"), names)
fd.close()
