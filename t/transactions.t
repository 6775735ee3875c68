# POST /transactions, with nginx running: two who want the same certificate, keys,
# how many may wait, bodies in files, a class without a share left, a ledger
# without room, a disk that fails, and kill -9. A transaction is there whole or not
# at all, and no holder loses a share.

use strict;
use warnings;
use Errno qw(EIO);
use Cpanel::JSON::XS;
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;
use Stockcert::Checks;
use Stockcert::Transactions;

my $on = 'location / { stockcert; stockcert_transactions on; }';
my $server = Stockcert->new(flushes => 1, listen => 'reuseport', http => ledger('acme', CS => 9000000, PS => 1000),
    location => "$on location /off/ { stockcert; }")->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;
my $client = $server->client;
my (@grants, @told);

sub issue {
    my ($class, $amount, $name) = @_;
    my $r = $client->issue($class, $amount, $name);
    push @grants, told($r, $name, $class, $amount);
    return $r->{json}{cert_id} // die "$name: $r->{status} $r->{body}\n";
}

sub send_it {
    my ($http, $body, $key) = @_;
    $http->send('POST', '/transactions', $body, $key ? "Idempotency-Key: $key" : ());
}

# answers in the order of the requests; with the reference, for check_transactions()

sub receive {
    my ($http, $reference) = @_;
    my $r = { %{$http->receive}, reference => $reference };
    push @told, $r if !$r->{headers}{'idempotent-replayed'};
    return $r;
}

sub transact {
    my ($http, $from, $reference, @to) = @_;
    send_it($http, transfer($from, $reference, @to));
    return receive($http, $reference);
}

sub is_problem {
    my ($r, $status, $error, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is("$r->{status} " . ($r->{json}{error} // ''), "$status $error", $what);
}

sub well_all {
    my ($what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply([check_transactions($server, \@grants, \@told)], [], "$what: the ledger");
}

# what there is no memory of any more: another server, and another ledger

sub fresh_server {
    $server->stop;
    $server = Stockcert->new(flushes => 1, listen => 'reuseport', location => $on, http => ledger('acme', CS => 9000000), @_)->start;
    $client = $server->client;
    @grants = @told = ();
}


# Off by default

my $id = issue('CS', 100, 'off');
for my $uri (qw(/off/transactions /off/transactions/4)) {
    for my $method (qw(GET POST)) {
        my $r = $client->ask($method, $uri, $method eq 'POST' ? transfer($id, 'off', Bob => 1) : undef);
        is_problem($r, 404, 'not_found', "off: $method $uri");
    }
}
like($client->ask('GET', '/off/transactions/4')->{json}{detail}, qr{/CS-17}, 'off: what there is');
like($client->ask('GET', $_)->{json}{detail}, qr{^a path is that of .*/transactions/812}, "$_: what was looked for")
    for qw(/transactions/1 /transactions/999 /transactions/0 /transactions/x /transactions/ /transactionsx);
is(($client->ask('DELETE', '/off/transactions')->{headers}{allow} // '') =~ /POST/, '', 'off: no POST in Allow');
like($client->ask('DELETE', '/transactions')->{headers}{allow}, qr/\bPOST\b/, 'on: POST in Allow');
is($client->ask('GET', "/off/$id")->{json}{status}, 'outstanding', 'off: nothing was transferred');


# Two clients, the same certificate, at once

my %of = $server->clients_of_workers(2);
my @two = values %of;
my %outcome;
for my $n (1 .. 100) {
    my $from = issue('CS', 10, "twice $n");
    my @pair = $n % 2 ? @two : ($two[0], $client);
    send_it($pair[$_], transfer($from, "twice $n, client $_", "Buyer $_" => 7)) for 0, 1;
    my @r = map { receive($pair[$_], "twice $n, client $_") } 0, 1;
    my ($won, $lost) = sort { $a->{status} <=> $b->{status} } @r;
    $outcome{"$won->{status} $lost->{status} " . ($lost->{json}{error} // '')}++;
    push @{$outcome{others}}, $lost->{body}
        if ($lost->{json}{transaction} // 0) != ($won->{json}{transaction} // -1) or ($lost->{json}{certificate} // '') ne $from;
}
is_deeply(\%outcome, { '201 409 not_outstanding' => 100 }, 'two at once: one is entered, and the other is told by which');
well_all('two at once');


# Keys

my ($of_one, $of_two) = map { issue('CS', 50, "key $_") } 1, 2;
my $body = transfer($of_one, 'with a key', Bob => 20);
send_it($client, $body, 'key');
my $first = receive($client, 'with a key');
is($first->{status}, 201, 'a key: entered');
is($first->{headers}{location}, "/transactions/$first->{json}{transaction}", 'a key: its Location');
is($client->ask('GET', $first->{headers}{location})->{body}, $first->{body}, 'a key: GET has the same bytes');

sub replayed {
    my ($what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $text ($body, $body =~ s/,/ , /gr) {
        send_it($client, $text, 'key');
        my $r = receive($client, 'with a key');
        is_deeply([$r->{status}, $r->{body}, @{$r->{headers}}{qw(location idempotent-replayed)}],
            [201, $first->{body}, $first->{headers}{location}, 'true'], "a key, $what: the same bytes");
    }
}

replayed('again');
transact($client, $first->{json}{balance}, 'of the balance', Cy => 1);
replayed('when its balance is gone');
is_problem($client->ask('POST', '/transactions', transfer($of_two, 'with a key', Bob => 20), 'Idempotency-Key: key'),
    422, 'idempotency_key_reused', 'a key: for another transaction');
is_problem($client->ask('POST', '/', grant('CS', 1, 'reused'), 'Idempotency-Key: key'), 422, 'idempotency_key_reused', 'a key: for a grant');
my $grant = $client->ask('POST', '/', grant('CS', 9, 'of a grant'), 'Idempotency-Key: grant');
push @grants, told($grant, 'of a grant', 'CS', 9);
is_problem($client->ask('POST', '/transactions', transfer($of_two, 'of a grant', Bob => 1), 'Idempotency-Key: grant'),
    422, 'idempotency_key_reused', 'a key: of a grant');
is(transact($client, $grant->{json}{cert_id}, 'of a grant that has a key', Bob => 9)->{status}, 201, 'a grant with a key is transferred');
my $again = $client->ask('POST', '/', grant('CS', 9, 'of a grant'), 'Idempotency-Key: grant');
like($again->{body}, qr/\A\Q@{[$grant->{body} =~ s,\}\n\z,,r]}\E,"status":"surrendered","surrendered_at":"[^"]+","transaction":$told[-1]{json}{transaction}\}\n\z/,
    'and its replay says so');


# A worker is killed in its commit, and the same is asked for again

for my $where (qw(fdatasync pwrite written)) {
    my $from = issue('CS', 30, "killed at $where");
    my $reference = "transfer killed at $where";
    my $http = $server->client;
    $server->hold($where);
    my $lines = $server->gate_log;
    send_it($http, transfer($from, $reference, Bob => 11), $reference);
    wait_for('its commit', sub { scalar($server->gate_log) > $lines });
    my $pid = $server->held($where);
    kill KILL => $pid;
    $server->release($where);
    wait_for('a new worker', sub { $server->ready($pid) });
    is($http->receive->{status}, 0, "$reference: not told");
    $http = $server->client;
    send_it($http, transfer($from, $reference, Bob => 11), $reference);
    my $r = { %{$http->receive}, reference => $reference };
    is($r->{status}, 201, "$reference: told when it asks again");
    push @told, $r;
    well_all($reference);
}
$client = $server->client;
$server->stop('KILL');
$server->start;
replayed('after kill -9 of all');
$server->reload;
replayed('after a reload');
well_all('restarts');


# Sixteen wait in a worker, and the seventeenth does not

fresh_server(workers => 1, main => 'worker_shutdown_timeout 1h;');

# holds a commit; returns who is in it

sub hold_commit {
    my ($name) = @_;
    my $held = $server->client;
    $server->hold('fdatasync');
    $held->send('POST', '/', grant('CS', 1, $name));
    $server->held('fdatasync');
    return $held;
}

for my $round (1 .. 3) {
    my @from = map { issue('CS', 10, "waits $round $_") } 1 .. 17;
    my @waiting = map { $server->client } 1 .. 16;
    my $held = hold_commit("held $round");
    send_it($waiting[$_], transfer($from[$_], "waits $round $_", Bob => 3)) for 0 .. 15;
    $server->taken_up(@waiting);
    my $r = transact($client, $from[16], "waits $round 16", Bob => 3);
    is_problem($r, 503, 'too_many_waiting', "round $round: the seventeenth is refused");
    is($r->{headers}{'retry-after'}, 1, "round $round: and may come again");
    is($client->ask('GET', $_)->{status}, 200, "round $round: GET $_ is answered meanwhile") for '/static', '/';
    ok(!grep({ $_->has_answer } $held, @waiting), "round $round: the others wait");
    $server->release('fdatasync');
    push @grants, told($held->receive, "held $round", 'CS', 1);
    is_deeply([map { receive($waiting[$_], "waits $round $_")->{status} } 0 .. 15], [(201) x 16], "round $round: and are entered");
    is(transact($client, $from[16], "waits $round, again", Bob => 3)->{status}, 201, "round $round: then there is room");
}
well_all('seventeen');


# What comes while a transaction is entered does not go before a grant that waits

{
    my @from = map { issue('CS', 10, "in turn $_") } 0, 1;
    my ($held, $between, $later) = map { $server->client } 1 .. 3;
    $server->hold('fdatasync');
    send_it($held, transfer($from[0], 'in turn 0', Bob => 3));
    $server->held('fdatasync');
    $between->send('POST', '/', grant('CS', 1, 'in turn, a grant'));
    $server->taken_up($between);
    send_it($later, transfer($from[1], 'in turn 1', Bob => 3));
    $server->taken_up($later);
    $server->release('fdatasync');
    my $r = receive($held, 'in turn 0');
    push @grants, told($between->receive, 'in turn, a grant', 'CS', 1);
    my $last = receive($later, 'in turn 1');
    is_deeply([$grants[-1]{json}{entry}, $last->{json}{transaction}], [map { $r->{json}{entry} + $_ } 1, 2], 'in turn: a grant comes between');
    well_all('in turn');
}


# A client that leaves is answered by nobody, and its place is free again

{
    my @from = map { issue('CS', 10, "leaves $_") } 1 .. 16;
    my @leaving = map { $server->client } 1 .. 16;
    my $held = hold_commit('held while they leave');
    send_it($leaving[$_], transfer($from[$_], "leaves $_", Bob => 3)) for 0 .. 15;
    $server->taken_up(@leaving);
    $_->close for @leaving;
    $server->release('fdatasync');
    push @grants, told($held->receive, 'held while they leave', 'CS', 1);
    $_->close for $client, $held;
    $server->settle;
    my $from = issue('CS', 10, 'stays');
    is(transact($client, $from, 'stays', Bob => 3)->{status}, 201, 'after those who left, there is room');
    well_all('they leave');
}


# A worker that quits answers who waits in it

for my $signal (qw(HUP QUIT)) {
    my @from = map { issue('CS', 10, "$signal $_") } 1 .. 10;
    my @waiting = map { $server->client } 1 .. 10;
    $_->ask('GET', '/static') for @waiting;
    my ($old) = $server->workers;
    my $held = hold_commit("held at $signal");
    send_it($waiting[$_], transfer($from[$_], "$signal $_", Bob => 3)) for 0 .. 9;
    $server->taken_up(@waiting);
    kill $signal => $server->{master};
    wait_for('it quits', sub { my %title = $server->processes; ($title{$old} // '') =~ /shutting down/ });
    ok(!grep({ $_->has_answer } @waiting), "$signal: they wait on");
    $server->release('fdatasync');
    push @grants, told($held->receive, "held at $signal", 'CS', 1);
    is_deeply([map { receive($waiting[$_], "$signal $_")->{status} } 0 .. 9], [(201) x 10], "$signal: and are answered");
    if ($signal eq 'HUP') {
        wait_for('the old worker ends', sub { $server->ready($old) });
    } else {
        is($server->stop, 0, 'nginx ends in order');
        $server->start;
    }
    $client = $server->client;
    well_all($signal);
}


# Bodies

# of so many bytes, a transfer to a hundred

sub large {
    my ($from, $reference, $bytes) = @_;
    my @to = map { { name => "$_ " . 'n' x 250, amount => 1, address => "$_ " . 'a' x 250, capacity => "$_ " . 'c' x 250,
        holder_id => "$_-" . 'h' x 60 } } 1 .. 100;
    my $text = encode_json({ type => 'transfer', from => [$from], reference => $reference, to => \@to });
    die if length $text > $bytes;
    return substr($text, 0, -1) . ' ' x ($bytes - length $text) . '}';
}

for my $bytes (100 << 10, 128 << 10) {
    my $from = issue('CS', 1000, "a body of $bytes");
    my $files = () = $server->log =~ /a client request body is buffered to a temporary file/g;
    send_it($client, large($from, "a body of $bytes", $bytes));
    my $r = receive($client, "a body of $bytes");
    is($r->{status}, 201, "a body of $bytes bytes") or diag($r->{body});
    is(scalar @{$r->{json}{issued}}, 101, 'a hundred, and the balance');
    my $n = () = $server->log =~ /a client request body is buffered to a temporary file/g;
    is($n, $files + 1, 'nginx had it in a file');
}
{
    my $from = issue('CS', 1000, 'too large');
    my $text = large($from, 'too large', (128 << 10) + 1);
    my $http = $server->client;
    send_it($http, $text);
    is_problem(receive($http, 'too large'), 413, 'body_too_large', 'one byte more');
    $http = $server->client;
    $http->send('POST', '/transactions', undef, 'Content-Type: application/json', 'Transfer-Encoding: chunked', '',
        sprintf("%x\r\n%s\r\n0", length $text, $text), '', '');
    is_problem(receive($http, 'too large'), 413, 'body_too_large', 'one byte more, in chunks');
    $http = $server->client;
    is_problem($http->ask('POST', '/', grant('CS', 1, 'x' x (16 << 10))), 413, 'body_too_large', 'a grant of 16 KiB and more');
    is($client->ask('GET', "/$from")->{json}{status}, 'outstanding', 'nothing was transferred');
}
well_all('bodies');


# The disk fails in a transaction's commit

fresh_server();

sub fails {
    my ($what, $expected, @calls) = @_;
    my $from = issue('CS', 10, $what);
    my $http = $server->client;
    $http->ask('GET', '/static');
    $server->fail($_, EIO) for @calls;
    send_it($http, transfer($from, $what, Bob => 4), $what);
    wait_for("$what: an answer", sub { $http->has_answer });
    my $r = receive($http, $what);
    like("$r->{status} " . ($r->{json}{error} // ''), $expected, "$what: told");
    $server->release(@calls);
    $r = undef;
    wait_for('it goes on', sub {
        send_it($client, transfer($from, $what, Bob => 4), $what);
        $r = { %{$client->receive}, reference => $what };
        return $r->{status} == 201;
    });
    push @told, $r;
    my %of = $server->clients_of_workers($server->{workers});
    wait_for('every worker has it open', sub { return !grep { $_->ask('GET', '/')->{status} != 200 } values %of });
    my $n = 0;
    for (values %of) {
        my $name = "after $what " . $n++;
        push @grants, told($_->issue('CS', 1, $name), $name, 'CS', 1);
        is($grants[-1]{status}, 201, "$what: then grants, too");
    }
    # what was refused at first is entered now, with the same reference
    @told = grep { $_->{reference} ne $what || $_->{status} == 201 } @told;
    well_all($what);
}

fails('the flush fails', qr/^(?:503 ledger_unavailable|500 outcome_unknown)$/, 'fdatasync');
fails('the last step fails', qr/^(?:503 ledger_unavailable|500 outcome_unknown)$/, 'pwrite');
fails('done, though failed', qr/^(?:201 |500 outcome_unknown)$/, qw(written restore));

# Its commit fails, and then no flush is possible. Whether it is there is not known,
# and nobody waits for ever.

{
    my $from = issue('CS', 10, 'no flush');
    my $http = $server->client;
    $http->ask('GET', '/static');
    my $lines = $server->gate_log;
    $server->hold('written');
    send_it($http, transfer($from, 'no flush', Bob => 4), 'no flush');
    wait_for('its commit', sub { scalar($server->gate_log) > $lines });
    $server->held('written');
    $server->fail($_, EIO) for qw(fdatasync written restore);
    unlink "$server->{gate}/hold-written";
    wait_for('an answer, while the disk still fails', sub { $http->has_answer });
    is_problem(receive($http, 'no flush'), 500, 'outcome_unknown', 'no flush any more: this is told');
    my $failed = sub { return scalar grep { "@$_[0, 1]" eq 'failed fdatasync' } $server->gate_log };
    my ($start, $before) = (now(), $failed->());
    sleep 3;
    my ($tries, $seconds) = ($failed->() - $before, now() - $start);
    cmp_ok($tries, '<', 3 * $seconds + 1, sprintf "no flush any more: $tries tries in %.1f seconds", $seconds);
    $server->release(qw(fdatasync written restore));
    wait_for('it is told', sub {
        send_it($client, transfer($from, 'no flush', Bob => 4), 'no flush');
        return $client->receive->{status} == 201;
    });
    my %of = $server->clients_of_workers($server->{workers});
    wait_for('every worker has it open', sub { return !grep { $_->ask('GET', '/')->{status} != 200 } values %of });
    well_all('no flush any more');
}
ok($server->log !~ /exited on signal/, 'no worker crashed');


# The ledger is full: nothing of a transaction is entered

my $block = sub { qq{stockcert_ledger acme { path ledgers/acme; size $_[0]; company "Acme Inc."; class CS 9000000 "Common Stock"; }} };
fresh_server(http => $block->('1m'));
my @certificates = map { issue('CS', 1000, "full $_") } 1 .. 40;
my $tried = 0;
my @refused;
for my $from (@certificates) {
    send_it($client, large($from, "full $from", 100 << 10), "key $from");
    my $r = receive($client, "full $from");
    push @refused, [$from, $r] if $r->{status} != 201;
    last if @refused == 5;
}
is(@refused, 5, 'full: ' . (@told - @refused) . ' are entered, then no more');
is_deeply([map { "$_->[1]{status} $_->[1]{json}{error} $_->[1]{headers}{'retry-after'}" } @refused], [('503 ledger_full 1') x 5], 'full: told so');
is($client->ask('GET', "/$_->[0]")->{json}{status}, 'outstanding', "full: $_->[0] is as before") for @refused;
well_all('full');
$server->configure(http => $block->('8m'));
$server->reload;
$client = $server->client;
@told = grep { $_->{status} == 201 } @told;
for (@refused) {
    send_it($client, large($_->[0], "full $_->[0]", 100 << 10), "key $_->[0]");
    is(receive($client, "full $_->[0]")->{status}, 201, "full: with more room, $_->[0] is transferred, with the same key");
}
well_all('more room');


# A class that is issued to the last share, while strangers ask for one

fresh_server(workers => 3, http => ledger('acme', CS => 1000, PS => 1000));
my @held = map { issue('CS', 100, "holder $_") } 1 .. 10;
my $strangers = Stockcert::Load->new($server, clients => 10, grants => sub { return ('CS', 1) });
my %status;
for my $n (1 .. 100) {
    my $i = $n % 10;
    my $r = transact($client, $held[$i], "last $n", "holder $i" => 1);
    $status{$r->{status}}++;
    $held[$i] = $r->{json}{balance} // last;
    $client = $server->client if $n % 10 == 0;
}
is_deeply(\%status, { 201 => 100 }, 'the last share is out: transfers go on, each is answered');
$strangers->progress(50);
my @strangers = $strangers->stop;
is_deeply([grep { $_->{status} != 403 } @strangers], [], 'and no stranger of ' . @strangers . ' gets one');
push @grants, @strangers;
well_all('the last share');
is($client->ask('GET', '/')->{json}{classes}[0]{issued}, 1000, 'all shares are out');


# kill -9 at random. A client issues, then transfers what it has, with a key or
# without. With one, it asks until it is told. Without, it looks what came of it.

fresh_server(workers => 3, http => ledger('acme', CS => '9000000000', PS => '9000000000'));
my $seed = $ENV{STOCKCERT_SEED} // time;
srand $seed;
note("STOCKCERT_SEED=$seed");
my @mine;       # of a client's process

sub until_told {
    my ($http, $uri, $text, $key) = @_;
    my $until = now() + 10 * $Stockcert::TIMEOUT;
    while (1) {
        my $r = $http->ask('POST', $uri, $text, "Idempotency-Key: $key");
        return $r if $r->{status} and $r->{status} != 500 and $r->{status} != 503;
        die "$key is not told\n" if now() > $until;
        sleep 0.01;
    }
}

sub step {
    my ($http, $class, $amount, $name) = @_;
    if (@mine < 2 or $name =~ /0$/) {
        my $r = until_told($http, '/', grant($class, 100, $name), $name);
        push @mine, $r->{json}{cert_id} if $r->{status} == 201 and $class eq 'CS';
        return $r;
    }
    my $from = shift @mine;
    my $text = transfer($from, $name, 'holder ' . $amount => 1);
    my $r;
    if ($name =~ /[2468]$/) {
        $r = until_told($http, '/transactions', $text, $name);
        my $same = until_told($http, '/transactions', $text, $name);
        die "$name: $same->{body} after $r->{body}\n" if $same->{body} ne $r->{body};
    } else {
        $r = $http->ask('POST', '/transactions', $text);
        # what is not told may come yet, from a worker that lives: it is not touched again
        return $r if $r->{status} != 201;
    }
    push @mine, $r->{json}{balance} // () if $r->{status} == 201;
    return $r;
}

my $rounds = $ENV{STOCKCERT_SOAK} ? 300 : 60;
my $load = Stockcert::Load->new($server, clients => 12, ask => \&step, grants => sub { return ('CS', 100) });
for my $round (1 .. $rounds) {
    sleep rand 0.05;
    if ($round % 20 == 0) {
        $server->stop('KILL');
        $server->start;
    } else {
        my @workers = $server->workers;
        kill KILL => @workers[0 .. ($round % 5 ? 0 : 1)] if @workers > 1;
    }
}
wait_for('all workers', sub { $server->ready });
$load->progress(100);
my @answers = $load->stop;
my @transfers = grep { $_->{name} && ($_->{body} =~ /"transaction":/ || $_->{status} != 201) } @answers;
push @told, map { { %$_, reference => $_->{name} } } @transfers;
push @grants, grep { $_->{status} == 201 && $_->{body} !~ /"transaction":/ } @answers;
my %n;
$n{"$_->{status}$_->{error}"}++ for @transfers;
note('kill -9: ', scalar(@grants), ' grants; transfers: ', join ', ', map { "$n{$_} x $_" } sort keys %n);
is_deeply([grep { $_->{status} && $_->{status} !~ /^(?:201|500|503)$/ } @transfers], [], 'kill -9: no other answer');
is_deeply([grep { $_->{name} =~ /[02468]$/ && $_->{status} != 201 } @answers], [], 'kill -9: who asked with a key was told');
well_all('kill -9');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
is($server->stop, 0, 'nginx ends in order');

diag(scalar(@told) . ' transfers while all was killed');
soak();
done_testing();
