open(my $log, "<", "log");
