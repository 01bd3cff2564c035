# How much more memory communicate() needs for more output: the largest resident set that
# the process ever had, before and after. Each CPU hands its count of a process's pages on
# in batches (Linux 6.2 and later, lib/percpu_counter.c): the sum may be a few hundred
# pages behind, for which a hundredth is left.
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
      % (len(out), grown >= size - size // 100, grown > 3 * size))
