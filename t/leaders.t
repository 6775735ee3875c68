# Leaders that die, fail or stall: a flush that finds no room, a commit that kills its
# leader, a disk that fails for good, and two ledgers with one thread.

use strict;
use warnings;
use Errno qw(EIO ENOSPC);
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;
use Stockcert::Checks;

sub error { my ($r) = @_; return join ' ', $r->{status}, $r->{json}{error} // () }

sub failures { my ($server, $call) = @_; return scalar grep { "@$_[0, 1]" eq "failed $call" } $server->gate_log }

# A leader is killed in its flush. The next one recovers what it left, and finds no room
# in every flush. It must not try for ever, and clients must be told.

my $server = Stockcert->new(flushes => 1, listen => 'reuseport')->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;
my %of = $server->clients_of_workers(2);
my %probe2 = $server->clients_of_workers(2);
$server->hold('fdatasync');
my ($first) = keys %of;
$of{$first}->send('POST', '/', grant('CS', 1, 'killed'));
my $leader = $server->held('fdatasync');
my ($other) = grep { $_ != $leader } keys %of;
$of{$other}->send('POST', '/', grant('CS', 1, 'waits'));
$probe2{$other}->ask('GET', '/static');     # answered after that was read
$server->fail('fdatasync', ENOSPC);
kill KILL => $leader;
unlink "$server->{gate}/hold-fdatasync";
my $r = $of{$other}->receive;
is(error($r), '500 outcome_unknown', 'no room to flush what is recovered: it is told that this is not known');
my $start = now();
my $before = failures($server, 'fdatasync');
sleep 2;
my $tries = failures($server, 'fdatasync') - $before;
my $seconds = now() - $start;
cmp_ok($tries, '<', 5 * $seconds, sprintf 'and it is not tried all the time: %d times in %.1f seconds', $tries, $seconds);

# the same with a disk that fails for good: old workers leave, and so do all

wait_for('two workers', sub { $server->ready });
my @old = $server->workers;
kill HUP => $server->{master};
wait_for('the old workers leave', sub { my %title = $server->processes; !grep { $title{$_} } @old });
pass('a reload ends while no flush succeeds');
$server->fail('fdatasync', EIO);
my $client = $server->client;
$client->send('POST', '/', grant('CS', 1, 'fails'));
like(error($client->receive), qr/^(?:500 outcome_unknown|503 ledger_unavailable)$/, 'a disk that fails: told so');
is($server->stop, 0, 'QUIT ends all');
$server->release('fdatasync');
$server->start;
wait_for('it issues', sub { $server->client->issue('CS', 1, 'after ' . now())->{status} == 201 });
is_deeply([check_ledger($server, [])], [], 'the ledger');
$server->stop;


# A commit kills its leader, twice. Then its grants are given up, and others go on. A
# third worker tells the clients.

$server = Stockcert->new(flushes => 1, workers => 3, listen => 'reuseport')->start;
%of = $server->clients_of_workers(3);
my %probe = $server->clients_of_workers(3);
$server->hold('fdatasync');
($first) = keys %of;
$of{$first}->send('POST', '/', grant('CS', 1, 'leads'));
$leader = $server->held('fdatasync');
my @waiting = grep { $_ != $leader } keys %of;
$of{$_}->send('POST', '/', grant('CS', 1, "waits $_")) for @waiting;

# what a worker answers now came later than these

$probe{$_}->ask('GET', '/static') for @waiting;
$server->crash('pwrite');
unlink "$server->{gate}/hold-fdatasync";
my @got = grep { $_->{status} } map { $of{$_}->receive } keys %of;
cmp_ok(scalar(@got), '>', 0, 'two leaders died: who waits in another worker is told');
is_deeply([map { error($_) } @got], [('500 outcome_unknown') x @got], 'that this is not known');
$server->release('fdatasync', 'pwrite');
wait_for('all workers', sub { $server->ready });
my $crashed = grep { $_->[0] eq 'crashed' } $server->gate_log;
is($crashed, 2, 'two died');
wait_for('the log says so', sub { $server->log =~ /\[error\] .* processes died again and again in the commit of the same \d+ grants/ });
is($server->client->issue('CS', 1, 'goes on')->{status}, 201, 'others go on');
my ($inventory, $certificates) = Stockcert::read_ledger($server);
is_deeply([map { $_->{stakeholder} } @$certificates], ['goes on'], 'what killed them is not issued');
$server->stop;


# One thread for two ledgers, and flushes that take longer than a leader's turn. The
# second ledger waits for the commit that runs, and perhaps for the next one, however
# much waits for the first ledger.

$server = Stockcert->new(flushes => 1, workers => 1, http => ledger('acme') . ledger('beta'),
    main => 'thread_pool default threads=1 max_queue=64;',
    location => 'location /acme/ { stockcert acme; } location /beta/ { stockcert beta; }')->start;
my $load = Stockcert::Load->new($server, uri => '/acme/', clients => 8);
$load->progress(30);
for my $n (1 .. 3) {
    $server->hold('fdatasync', 'ledgers/acme');
    $server->held('fdatasync');
    my $second = $server->client;
    $second->send('POST', '/beta/', grant('CS', 1, "second $n"));
    $server->taken_up($second);
    for (1, 2) {
        sleep 0.1;      # twice a turn
        $server->pass;
    }
    is($second->receive->{status}, 201, 'two commits later, the second ledger has issued');
    $server->release('fdatasync');
    $load->progress(8);
}
$load->stop;
is($server->stop, 0, 'nginx ends in order');


done_testing();
