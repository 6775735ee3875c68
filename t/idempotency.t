# Idempotency-Key: one certificate for a key, whatever is sent twice, wherever
# and whenever.

use strict;
use warnings;
use Test::More;
use Stockcert;

my @all;

sub with { return map { "Idempotency-Key: $_" } @_ }

# a certificate's request with keys; what it is told goes to check_ledger()

sub ask {
    my ($client, $grant, @keys) = @_;
    send_it($client, $grant, @keys);
    return told($client, $grant);
}

sub send_it {
    my ($client, $grant, @keys) = @_;
    $client->send('POST', '/', grant(@$grant), with(@keys));
}

# for check_ledger(), a name belongs to one request: leaves out repeated ones

sub note_it {
    my ($r, $grant) = @_;
    my %grant;
    @grant{qw(class amount name)} = @$grant;
    push @all, { %$r, %grant };
}

sub told {
    my ($client, $grant) = @_;
    my $r = $client->receive;
    note_it($r, $grant) if !$r->{headers}{'idempotent-replayed'} and $r->{status} != 422;
    return $r;
}

sub is_first {
    my ($r, $what) = @_;
    is($r->{status}, 201, "$what: issued");
    is($r->{headers}{'idempotent-replayed'}, undef, "$what: for the first time");
}

sub is_again {
    my ($r, $first, $what) = @_;
    is_deeply([@$r{qw(status body)}], [@$first{qw(status body)}], "$what: the same answer");
    is($r->{headers}{location}, $first->{headers}{location}, "$what: the same Location");
    is($r->{headers}{'idempotent-replayed'}, 'true', "$what: replayed");
}

sub is_problem {
    my ($r, $status, $error, $what) = @_;
    is($r->{status}, $status, "$what: $status");
    is($r->{json}{error}, $error, "$what: $error");
}

sub well {
    my ($server, $what) = @_;
    is_deeply([check_ledger($server, \@all)], [], "$what: the ledger");
    is_deeply([$server->complaints], [], "$what: no complaints");
}

my $server = Stockcert->new(http => ledger('acme', CS => 1000, PS => 10), flushes => 1, listen => 'reuseport')->start;
my $client = $server->client;

# What a key may be

my $first = ask($client, ['CS', 1, 'plain'], 'a "key"');
is_first($first, 'plain');
is_again(ask($client, ['CS', 1, 'plain'], 'a "key"'), $first, 'plain');
is_again(ask($client, ['CS', 1, 'plain'], '"a \"key\""'), $first, 'in quotes');
$first = ask($client, ['CS', 1, 'quoted'], '"b"');
is_first($first, 'in quotes');
is_again(ask($client, ['CS', 1, 'quoted'], 'b'), $first, 'plain');
$client->send('POST', '/', '{ "class": "CS", "amount": 1, "name": "quot\u0065d" }', with('b'));
is_again($client->receive, $first, 'the same grant in other words');
is_first(ask($client, ['CS', 1, 'longest'], 'k' x 255), '255 characters');
is_first(ask($client, ['CS', 1, 'longest but one'], 'k' x 254), '254 characters');
is_first(ask($client, ['CS', 1, 'case'], 'B'), 'upper case');
is_problem(ask($client, ['CS', 1, 'refused'], @$_), 400, 'bad_idempotency_key', "keys '@$_'")
    for [''], ['""'], ['"b'], ['k' x 256], ["b\xc3\xa9"], ["a\tb"], ['b', 'b'], ['b', 'c'], ['"b";p=1'];

# Another grant

is_problem(ask($client, $_, 'b'), 422, 'idempotency_key_reused', "@$_")
    for ['CS', 1, 'another'], ['CS', 2, 'quoted'], ['PS', 1, 'quoted'], ['CS', 2000, 'quoted'];

# A refusal is not remembered; a replay needs no shares

is_problem(ask($client, ['PS', 11, 'too much'], 'c'), 403, 'insufficient_shares', 'too much');
$first = ask($client, ['PS', 10, 'all'], 'c');
is_first($first, 'the key of a refusal');
is_again(ask($client, ['PS', 10, 'all'], 'c'), $first, 'no share is left');
is($client->ask('GET', '/CS-1', undef, with('"'))->{status}, 200, 'a GET has no key');
well($server, 'one client');

# In one batch, and on two workers

my %of = $server->clients_of_workers(2);
my @clients = map { values %of, $server->client } 1 .. 10;
my $hold = $server->client;
$server->hold('fdatasync');
send_it($hold, ['CS', 1, 'held']);
$server->held('fdatasync');
my @waiting = (values %of, map { $server->client } 1 .. 18);
send_it($_, ['CS', 1, 'at once'], 'at once') for @waiting;
my ($other, $third) = ($server->client, $server->client);
send_it($third, ['CS', 1, 'at once, no key']);
$server->release('fdatasync');
told($hold, ['CS', 1, 'held']);
told($third, ['CS', 1, 'at once, no key']);
my @answers = map { told($_, ['CS', 1, 'at once']) } @waiting;
my @new = grep { !$_->{headers}{'idempotent-replayed'} } @answers;
is(@new, 1, 'twenty at once: one is issued');
is_again($_, $new[0], 'twenty at once') for grep { $_ != $new[0] } @answers;
is_problem(ask($other, ['CS', 2, 'at once'], 'at once'), 422, 'idempotency_key_reused', 'after that');
well($server, 'at once');

# A replay is flushed, though it writes nothing

my $flushes = sub { return scalar grep { "@$_[0, 1]" eq 'done fdatasync' } $server->gate_log };
my $before = $flushes->();
is_again(ask($client, ['CS', 1, 'at once'], 'at once'), $new[0], 'a replay alone');
cmp_ok($flushes->(), '>', $before, 'a replay alone: is flushed');

# Over restarts and kill -9, and asked for again while its commit is held

for my $where (qw(fdatasync pwrite written)) {
    my $grant = ['CS', 1, "killed at $where"];
    $client = $server->client;
    $server->hold($where);
    send_it($client, $grant, "killed at $where");
    my $pid = $server->held($where);
    kill KILL => $pid;
    $server->release($where);
    wait_for('a new worker', sub { $server->ready($pid) });
    $client->receive;
    my $r = ask($server->client, $grant, "killed at $where");
    is($r->{status}, 201, "killed at $where, asked again: issued");
    is_again(ask($server->client, $grant, "killed at $where"), $r, "killed at $where, once more");
    # if the killed worker issued it, nobody was told of it before
    note_it($r, $grant) if $r->{headers}{'idempotent-replayed'};
    well($server, "killed at $where");
}
$server->stop('KILL');
$server->start;
is_again(ask($server->client, ['CS', 1, 'at once'], 'at once'), $new[0], 'kill -9 of all');
$server->reload;
is_again(ask($server->client, ['CS', 1, 'at once'], 'at once'), $new[0], 'a reload');
is($server->stop, 0, 'nginx ends in order');
$server->start;
is_again(ask($server->client, ['CS', 1, 'at once'], 'at once'), $new[0], 'stop and start');
well($server, 'restarts');
$server->stop;

diag(scalar(@all) . ' certificates, and no more, whatever was sent again');
soak();
done_testing();
