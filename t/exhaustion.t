# Shares run out: to the very last one, never beyond, in each class by itself.

use strict;
use warnings;
use Test::More;
use Stockcert;

my $n = 0;
my @told;

# issues, and compares with "ID" or "status remaining"

sub issue {
    my ($server, $class, $amount, $expected, $why) = @_;
    my $name = 'alone ' . $n++;
    my $r = $server->client->issue($class, $amount, $name);
    my $json = $r->{json} || {};
    is($json->{cert_id} || "$r->{status} " . ($json->{remaining} // ''), $expected, $why);
    is("$json->{error} $json->{class} $json->{requested}", "insufficient_shares $class $amount", 'the problem says so')
        if $r->{status} == 403;
    push @told, { %$r, name => $name, class => $class, amount => $amount };
}

# class => [certificates, remaining]

sub left {
    my ($server) = @_;
    my $inventory = $server->client->ask('GET', '/')->{json};
    return { map { $_->{class} => [@$_{qw(certificates remaining)}] } @{$inventory->{classes}} };
}

sub sum {
    my $sum = 0;
    $sum += $_->{amount} for @_;
    return $sum;
}


# one client

my $server = Stockcert->new(http => ledger('acme', CS => 100, PS => 1))->start;
issue($server, CS => 101, '403 100', 'more than there are');
issue($server, CS => 60, 'CS-1', 'some');
issue($server, CS => 41, '403 40', 'one too many');
issue($server, PS => 2, '403 1', 'the other class has its own');
issue($server, CS => 9007199254740991, '403 40', 'as many as can be asked for');
issue($server, CS => 39, 'CS-2', 'smaller ones still succeed, and none of the refused used a number');
issue($server, CS => 2, '403 1', 'one too many again');
issue($server, CS => 1, 'CS-3', 'the very last share');
issue($server, CS => 1, '403 0', 'nothing is left');
issue($server, PS => 1, 'PS-1', 'the other class still has its share');
issue($server, PS => 1, '403 0', 'which was the last');
is_deeply(left($server), { CS => [3, 0], PS => [1, 0] }, 'the inventory');
is_deeply([check_ledger($server, \@told)], [], 'the ledger');

$server->stop('KILL');
$server->start;
issue($server, CS => 1, '403 0', 'nothing is left after kill -9 and start either');
is_deeply([check_ledger($server, \@told)], [], 'the ledger after that');
$server->stop;


# as many shares as a class may have

@told = ();
$server = Stockcert->new(http => ledger('acme', CS => 9007199254740991, PS => 9007199254740991))->start;
issue($server, CS => 9007199254740991, 'CS-1', 'all shares at once');
issue($server, CS => 1, '403 0', 'and then one more');
issue($server, PS => 9007199254740990, 'PS-1', 'all but one');
issue($server, PS => 9007199254740991, '403 1', 'all of them again');
issue($server, PS => 1, 'PS-2', 'the last one');
is_deeply([check_ledger($server, \@told)], [], 'the ledger of large numbers');
$server->stop;


# Twenty clients on four workers. One share a time: all of both classes.

$server = Stockcert->new(workers => 4, listen => 'reuseport', http => ledger('acme', CS => 1200, PS => 300))->start;
my @all = Stockcert::Load->new($server, count => 100, grants => sub { return ($_[1] % 3 ? 'CS' : 'PS', 1) })->finish;
my %count;
$count{"$_->{class} $_->{status}"}++ for @all;
is_deeply(\%count, { 'CS 201' => 1200, 'CS 403' => 140, 'PS 201' => 300, 'PS 403' => 360 }, 'as many as there are');
is_deeply(left($server), { CS => [1200, 0], PS => [300, 0] }, 'the inventory');
is_deeply([check_ledger($server, \@all)], [], 'the ledger');

my (%refused, @after);
for my $answer (@all) {
    my ($client) = $answer->{name} =~ /client (\d+)/;
    push @after, $answer->{name} if $refused{"$client $answer->{class}"} and $answer->{status} == 201;
    $refused{"$client $answer->{class}"} = 1 if $answer->{status} == 403;
}
is_deeply(\@after, [], 'nobody who was refused one share got one later');
$server->stop;


# Mixed amounts: what is refused was too much, and smaller grants still go on.

$server = Stockcert->new(workers => 4, listen => 'reuseport', http => ledger('acme', CS => 10000, PS => 10000))->start;
@all = Stockcert::Load->new($server, count => 60,
    grants => sub { return ($_[1] % 2 ? 'CS' : 'PS', 1 + ($_[0] * 7 + $_[1] * 13) % 97) })->finish;
is_deeply([check_ledger($server, \@all)], [], 'the ledger of mixed amounts');
my @wrong = grep { $_->{status} != 201 && $_->{status} != 403 } @all;
is_deeply(\@wrong, [], 'all are issued or refused');

my $left = left($server);
for my $class (qw(CS PS)) {
    my @asked = grep { $_->{class} eq $class } @all;
    my @issued = grep { $_->{status} == 201 } @asked;
    cmp_ok(sum(@asked), '>', 10000, "$class: more is asked for than there is");
    my $remaining = 10000 - sum(@issued);
    is_deeply($left->{$class}, [scalar(@issued), $remaining], "$class: the inventory is what was told");

    my @problems = map { Cpanel::JSON::XS::decode_json($_->{body}) } grep { $_->{status} == 403 } @asked;
    cmp_ok(scalar(@problems), '>', 0, "$class: some are refused");
    @wrong = grep { $_->{requested} <= $_->{remaining} || $_->{remaining} < $remaining } @problems;
    is_deeply(\@wrong, [], "$class: each of them asked for more than was left");

    @told = @all;
    my $next = @issued + 1;
    issue($server, $class => $remaining + 1, "403 $remaining", 'one share more than is left');
    issue($server, $class => $remaining, "$class-" . $next++, 'the rest') if $remaining;
    issue($server, $class => 1, '403 0', 'and one more');
    @all = @told;
}
is_deeply([check_ledger($server, \@all)], [], 'the ledger of all shares');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
$server->stop;


# The last shares while workers are killed: never too many, and none is lost.

$server = Stockcert->new(workers => 3, listen => 'reuseport', http => ledger('acme', CS => 1500))->start;
my $load = Stockcert::Load->new($server, grants => sub { return ('CS', 1) });
for (1 .. 4) {
    $load->progress(200);
    $server->kill_worker(($server->workers)[$_ % 3]);
}
wait_for('the last share', sub { grep { $_->{status} == 403 } $load->answers });
@all = $load->stop;
is_deeply(left($server)->{CS}, [1500, 0], 'all shares are out, though workers were killed');
is_deeply([check_ledger($server, \@all)], [], 'the ledger after that');
my $unheard = 1500 - grep { $_->{status} == 201 } @all;
cmp_ok($unheard, '<=', scalar(grep { !$_->{status} } @all), 'no more are unheard of than answers were lost');
$server->stop;

done_testing();
