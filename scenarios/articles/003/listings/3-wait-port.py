import subprocess
import sys

logTimes = sys.argv[1]
ps = subprocess.Popen(("./log", logTimes), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
print("PID: " + str(ps.pid))

ps.wait()

print(ps.stdout.read())
print(ps.stderr.read())
