# Writes messages of N bytes and flushes each, as the article's writer does, until that fails. Then it
# says how many bytes write() had taken, and how many of them flush() had sent: by as many bytes.
import os
import sys

text, n = sys.argv[1] == "text", int(sys.argv[2])
log = open("log", "w" if text else "wb")
message = "A" * n if text else b"A" * n
written = flushed = 0
try:
    while True:
        log.write(message)
        written += n
        log.flush()
        flushed += n
except BrokenPipeError:
    pass
os.write(3, b"w" * written)
os.write(4, b"f" * flushed)
os._exit(0)
