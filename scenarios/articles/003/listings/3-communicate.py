import subprocess
import sys

logTimes = sys.argv[1]
ps = subprocess.Popen(("./log", logTimes), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

out, err = ps.communicate()

print("%d %d %d" % (len(out), len(err), ps.returncode))
