# The supervisor of listing 4, with one child that stands still.
import subprocess
import sys
from threading import Thread


def stream(process, name):
    while 1:
        line = process.stdout.readline()
        if not line:
            break
        sys.stdout.write("%s: %s" % (name, line.decode()))
        sys.stdout.flush()


stuck = subprocess.Popen(["sh", "-c", "echo begun; cat"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
goes_on = subprocess.Popen(["./log", sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
threads = [Thread(target=stream, args=(stuck, "stuck")), Thread(target=stream, args=(goes_on, "goes on"))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
