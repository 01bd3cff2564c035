# Runs experiment.py as it is printed, with what it leaves open: N, and where the FIFO is.
import sys

source = open(sys.argv[1]).read()
names = {"N": int(sys.argv[2]), "open": lambda path, mode: open("log", mode)}
exec(compile(source, "experiment.py", "exec"), names)
