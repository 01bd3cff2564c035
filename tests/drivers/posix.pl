#!/usr/bin/perl
# A driver of little more than the least that docs/wire.md asks for: Perl's sysopen, syswrite and
# sysread, one write call a piece.
use strict;
use warnings;
use Errno;
use Fcntl;
use Socket;

$SIG{PIPE} = 'IGNORE';
open(my $stage, '+<&=', 3) or die "descriptor 3: $!";
fcntl($stage, F_SETFD, FD_CLOEXEC) or die "fcntl: $!";
my ($orders, %open) = ('');

sub say_to_stage {
    my ($text) = @_;
    while (length $text) {
        my $sent = send($stage, $text, 0) // die "send: $!";
        substr($text, 0, $sent) = '';
    }
}

sub receive {
    my ($wanted) = @_;    # a length, or undef: a line
    while (defined $wanted ? length $orders < $wanted : index($orders, "\n") < 0) {
        defined recv($stage, my $more, 65536, 0) or die "recv: $!";
        exit 0 if $more eq '';
        $orders .= $more;
    }
    return substr($orders, 0, $wanted // index($orders, "\n") + 1, '');
}

sub failure {
    my ($counted) = @_;
    my ($name) = grep { $!{$_} } sort keys %!;
    return "fail $name $counted message=$!\n";
}

sub carry_out {
    my ($verb, $channel, @args) = split / /, $_[0];
    if ($verb eq 'reset') {
        # Nothing is buffered, so that closing is all there is to do.
        %open = ();
        return "ok\n";
    }
    my $file = $open{$channel // ''};
    if ($verb eq 'open') {
        return "fail - bytes=0 message=it is open already\n" if $file;
        my ($access, $block) = splice @args, 0, 2;
        my $flags = { read => O_RDONLY, write => O_WRONLY, both => O_RDWR }->{$access};
        $flags |= O_NONBLOCK if $block eq 'nonblock';
        sysopen(my $fifo, join(' ', @args), $flags) or return failure('bytes=0');
        $open{$channel} = $fifo;
        return 'ok fd=' . fileno($fifo) . "\n";
    }
    if ($verb eq 'write') {
        my ($payload, $done) = (receive($args[0]), 0);
        return "fail - bytes=0 message=it isn't open\n" unless $file;
        while ($done < length $payload) {
            my $wrote = syswrite($file, $payload, $args[1], $done) // return failure("bytes=$done");
            $done += $wrote;
            last if $done % $args[1];
        }
        return "ok bytes=$done\n";
    }
    return "unsupported\n" unless $verb =~ /^(flush|close|read)$/;
    return "fail - bytes=0 message=it isn't open\n" unless $file;
    return "ok\n" if $verb eq 'flush';
    if ($verb eq 'close') {
        close(delete $open{$channel}) or return failure('bytes=0');
        return "ok\n";
    }
    if ($verb eq 'read' && $args[0] ne 'available') {
        my $data = '';
        while ($args[0] eq 'to-eof' || length $data < $args[0]) {
            my $left = $args[0] eq 'to-eof' ? 65536 : $args[0] - length $data;
            my $got = sysread($file, $data, $left, length $data);
            return failure('data=' . length $data) . $data unless defined $got;
            last if $got == 0;
        }
        return length $data || $args[0] eq '0' ? 'ok data=' . length($data) . "\n$data" : "eof\n";
    }
    return "unsupported\n";
}

say_to_stage(sprintf "hello 1 perl %vd resets\n", $^V);
while (receive() =~ /^batch (\d+)/) {
    for (1 .. $1) {
        my ($id, $step) = receive() =~ /^(\d+) (.*)$/ or die 'a step has an id';
        exit $1 if $step =~ /^exit (\d+)/;
        sleep 86400 while $step eq 'sleep';
        1 while $step eq 'spin';
        say_to_stage("$id " . carry_out($step));
    }
}
