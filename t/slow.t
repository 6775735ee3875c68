# A disk that is slow: while a commit is under way, a worker answers all other
# requests, and nobody is told of a certificate before its commit is done.

use strict;
use warnings;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Stockcert;
use Stockcert::Checks;

my $seconds = 60 * ($ENV{STOCKCERT_SOAK} || 0) || 4;
alarm $seconds + 600;

# LMDB's two flushes of a commit, each held as long as we like

my $server = Stockcert->new(workers => 1, flushes => 1)->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;

my ($one, $two) = ($server->client, $server->client);
my @all;
sub goes_on {
    my ($where, @waiting) = @_;
    local $Stockcert::TIMEOUT = 5;
    my $n = 0;
    $n++ while $n < 20 and $two->ask('GET', $n % 2 ? '/static' : '/')->{status} == 200;
    is($n, 20, "a commit is held at $where: twenty other requests are answered");
    is($two->ask('GET', '/CS-' . (1 + grep { $_->{class} eq 'CS' } @all))->{status}, 404, 'no certificate is there');
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
$server->stop;


# Each of the two takes 200 ms, under load. A client of another location, one that
# reads the ledger, and those who issue, all on one worker.

sub latencies {
    my ($what, @answers) = @_;
    my @ms = sort { $a <=> $b } map { 1000 * ($_->{answered} - $_->{sent}) } @answers;
    note(sprintf '%-28s %6d answers, median %.2f ms, max %.1f ms', $what, scalar @ms, $ms[@ms / 2], $ms[-1]);
}

my %other = ('the other location' => '/static', 'the inventory' => '/');

sub others {
    my ($server) = @_;
    return map {
        my $uri = $other{$_};
        $_ => Stockcert::Load->new($server, clients => 1, ask => sub { return $_[0]->ask('GET', $uri) });
    } keys %other;
}

$server = Stockcert->new(workers => 1, flushes => 1)->start;
my %alone = others($server);
sleep 1;
latencies("$_, alone", $alone{$_}->stop) for sort keys %alone;

$server->delay($_, 200) for qw(fdatasync pwrite);
my $load = Stockcert::Load->new($server);
my %others = others($server);
sleep $seconds;
@all = $load->stop;
my %answers = map { $_ => [$others{$_}->stop] } keys %others;
my @commits = $server->commits;

latencies('issuing', @all);
is(scalar(early($server, @all)), 0, 'no answer came before its flush, of ' . @all . ' in ' . @commits . ' commits');
for my $what (sort keys %answers) {
    my @answers = @{$answers{$what}};
    latencies("$what, meanwhile", @answers);
    is_deeply([grep { $_->{status} != 200 } @answers], [], "$what: all are answered");
    my @least = sort { $a <=> $b } map {
        my ($begin, $end) = @$_;
        scalar grep { $_->{sent} > $begin && $_->{answered} < $end } @answers;
    } grep { $_->[0] > $answers[0]{sent} && $_->[1] < $answers[-1]{answered} } @commits;
    cmp_ok($least[@least / 2], '>', 20, "$what: answers within a commit, of " . @least
        . " commits: $least[0], median $least[@least / 2], $least[-1]");
}
well($server, \@all, 'every flush slow');
quiet($server);
$server->stop;


# and a disk that is fast

$server = Stockcert->new(flushes => 1, listen => 'reuseport')->start;
@all = Stockcert::Load->new($server, count => 25)->finish;
well($server, \@all, 'with a log of flushes');
is(scalar(early($server, @all)), 0, 'no answer came before its flush');
cmp_ok(scalar($server->commits), '<', @all, scalar($server->commits) . ' commits for ' . @all . ' certificates');
quiet($server);
$server->stop;

done_testing();
