import subprocess
import sys

ps = subprocess.Popen(("ls", "-la"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

# Wait for the process to finish
ps.wait()

print(sys.stdout)
print(sys.stderr)
