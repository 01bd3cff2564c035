# The supervisor of listing 4, with a lock around what its threads write.
import subprocess
import sys
from threading import Lock, Thread

lock = Lock()


def stream(process, name):
    while 1:
        line = process.stdout.readline()
        if not line:
            break
        with lock:
            sys.stdout.write("%s %s" % (name, line.decode()))


count = "i=0; while [ $i -lt %s ]; do i=$((i + 1)); echo $i; done" % sys.argv[1]
children = [
    subprocess.Popen(["sh", "-c", count], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for _ in range(2)
]
threads = [Thread(target=stream, args=(child, name)) for child, name in zip(children, ["one", "two"])]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
