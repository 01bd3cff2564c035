# Waits for a child that has filled a pipe of theirs.
my $pid = open(my $child, "-|", "exec yes");
waitpid($pid, 0);
