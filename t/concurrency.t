# Many clients at once, on several workers; clients that leave; reloads under
# load; and a disk that is slow.

use strict;
use warnings;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Stockcert;

# request and answer as check_ledger() wants them

sub told {
    my ($r, $name, $class, $amount) = @_;
    return { %$r, name => $name, class => $class, amount => $amount };
}

my $there;      # certificates of the first class, the last time that all was well

sub well {
    my ($server, $answers, $what, @arg) = @_;
    my %status;
    $status{$_->{status} || $_->{error}}++ for @$answers;
    is_deeply([keys %status], [201], "$what: all are issued");
    is_deeply([check_ledger($server, $answers, lost => 'never', @arg)], [], "$what: the ledger");
    $there = $server->client->ask('GET', '/')->{json}{classes}[0]{certificates};
}

sub quiet {
    my ($server) = @_;
    is_deeply([$server->complaints], [], 'nothing to complain of in the log');
    ok($server->log !~ /exited on signal/, 'no worker crashed');
}


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
well($server, \@all, 'clients that leave');
quiet($server);
$server->stop;


# A reload under load. A kept connection may be closed while the next request is
# on its way, as HTTP has it: that one was not seen, so it must not be issued.

$server = Stockcert->new->start;
$load = Stockcert::Load->new($server);
for (1 .. 6) {
    $load->progress(100);
    $server->reload;
}
$load->progress(100);
@all = $load->stop;
my @closed = grep { $_->{error} eq 'closed' } @all;
cmp_ok(scalar(@closed), '<', @all / 10, @closed . ' of ' . @all . ' found their connection closed');
is_deeply([grep { $_->{status} != 201 && $_->{error} ne 'closed' } @all], [], 'no other request failed in six reloads');
is_deeply([check_ledger($server, \@all, lost => 'never')], [], 'the ledger after reloads, without those');
quiet($server);
$server->stop;


# A slow disk

$server = Stockcert->new(workers => 1, flushes => 1)->start;
if (-T ($ENV{TEST_NGINX_BINARY} || '') and !$server->has_gate) {
    note('TEST_NGINX_BINARY takes the LD_PRELOAD away: no slow disk');
    done_testing();
    exit;
}

my ($one, $two) = ($server->client, $server->client);
@all = ();
$there = 0;

sub goes_on {
    my ($where, @waiting) = @_;
    local $Stockcert::TIMEOUT = 5;
    my $n = 0;
    $n++ while $n < 20 and $two->ask('GET', $n % 2 ? '/static' : '/')->{status} == 200;
    is($n, 20, "a commit is held at $where: twenty other requests are answered");
    is($two->ask('GET', '/CS-' . ($there + 1))->{status}, 404, 'no certificate is there');
    ok(!grep({ $_->has_answer } @waiting), 'nobody was told of one');
}

$server->hold($_) for qw(fdatasync pwrite);
$one->send('POST', '/', grant('CS', 1, 'slow'));
$server->held('fdatasync');
goes_on('fdatasync', $one);
$server->release('fdatasync');
$server->held('pwrite');
goes_on('pwrite', $one);
$server->release('pwrite');
push @all, told($one->receive, 'slow', 'CS', 1);
well($server, \@all, 'slow');

# what waits together is committed together

my $flushes = sub { return scalar grep { "@$_[0, 1]" eq 'done pwrite' } $server->gate_log };
my $before = $flushes->();
$server->hold('fdatasync');
my @many = map { $server->client } 1 .. 100;
$many[0]->send('POST', '/', grant('CS', 2, 'many 0'));
$server->held('fdatasync');
$many[$_]->send('POST', '/', grant('CS', 2, "many $_")) for 1 .. $#many;
goes_on('fdatasync', @many);
$server->release('fdatasync');
push @all, map { told($many[$_]->receive, "many $_", 'CS', 2) } 0 .. $#many;
well($server, \@all, 'a hundred that wait');
cmp_ok($flushes->() - $before, '<=', 3, 'few commits for them');

# every client that leaves while its request is held

$server->hold('fdatasync');
$one->send('POST', '/', grant('CS', 3, 'stays'));
$server->held('fdatasync');
for my $n (0 .. $#many) {
    $many[$n]->send('POST', '/', grant('CS', 3, "gone $n"));
    setsockopt $many[$n]->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) if $n % 2;
}
goes_on('fdatasync', $one);
$_->close for @many;
goes_on('fdatasync', $one);
$server->release('fdatasync');
push @all, told($one->receive, 'stays', 'CS', 3), told($two->issue('CS', 3, 'next'), 'next', 'CS', 3);
well($server, \@all, 'those who left');
quiet($server);

# QUIT and reload: what waits is answered

$server->hold('fdatasync');
$one->send('POST', '/', grant('CS', 4, 'reload'));
$server->held('fdatasync');
my ($old) = $server->workers;
kill HUP => $server->{master};
wait_for('the old worker shuts down', sub { my %title = $server->processes; $title{$old} =~ /shutting down/ });
ok(!$one->has_answer, 'after HUP: a request waits on');
$two = $server->client;
@many = map { $server->client } 1 .. 10;
$many[$_]->send('POST', '/', grant('CS', 4, "after reload $_")) for 0 .. $#many;
goes_on('fdatasync in the old worker', $one, @many);
$server->release('fdatasync');
push @all, told($one->receive, 'reload', 'CS', 4);
push @all, map { told($many[$_]->receive, "after reload $_", 'CS', 4) } 0 .. $#many;
well($server, \@all, 'reload in a commit');
wait_for('the old worker ends', sub { $server->ready($old) });

$server->hold('fdatasync');
$two->send('POST', '/', grant('CS', 5, 'quit'));
$server->held('fdatasync');
kill QUIT => $server->{master};
wait_for('the worker shuts down', sub { my %title = $server->processes; grep { /shutting down/ } values %title });
ok(!$two->has_answer, 'after QUIT: a request waits on');
$server->release('fdatasync');
push @all, told($two->receive, 'quit', 'CS', 5);
is($all[-1]{status}, 201, 'and is answered');
is($server->stop, 0, 'nginx ends in order');
quiet($server);
$server->start;
well($server, \@all, 'quit in a commit');

# worker_shutdown_timeout ends the request while its commit is held

$server->stop;
$server->configure(main => 'worker_shutdown_timeout 50ms;')->start;
($old) = $server->workers;
$server->hold('fdatasync');
$one = $server->client;
$two = $server->client;
$_->ask('GET', '/static') for $one, $two;
$two->send('POST', '/', undef, 'Content-Type: application/json', 'Content-Length: 10');
$one->send('POST', '/', grant('CS', 6, 'shut down'));
$server->held('fdatasync');
kill HUP => $server->{master};
is($two->receive->{error}, 'closed', 'worker_shutdown_timeout closes a request that is not whole');
$server->release('fdatasync');
is($one->receive->{error}, 'closed', 'and one that waits, once its commit is done');
wait_for('the old worker ends', sub { $server->ready($old) });
push @all, told($server->client->issue('CS', 6, 'after it'), 'after it', 'CS', 6);
well($server, \@all, 'shutdown timeout');
quiet($server);
$server->stop;


# Under load, each answer has a whole commit behind it: a flush that began after
# the request was sent, and LMDB's last step after that, done before the answer
# was there.

$server = Stockcert->new(flushes => 1, listen => 'reuseport')->start;
@all = Stockcert::Load->new($server, count => 25)->finish;
well($server, \@all, 'with a log of flushes');
my (%flush, @commits);
for ($server->gate_log) {
    my ($what, $call, $pid, $time) = @$_;
    $flush{$pid} = $time if "$what $call" eq 'at fdatasync';
    push @commits, [$flush{$pid} / 1e9, $time / 1e9] if "$what $call" eq 'done pwrite' and $flush{$pid};
}
my @early = grep {
    my $r = $_;
    !grep { $_->[0] > $r->{sent} && $_->[1] < $r->{answered} } @commits;
} @all;
is(scalar(@early), 0, 'no answer came before its flush');
cmp_ok(scalar(@commits), '<', @all, scalar(@commits) . ' commits for ' . @all . ' certificates');
quiet($server);
$server->stop;

done_testing();
