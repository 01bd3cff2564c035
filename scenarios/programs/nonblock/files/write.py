import sys

if sys.argv[1] == "whole":
    sys.stdout.write("x" * 100000)
else:
    for _ in range(20000):
        print("xxxxx")
