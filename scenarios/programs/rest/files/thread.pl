# Its main thread waits for another one, which reads.
use threads;
threads->create(sub { sysread(STDIN, my $byte, 1) })->join;
