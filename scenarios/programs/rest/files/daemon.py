# Leaves behind a daemon, which forks twice and holds what it inherited.
import os
import signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.pause()
    os._exit(0)
os.wait()
