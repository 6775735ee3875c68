package Stockcert::Port;

# A port that no other process gets before this one ends, whether or not somebody
# listens on it. A socket is bound to it. At first this socket shares the port with
# nothing, so it is the first there. Then it lets nginx listen there, any number of
# times. The port is below those that connecting clients get: such a client could
# connect to itself while the server is down.

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;
use List::Util qw(max);
use Socket qw(SOL_SOCKET SO_REUSEADDR);

our @EXPORT = qw(free_port);

my @held;

# With numbers, the ports that are so much higher are free, too.

sub free_port {
    my @offsets = (0, @_);
    my $low = 32768;
    if (open my $range, '<', '/proc/sys/net/ipv4/ip_local_port_range') {
        my ($first) = <$range> =~ /(\d+)/;
        $low = $first if $first >= 11000;
    }
    for (1 .. 1000) {
        my $port = 10000 + int rand($low - 10000 - max(@offsets));
        my @sockets = grep { defined } map {
            scalar IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '0.0.0.0', LocalPort => $port + $_)
        } @offsets;
        next if @sockets < @offsets;
        setsockopt $_, SOL_SOCKET, SO_REUSEADDR, 1 or die "setsockopt: $!\n" for @sockets;
        push @held, @sockets;
        return $port;
    }
    die "no port is free\n";
}

1;
