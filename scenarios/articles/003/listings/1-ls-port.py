import subprocess
import sys

ps = subprocess.Popen(("ls", "-la"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

# Wait for the process to finish
ps.wait()

sys.stdout.write(ps.stdout.read().decode())
sys.stderr.write(ps.stderr.read().decode())
