"""Writes messages to a FIFO whose reader may leave and come back: nothing is lost, and nothing comes twice.

    sink = open(path, "wb", buffering=0)
    send(sink, message, wait_for_reader)

Without a buffer a write either takes bytes, and says how many, or raises and takes none: so what is left to send is
always known. The sink stays open while the reader is away, since with the last end the kernel drops what it holds.
"""


def send(sink, message, wait_for_reader):
    """Send `message` (bytes; text is encoded first) whole; `wait_for_reader()` is called as often as nobody reads."""
    rest = memoryview(message)
    while rest:
        try:
            rest = rest[sink.write(rest) :]
        except BrokenPipeError:
            wait_for_reader()
