import subprocess
subprocess.call(["cat"])
