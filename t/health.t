# "stockcert_health": 200 while each ledger is open and takes grants; otherwise 503, with
# the ledger and what is wrong. It waits for no lock, and passes again by itself.

use strict;
use warnings;
use Errno qw(EIO);
use Fcntl qw(:flock);
use Test::More;
use Stockcert;
use Stockcert::Cluster;
use Stockcert::Metrics;

# one of the answers that come until it is that

sub becomes {
    my ($client, $status, $output) = @_;
    return wait_for("$status $output", sub {
        my ($got, $json) = health($client);
        my $why = $json->{checks}{acme}[0]{output} // '';
        return $got == $status && $why =~ $output && $json;
    });
}

my $acme = ledger('acme');
my $server = Stockcert->new(flushes => 1, listen => 'reuseport', http => $acme . ledger('b\\"b'),
    location => watched('location / { stockcert acme; stockcert_transactions on; }', 'location = /closed { stockcert_health; limit_except GET { deny all; } }'))->start;
my $client = $server->client;

my ($status, $json, $r) = health($client);
is($status, 200, 'all is well');
is_deeply($json, { status => 'pass', checks => { acme => [{ status => 'pass' }], 'b"b' => [{ status => 'pass' }] } }, '... of each ledger');
is($r->{headers}{'content-type'}, 'application/health+json', 'its type');
is($r->{headers}{'cache-control'}, 'no-store', 'no cache keeps it');
is($client->ask('GET', "/$_", undef, 'If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT')->{status}, 200, "$_ has no date") for qw(health status);
$r = $client->ask('HEAD', '/health');
is("$r->{status} $r->{headers}{'content-length'} $r->{body}", '200 ' . length((health($client))[2]{body}) . ' ', 'HEAD');
$r = $client->ask('POST', '/health', '{}');
is("$r->{status} $r->{headers}{allow}", '405 GET, HEAD', 'POST');
is($client->ask('GET', '/closed')->{status}, 200, 'limit_except: GET');
is($client->ask('POST', '/closed', '{}')->{status}, 403, 'limit_except: POST');


SKIP: {
    skip 'TEST_NGINX_BINARY takes the LD_PRELOAD away', 14 if !$server->has_gate;

    # a disk

    $server->fail('pwrite', EIO, 'acme');
    wait_for('it fails', sub {
        my $refused = $client->issue('CS', 1, 'fails')->{status} >= 500;
        $json = (health($client))[1];
        return $refused && ($json->{checks}{acme}[0]{output} // '') =~ /^the last commit failed \d+ s ago: the disk failed$/;
    });
    is($json->{status}, 'fail', 'a disk that failed');
    is($json->{checks}{'b"b'}[0]{status}, 'pass', '... of one ledger');
    is(counted($client, 'up'), 0, '... is not up');
    is(counted($client, 'commit_failures_total') > 0, 1, '... and is counted');
    $server->release('pwrite');
    wait_for('it is open', sub { $client->issue('CS', 1, 'goes on')->{status} == 201 });
    becomes($client, 200, qr/^$/);
    pass('after a commit all is well');

    # a leader that stalls, as seen by the other worker

    $server->hold('fdatasync', 'acme');
    my $waits = $server->client;
    $waits->send('POST', '/', grant('CS', 1, 'waits'));
    my $leader = $server->held('fdatasync');
    becomes($client, 503, qr/^process $leader has been in a commit for \d+ s$/);
    pass('one that does not end is');
    $server->release('fdatasync');
    is($waits->receive('POST')->{status}, 201, 'it ends');
    becomes($client, 200, qr/^$/);
    pass('... and all is well');

    # one that died in a commit, with nobody who waits any more

    $server->crash('fdatasync', 'acme');
    $server->client->issue('CS', 1, 'kills');
    $server->release('fdatasync');
    wait_for('a worker is there again', sub { $server->ready });
    becomes($server->client, 200, qr/^$/);
    pass('a leader that died is no fault');

    # the same, in a transaction, and its process id is taken: by what is left of it

    is($server->client->issue('CS', 1, 'Ann')->{status}, 201, 'a certificate to transfer');
    my %of = $server->clients_of_workers(2);
    my ($dies, $stays) = keys %of;
    kill STOP => $server->{master};
    $server->crash('fdatasync', 'acme');
    $of{$dies}->ask('POST', '/transactions', '{"type":"transfer","from":["CS-1"],"to":[{"name":"Eve","amount":1}],"reference":"x"}');
    $server->release('fdatasync');
    my $late = now() + 6;
    wait_for('it would be late', sub { now() > $late });
    is_deeply([kill(0 => $dies), (health($of{$stays}))[0]], [1, 200], 'what another process has the id of is no fault');
    kill CONT => $server->{master};
    wait_for('a worker is there again', sub { $server->ready });

    # somebody else has the lock

    $client = $server->client;
    open my $lock, '<', "$server->{dir}/ledgers/acme/data.mdb" or die "data.mdb: $!\n";
    flock $lock, LOCK_EX or die "flock: $!\n";
    $waits = $server->client;
    $waits->send('POST', '/', grant('CS', 1, 'waits for a lock'));
    becomes($client, 503, qr/^a grant has waited for \d+ s$/);
    pass('a grant that waits for too long');
    close $lock;
    is($waits->receive('POST')->{status}, 201, 'it is issued');
    becomes($client, 200, qr/^$/);
    pass('... and all is well');

    open $lock, '<', "$server->{dir}/ledgers/acme/data.mdb" or die "data.mdb: $!\n";
    flock $lock, LOCK_EX or die "flock: $!\n";
    $waits->send('POST', '/transactions', '{"type":"transfer","from":["CS-2"],"to":[{"name":"Eve","amount":1}],"reference":"x"}');
    wait_for('its worker says so', sub {
        my ($got, $json) = health($server->client);
        return $got == 503 && $json->{checks}{acme}[0]{output} =~ /^a transaction has waited for \d+ s$/;
    });
    pass('a transaction that waits for too long');
    close $lock;
    is($waits->receive('POST')->{status}, 201, 'it is entered');
    becomes($client, 200, qr/^$/);
    pass('... and all is well');
}
is($server->stop, 0, 'nginx ends in order');


# full

$server = Stockcert->new(location => watched('location / { stockcert; }'), http => $acme =~ s/size 1g/size 1m/r)->start;
$client = $server->client;
for (1 .. 20000) {
    last if $client->issue('CS', 1, 'x' x 250)->{status} != 201;
}
becomes($client, 503, qr/the disk or the ledger's size is full$/);
pass('a ledger that is full');
$client->close;
$server->configure(http => $acme)->reload;
$client = $server->client;
is($client->issue('CS', 1, 'x')->{status}, 201, 'with more room it goes on');
becomes($client, 200, qr/^$/);
pass('... and all is well');
$server->stop;


# not there

$server = Stockcert->new(location => watched('location / { stockcert; }'), http => $acme =~ s/size 1g;/size 1g; create off;/r)->start;
$client = $server->client;
becomes($client, 503, qr/^this worker does not have it open/);
pass('a ledger that is not there');
is($client->ask('GET', '/health', undef, 'Accept: text/html')->{headers}{'content-type'}, 'application/health+json', 'it is always JSON');
$client->close;
$server->configure(http => $acme)->reload;
becomes($server->client, 200, qr/^$/);
pass('then it is made');
$server->stop;


# no ledger at all

$server = Stockcert->new(location => watched(), http => '')->start;
is_deeply([(health($server->client))[0, 1]], [200, { status => 'pass', checks => {} }], 'no ledger: nothing is wrong');
is($server->client->ask('GET', '/status')->{status}, 200, '... and nothing to tell');
$server->stop;


# other machines

my $cluster = Stockcert::Cluster->new(machines => 2, members => 1, block => sub { 'etcd_timeout 30s;' },
    server => { location => watched('location / { stockcert; }') });
$client = $cluster->machine(0)->client;
becomes($client, 200, qr/^$/);
is($client->issue('CS', 1, "grant $_")->{status}, 201, "grant $_ is issued") for 1 .. 3;
is(counted($client, 'certificates_issued_total', 'class="CS"'), 3, 'a machine counts what it issued');
wait_for('each is appended in etcd', sub { counted($client, 'appends_total') >= 3 });
my $other = $cluster->machine(1)->client;
$cluster->settle;
is(counted($other, 'certificates_issued_total', 'class="CS"'), 0, 'and not what another one did');
is(counted($other, 'entries'), counted($client, 'entries'), '... which it has, too');
wait_for('no lag', sub { counted($other, 'replica_lag_entries') == 0 });

# not long, so that the test goes on

my $first = $cluster->machine(0);
$first->{http} =~ s/etcd_timeout \K30s/1s/ or die 'no etcd_timeout';
$first->configure->reload;
$client = $first->client;

$cluster->etcd->kill(0);
becomes($client, 503, qr/^etcd has given no answer for \d+ s$/);
pass('etcd is gone: that is told without a commit');
isnt($client->issue('CS', 1, 'is refused')->{status}, 201, '... and nothing is issued');
wait_for('then a commit fails', sub { counted($client, 'commit_failures_total') > 0 });
is(counted($client, 'up'), 0, '... and it is not up');
$cluster->etcd->start(0);
wait_for('it issues', sub { $client->issue('CS', 1, 'goes on')->{status} == 201 });
becomes($client, 200, qr/^$/);
pass('etcd is back, and all is well');

done_testing;
