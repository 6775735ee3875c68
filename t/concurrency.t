# Many clients at once, on several workers, and clients that leave.

use strict;
use warnings;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Stockcert;
use Stockcert::Checks;


# twenty clients on four workers

my $server = Stockcert->new(workers => 4, listen => 'reuseport')->start;
my @all = Stockcert::Load->new($server, count => 100)->finish;
is(scalar(@all), 2000, '2000 requests of twenty clients');
my %workers = map { $_->{worker} => 1 } @all;
cmp_ok(keys %workers, '>', 1, 'on several workers');
my %classes = map { $_->{class} => 1 } @all;
is_deeply([sort keys %classes], [qw(CS PS)], 'of both classes');
well($server, \@all, 'twenty clients');


# pipelining: all that is sent is answered, in its order

my @clients = map { $server->client } 1 .. 10;
for my $n (1 .. 30) {
    for my $i (0 .. $#clients) {
        my $class = $n % 2 ? 'CS' : 'PS';
        $clients[$i]->send($n % 5 ? ('POST', '/', grant($class, $n, "pipe $i-$n")) : ('GET', "/$class?limit=1"));
    }
}
my $order = 0;
for my $i (0 .. $#clients) {
    my $last = 0;
    for my $n (1 .. 30) {
        my $r = $clients[$i]->receive;
        if ($n % 5 == 0) {
            $order++ if $r->{status} == 200 and @{$r->{json}{certificates}} == 1;
            next;
        }
        push @all, told($r, "pipe $i-$n", $n % 2 ? 'CS' : 'PS', $n);
        next if $r->{status} != 201;
        $order++ if $r->{json}{stakeholder} eq "pipe $i-$n" and $r->{json}{entry} > $last;
        $last = $r->{json}{entry};
    }
}
is($order, 300, 'pipelined requests are answered in their order');
well($server, \@all, 'pipelining');


# clients that leave: with a whole request, with half of one, in order and not

my $load = Stockcert::Load->new($server, clients => 5);
for my $n (1 .. 300) {
    my $client = $server->client;
    my $grant = grant('CS', 1, "leaves $n");
    if ($n % 3) {
        $client->send('POST', '/', $grant);
        $client->send('POST', '/', grant('CS', 1, "leaves later $n")) if $n % 2;
    } else {
        $client->connect;
        syswrite $client->{socket}, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            . 'Content-Length: ' . length($grant) . "\r\n\r\n" . substr($grant, 0, 10);
    }
    setsockopt $client->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) if $n % 4 < 2;
    $client->close;
}
$load->progress(50);
push @all, $load->stop;
$_->close for @clients;
$server->settle;
well($server, \@all, 'clients that leave');
quiet($server);
$server->stop;

done_testing();
