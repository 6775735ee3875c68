package Stockcert::Gate;

# The gate of a server with flushes => 1. Its calls are "fdatasync"; "pwrite",
# LMDB's last step, on a descriptor that has O_DSYNC; "written", after that;
# "restore", with which LMDB takes a last step that failed back (it just fails).
# What has no descriptor yet just fails, too: "eventfd"; "share", memory that
# processes share; "memory", what the event loop asks for. "log" has a line for
# each: what, call, process, nanoseconds.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Spec;

my $source = File::Spec->rel2abs(dirname(__FILE__)) . '/gate.c';

sub build_gate {
    my ($self) = @_;
    my $gate = $self->{gate} = "$self->{dir}/gate";
    mkdir $gate;
    Stockcert::spew("$gate/log", '');
    chmod 0777, $gate, "$gate/log";
    system('cc', '-shared', '-fPIC', '-O1', '-o', "$gate/gate.so", $source, '-ldl') == 0 or die "cc failed\n";
}

# false only where nginx is a script that takes the LD_PRELOAD away

sub has_gate {
    my ($self) = @_;
    return 1 if Stockcert::slurp("$self->{gate}/log") =~ /^loaded/m;
    die "no gate\n" if !-T ($ENV{TEST_NGINX_BINARY} || '');
    return 0;
}

sub gate_log { return map { [split] } split /\n/, Stockcert::slurp("$_[0]{gate}/log") }

# For ledgers whose path has $which in it, all without: the call waits there; it
# takes some milliseconds more; it fails with an errno; it kills who makes it. Of
# "eventfd" and "share" $which is "master" or "worker"; "memory" fails the nth
# time (-1: always) instead.

sub hold { my ($self, $call, $which) = @_; $self->set_gate(hold => $call, 1, $which) }

sub delay { my ($self, $call, $ms, $which) = @_; $self->set_gate(delay => $call, $ms, $which) }

sub fail { my ($self, $call, $errno, $which) = @_; $self->set_gate(fail => $call, $errno, $which) }

sub crash { my ($self, $call, $which) = @_; $self->set_gate(crash => $call, 1, $which) }

sub set_gate {
    my ($self, $what, $call, $number, $which) = @_;
    my $path = "$self->{gate}/$what-$call";
    Stockcert::spew("$path.new", join ' ', $number + 0, $which // '');
    rename "$path.new", $path or die "$path: $!\n";
}

# waits until one is held there, and returns its process

sub held {
    my ($self, $call) = @_;
    return Stockcert::wait_for("a call held at $call", sub {
        my $last = ($self->gate_log)[-1];
        return "$last->[0] $last->[1]" eq "at $call" && $last->[2];
    });
}

# lets one go on

sub pass {
    my ($self) = @_;
    Stockcert::spew("$self->{gate}/pass", '');
    Stockcert::wait_for('somebody passes', sub { !-e "$self->{gate}/pass" });
}

# all goes on as if there was no gate

sub release {
    my ($self, @calls) = @_;
    unlink map { my $call = $_; map { "$self->{gate}/$_-$call" } qw(hold delay fail crash) } @calls;
}

# sets the clock, by seconds

sub set_clock {
    my ($self, $seconds) = @_;
    Stockcert::spew("$self->{gate}/clock.new", $seconds);
    rename "$self->{gate}/clock.new", "$self->{gate}/clock" or die "clock: $!\n";
}

# commits: when their flush began and their last step was done, in seconds

sub commits {
    my ($self) = @_;
    my (%flush, @commits);
    for ($self->gate_log) {
        my ($what, $call, $pid, $time) = @$_;
        $flush{$pid} = $time if "$what $call" eq 'at fdatasync';
        push @commits, [$flush{$pid} / 1e9, $time / 1e9] if "$what $call" eq 'done pwrite' and $flush{$pid};
    }
    return @commits;
}

1;
