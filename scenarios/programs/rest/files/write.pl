syswrite(STDOUT, "x" x 100000);
