# A machine with etcd tells its clients before its own disk has the certificates. Its
# lists have them all the same.

use strict;
use warnings;
use Test::More;
use Time::HiRes qw(time);
use Stockcert;
use Stockcert::Cluster;

my $cluster = Stockcert::Cluster->new(machines => 1, members => 1, server => { workers => 2, flushes => 1 });
my $server = $cluster->machine(0);

plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;

my @clients = values %{{ $server->clients_of_workers(2) }};
my @first = map { my $client = $_; wait_for('it issues', sub { my $r = $client->issue('CS', 1, 'first'); $r->{status} == 201 && $r->{json}{number} }) } @clients;
$server->delay(pwrite => 20);

my @late;
my $asked = 0;
my $last = $first[-1] + 40;
for my $n ($first[-1] + 1 .. $last) {
    my ($writes, $reads) = $n % 2 ? @clients : reverse @clients;
    my $r = $writes->issue('CS', 1, "client $n");
    is($r->{status}, 201, "CS-$n is issued") or last;

    # what its disk does not have within a second is left out

    my $start = time;
    my $list = $n % 4 < 2 ? $reads->ask('GET', '/')->{json}{classes}[0] : { certificates => $reads->ask('GET', '/CS?limit=1000')->{json}{certificates}[-1]{number} };
    next if time - $start >= 1;
    $asked++;
    push @late, $n if $list->{certificates} < $n;
}
is_deeply(\@late, [], "and is in the lists of both workers at once, $asked times");
cmp_ok($asked, '>', 0, 'some times');

# a disk that stands still: what was told before is read

wait_for('its disk has all', sub { $clients[1]->ask('GET', '/')->{json}{classes}[0]{certificates} == $last });
$server->hold('pwrite');
is($clients[0]->issue('CS', 1, 'held')->{status}, 201, 'a disk that stands still: it is told');
$server->held('pwrite');
is($clients[1]->ask('GET', '/')->{json}{classes}[0]{certificates}, $last, 'and read without that, after a while');
$server->release('pwrite');
wait_for('the disk goes on', sub { $clients[1]->ask('GET', '/')->{json}{classes}[0]{certificates} == $last + 1 });
is($server->stop, 0, 'nginx ends in order');

done_testing;
