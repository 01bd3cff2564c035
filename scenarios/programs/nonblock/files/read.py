import sys


def loop():
    for line in sys.stdin:
        return line
    return "no more lines"


calls = {
    "read": sys.stdin.read,
    "byte": lambda: getattr(sys.stdin, "buffer", sys.stdin).read(1),
    "line": sys.stdin.readline,
    "loop": loop,
    "input": lambda: getattr(__builtins__, "raw_input", input)(),
}
try:
    print(repr(calls[sys.argv[1]]()))
except Exception as error:
    print(type(error).__name__)
