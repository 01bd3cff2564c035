# Waits for a child that has filled a pipe of theirs.
import subprocess
child = subprocess.Popen(["sh", "-c", "yes"], stdout=subprocess.PIPE)
child.wait()
