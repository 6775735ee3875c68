# Two machines issue without a pause, and one has a longer way to etcd. It is too late for
# each head, as the other one has appended again, but machines take turns: so it gets half
# of all certificates, once both know of each other. Without turns it gets next to none.

use strict;
use warnings;
use IO::Select;
use Test::More;
use Stockcert;
use Stockcert::Cluster;

my $cluster = Stockcert::Cluster->new(relays => 1, machines => 2, members => 1, server => { workers => 1 },
    block => sub { return 'etcd_timeout 30s;' });
$_->delay(0.02) for $cluster->links(1);

# ten clients of each, that come again at once

my $select = IO::Select->new;
my (%of, %answered, %issued, %status);

sub come {
    my ($i, $client) = @_;
    $client->send('POST', '/', grant('CS', 1, "of machine $i"));
    $of{$client->{socket}} = [$i, $client];
}

sub answer {
    my ($client) = @_;
    my $r = $client->receive;
    $status{$r->{status} || $r->{error}}++;
}

for my $i (0, 1) {
    for my $client (map { $cluster->machine($i)->client } 1 .. 10) {
        come($i, $client);
        $select->add($client->{socket});
    }
}

# counted from when the other one has had some turns

while (($issued{0} // 0) + ($issued{1} // 0) < 500) {
    my @ready = $select->can_read($Stockcert::TIMEOUT) or die "no answer\n";
    for my $socket (@ready) {
        my ($i, $client) = @{$of{$socket}};
        answer($client);
        $answered{$i}++;
        $issued{$i}++ if ($answered{1} // 0) > 100;
        come($i, $client);
    }
}
cmp_ok($issued{1}, '>=', 500 / 6, 'who has a longer way gets a sixth at least');
cmp_ok($issued{0}, '>=', 500 / 6, '... and so does the other one');
note("$issued{0} and $issued{1}");

answer($_->[1]) for values %of;
is_deeply([keys %status], [201], 'all are issued');
$cluster->settle;
is_deeply([$cluster->parted], [], 'and the journals are the same bytes');

for my $server ($cluster->servers) {
    is($server->stop, 0, 'nginx ends in order');
    ok($server->log !~ /exited on signal|\[alert\]|\[emerg\]/, 'no worker crashed');
}

done_testing();
