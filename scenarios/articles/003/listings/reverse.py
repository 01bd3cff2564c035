# All of stdin is fed before any of stdout is read.
import subprocess
import sys

size = int(sys.argv[1])
ps = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
ps.stdin.write(b"x" * size)
ps.stdin.close()
print(len(ps.stdout.read()))
