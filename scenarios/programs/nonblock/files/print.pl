print "x" x 100000;
