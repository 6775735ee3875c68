package Stockcert::Relay;

# A process between clients and a port of 127.0.0.1, which it listens for on a port of
# its own:
#
#     my $relay = Stockcert::Relay->new($port);
#     $relay->port;
#     $relay->cut;          # all that comes is lost, and nobody is told
#     $relay->stall;        # all that comes waits
#     $relay->delay(0.2);   # what comes is that many seconds on its way
#     $relay->heal;         # as at first; what waited goes on; connections that lost something end
#
# Each waits until it is so.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Stockcert ();
use Stockcert::Port;

my $process = $$;
my %running;
END { kill KILL => keys %running if $$ == $process }

sub new {
    my ($class, $to) = @_;
    my $self = bless { port => free_port() }, $class;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $self->{port}, Listen => 128,
        ReuseAddr => 1, Blocking => 0) or die "listen: $!\n";
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    my $pid = $self->{pid} = fork // die "fork: $!\n";
    if (!$pid) {
        close $ours;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
        alarm 0;
        eval { run($listen, $theirs, $to); 1 } or print STDERR "relay: $@";
        POSIX::_exit(0);
    }
    $running{$pid} = 1;
    $self->{control} = $ours;
    return $self;
}

sub DESTROY {
    my ($self) = @_;
    return if $$ != $process;
    local $?;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    delete $running{$self->{pid}};
}

sub port { return $_[0]{port} }

sub tell {
    my ($self, $what) = @_;
    syswrite $self->{control}, "$what\n";
    IO::Select->new($self->{control})->can_read($Stockcert::TIMEOUT) or die "a relay does not answer\n";
    sysread $self->{control}, my $done, 1 or die "a relay ended\n";
}

sub cut { $_[0]->tell('cut') }
sub stall { $_[0]->tell('stall') }
sub heal { $_[0]->tell('heal') }
sub delay { $_[0]->tell("delay $_[1]") }


# The process. Each connection has two sides: {socket, other, queue, lost}. A queue has
# what is to be written to a side, and when; undef is the connection's end.

sub run {
    my ($listen, $control, $to) = @_;
    my %relay = (to => $to, mode => 'heal', delay => 0, sides => {});
    while (1) {
        my ($in, $out) = (IO::Select->new($control), IO::Select->new);
        $in->add($listen) if $relay{mode} ne 'stall';
        my $wait = 600;
        for my $side ($relay{mode} eq 'stall' ? () : values %{$relay{sides}}) {
            $in->add($side->{socket}) if !$side->{ended} and !$side->{other} || @{$side->{other}{queue}} < 64;
            my $first = $side->{queue}[0] or next;
            my $left = $first->[0] - Stockcert::now();
            $left > 0 ? $wait = $left < $wait ? $left : $wait : $out->add($side->{socket});
        }
        my ($read, $write) = IO::Select->select($in, $out, undef, $wait);
        for my $socket (@{$read || []}) {
            if ($socket == $control) {
                sysread $control, my $line, 100 or return;
                obey(\%relay, $line);
                syswrite $control, '.';
            } elsif ($socket == $listen) {
                connected(\%relay, $listen);
            } else {
                take(\%relay, $relay{sides}{$socket} || next);
            }
        }
        for my $socket (@{$write || []}) {
            give(\%relay, $relay{sides}{$socket} || next);
        }
    }
}

sub obey {
    my ($relay, $line) = @_;
    $line =~ /^(cut|stall|heal|delay)(?: (.*))?$/ or die "what is $line\n";
    return $relay->{delay} = $2 if $1 eq 'delay';
    if ($1 eq 'heal') {
        $relay->{delay} = 0;
        close_both($relay, $_) for grep { $_->{lost} } map { $_ } values %{$relay->{sides}};
    }
    $relay->{mode} = $1;
}

sub connected {
    my ($relay, $listen) = @_;
    my $client = $listen->accept or return;
    my $cut = $relay->{mode} eq 'cut';
    my $server = $cut ? undef : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $relay->{to}) || return;
    my @sides = map { { socket => $_, queue => [], lost => $cut } } grep { $_ } $client, $server;
    $sides[$_]{other} = $sides[1 - $_] for $cut ? () : (0, 1);
    for my $side (@sides) {
        $side->{socket}->blocking(0);
        $relay->{sides}{$side->{socket}} = $side;
    }
}

sub take {
    my ($relay, $side) = @_;
    my $n = sysread $side->{socket}, my $bytes, 65536;
    return if !defined $n and $!{EAGAIN};
    $side->{ended} = 1 if !$n;
    if ($relay->{mode} eq 'cut') {
        $_->{lost} = 1 for grep { $_ } $side, $side->{other};
    } elsif ($side->{other}) {
        push @{$side->{other}{queue}}, [Stockcert::now() + $relay->{delay}, $n ? $bytes : undef];
    }
}

sub give {
    my ($relay, $side) = @_;
    my $bytes = $side->{queue}[0][1];
    if ($relay->{mode} eq 'cut') {
        $_->{lost} = 1 for $side, $side->{other};
        shift @{$side->{queue}};
        return;
    }
    my $n = defined $bytes ? syswrite $side->{socket}, $bytes : undef;
    return if defined $bytes and !defined $n and $!{EAGAIN};
    return close_both($relay, $side) if !$n;
    substr($side->{queue}[0][1], 0, $n, '');
    shift @{$side->{queue}} if $n == length $bytes;
}

sub close_both {
    my ($relay, $side) = @_;
    my @both = grep { $_ } $side, $side->{other};
    for my $one (@both) {
        delete $relay->{sides}{$one->{socket}};
        close $one->{socket};
        delete $one->{other};
    }
}

1;
