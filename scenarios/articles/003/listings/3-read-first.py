import subprocess
import sys

logTimes = sys.argv[1]
ps = subprocess.Popen(("./log", logTimes), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

out = ps.stdout.read()
err = ps.stderr.read()
ps.wait()

print("%d %d" % (len(out), len(err)))
