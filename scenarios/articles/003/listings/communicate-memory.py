# How much more memory communicate() needs for more output: the largest resident set that
# the process ever had, before and after.
import resource
import subprocess
import sys


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


size = int(sys.argv[1])
head = ["head", "-c", str(size), "/dev/zero"]
subprocess.Popen(["true"], stdout=subprocess.PIPE).communicate()
before = peak()
out, _ = subprocess.Popen(head, stdout=subprocess.PIPE).communicate()
grown = peak() - before
print("%d bytes; at least as much memory: %s; more than three times as much: %s"
      % (len(out), grown >= size, grown > 3 * size))
