#!/usr/bin/python3
f = open('/tmp/mypipe', 'w')
input()  # Wait for reader to connect and disconnect.
f.write("A"*N)  # For various values of N.
f.flush()
input()  # Waif for reader to re-connect.
f.close()  # Implicit flush.
