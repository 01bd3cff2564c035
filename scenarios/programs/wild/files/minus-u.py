# Its standard output was made non-blocking by somebody who shares it.
import fcntl
import os
import subprocess
import sys
fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | os.O_NONBLOCK)
sys.exit(subprocess.call([sys.executable, "-u", "-c", "import sys; sys.stdout.write('x' * 100000)"]))
