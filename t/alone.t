# A reload or a start gets no shared memory or no descriptors. Then each worker commits
# alone, says so once, and still issues. The next reload that gets them brings the
# workers together again.

use strict;
use warnings;
use Errno qw(EMFILE ENOMEM);
use Test::More;
use Stockcert;
use Stockcert::Checks;

my $server = Stockcert->new(flushes => 1, listen => 'reuseport', http => ledger('acme') . ledger('beta'),
    location => 'location / { stockcert acme; } location /beta/ { stockcert beta; }')->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;

my (@acme, @beta);

# every worker is asked for both ledgers, then many ask at once

sub issues {
    my ($what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my %of = $server->clients_of_workers($server->{workers});
    my $n = 0;
    my @own;
    for my $client (map { $of{$_} } sort keys %of) {
        my $name = "$what, worker " . ++$n;
        push @own, told($client->issue('CS', 1, $name), $name, 'CS', 1);
        push @beta, told($client->issue('CS', 1, $name, '/beta/'), $name, 'CS', 1);
        push @own, $beta[-1];
    }
    is_deeply([map { $_->{status} } @own], [(201) x @own], "$what: every worker issues");
    push @acme, grep { $_->{headers}{location} !~ /beta/ } @own;
    push @acme, Stockcert::Load->new($server, clients => 6, count => 10, tag => "$what, client")->finish;
    well($server, \@acme, "$what, one ledger");
    well($server, \@beta, "$what, the other", uri => '/beta/');
}

my $alone = sub { return scalar grep { /\[warn\] .*stockcert commits for this worker alone/ } split /^/, $server->log };
my $failed = sub { my ($call) = @_; return scalar grep { "@$_[0, 1]" eq "failed $call" } $server->gate_log };

issues('together');
is($alone->(), 0, 'together: nobody is alone');

for my $case (['eventfd', EMFILE], ['share', ENOMEM]) {
    my ($call, $errno) = @$case;

    my ($before, $calls) = ($alone->(), $failed->($call));
    $server->fail($call, $errno, 'master');
    $server->reload;
    cmp_ok($failed->($call), '>', $calls, "$call fails at a reload");
    issues("$call failed at a reload");
    is($alone->() - $before, 2, 'each worker says once that it commits alone');

    # one that is killed: the next one, too

    $server->kill_worker(($server->workers)[0]);
    issues("$call failed, a worker was killed");
    is($alone->() - $before, 3, 'and so does a new one');

    # twice, and then it is as before

    $server->reload;
    issues("$call failed at the next reload");
    $server->release($call);
    $before = $alone->();
    $server->reload;
    issues("$call does not fail any more");
    is($alone->() - $before, 0, 'nobody is alone');

    $server->stop;
    $server->fail($call, $errno, 'master');
    $server->start;
    issues("$call failed at a start");
    is($alone->() - $before, 2, 'each worker says so once');
    $server->release($call);
    $server->reload;
    issues("$call did not fail after that");
    is($alone->() - $before, 2, 'nobody is alone');
}

# A worker that cannot even get memory of its own answers 503, and tries again.

$server->fail('share', ENOMEM);
$server->reload;
my $client = $server->client;
is($client->issue('CS', 1, 'nothing')->{json}{error}, 'ledger_unavailable', 'no memory at all: told to come again');
$server->release('share');
my $n = 0;
wait_for('it issues', sub {
    my $name = 'with memory ' . $n++;
    my $r = $client->issue('CS', 1, $name);
    push @acme, told($r, $name, 'CS', 1) if $r->{status} == 201;
    return $r->{status} == 201;
});
pass('memory is there again: it issues, without a reload');
$server->reload;
issues('in the end');

is($server->stop, 0, 'nginx ends in order');
ok($server->log !~ /exited on signal (?!9\b)/, 'no worker crashed');
is_deeply([grep { !/eventfd\(\) failed|mmap\(MAP_ANON\|MAP_SHARED, \d+\) failed/ } $server->complaints], [], 'nothing else in the log');

done_testing();
