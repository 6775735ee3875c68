# Ten times more requests than a worker has room for. Those that wait are issued. All
# others are told at once to come again. Memory is bounded, and after it all is as
# before.

use strict;
use warnings;
use List::Util qw(max);
use Test::More;
use Stockcert;
use Stockcert::Checks;

my $slots = 1024;       # STOCKCERT_LANE_SLOTS
my $clients = 16;
my $crowd = 640;        # connections of each: fewer than files that may be open

my $server = Stockcert->new(workers => 1, connections => 12000, flushes => 1, main => 'worker_rlimit_nofile 12500;')->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;
my ($worker) = $server->workers;
my @all;
my $soak = 60 * ($ENV{STOCKCERT_SOAK} || 0);
alarm $soak + 1800;

# kilobytes of memory for the worker alone

sub memory { return slurp("/proc/$worker/status") =~ /^RssAnon:\s*(\d+)/m ? $1 : die "no RssAnon\n" }

# what nginx itself takes for as many connections, after a request each

sub plain {
    my @clients = map { $server->client } 1 .. 500;
    my $before = memory();
    $_->ask('GET', '/static') for @clients;
    return (memory() - $before) / @clients;
}

# Returns the most memory. The first request is held in its commit. Until that is done
# nobody else has a turn, so a lane of others waits behind it.

sub wave {
    my ($what) = @_;
    $server->hold('fdatasync');
    my $first = $server->client;
    $first->send('POST', '/', grant('CS', 1, "$what first"));
    $server->held('fdatasync');
    my $start = now();
    my $load = Stockcert::Load->new($server, clients => $clients, crowd => $crowd, grants => sub { return ('CS', 1) });
    my $surplus = $clients * $crowd - ($slots - 1);
    wait_for('answers to the surplus', sub { scalar($load->answers) >= $surplus });
    my $took = now() - $start;

    # all of them keep their connections still

    my $client = $server->client;
    is($client->ask('GET', $_)->{status}, 200, "$what: GET $_ is answered meanwhile") for '/static', '/';
    is($client->issue('CS', 1, "$what late")->{json}{error}, 'too_many_waiting', "$what: one more finds no room");
    my $peak = memory();
    my @refused = $load->answers;
    is(scalar(@refused), $surplus, sprintf '%s: %d of %d are answered before the commit is done, in %.1f s',
        $what, $surplus, $clients * $crowd, $took);
    is_deeply([grep { $_->{status} != 503 || $_->{body} !~ /"error":"too_many_waiting"/ || $_->{retry_after} ne '1' } @refused],
        [], "$what: all of them to ask again later");
    ok(!$first->has_answer, "$what: who is in the commit waits on");

    $server->release('fdatasync');
    my @answers = (told($first->receive, "$what first", 'CS', 1), $load->finish);
    is(scalar(grep { $_->{status} == 201 } @answers), $slots, "$what: $slots are issued");
    push @all, @answers;
    return $peak;
}

sub recovered {
    my ($what) = @_;
    my @answers = Stockcert::Load->new($server, clients => 5, count => 10)->finish;
    is_deeply([grep { $_->{status} != 201 } @answers], [], "$what: afterwards " . @answers . ' of ' . @answers . ' are issued');
    push @all, @answers;
    is_deeply([check_ledger($server, \@all)], [], "$what: the ledger, after " . @all . ' requests');
}

my $plain = plain();
my $before = memory();
my $peak = wave('first wave');
recovered('first wave');
my $each = ($peak - $before) / ($clients * $crowd);
my $numbers = sprintf '%d KB before, %d KB at its peak, %.1f KB for each connection; nginx itself takes %.1f KB',
    $before, $peak, $each, $plain;
cmp_ok($each, '<', 2 * $plain + 4, "memory: $numbers");

my $end = now() + $soak;
my @peaks;
do {
    my $what = 'wave ' . (2 + @peaks);
    push @peaks, wave($what);
    recovered($what);
} while (now() < $end);
cmp_ok(max(@peaks), '<', 1.1 * $peak + 1024, 'memory: ' . max(@peaks) . ' KB in other waves, ' . memory() . ' KB in the end');

is_deeply([$server->workers], [$worker], 'it is the same worker');
quiet($server);
$server->stop;

done_testing();
