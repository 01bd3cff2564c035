my $line = <STDIN>;
