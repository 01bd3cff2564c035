while (<STDIN>) { print; }
print "end\n";
