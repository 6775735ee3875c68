# A disk that is slow: while a commit is under way, a worker answers all other
# requests, and nobody is told of a certificate before its commit is done.

use strict;
use warnings;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Stockcert;
use Stockcert::Checks;

my $soak = 60 * ($ENV{STOCKCERT_SOAK} || 0);
alarm $soak + 1800;

# LMDB's two flushes of a commit, each held as long as we like

my $server = Stockcert->new(workers => 1, flushes => 1)->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;

my ($one, $two) = ($server->client, $server->client);
my @all;
sub goes_on {
    my ($where, @waiting) = @_;
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
$server->taken_up(@many);
goes_on('fdatasync', @many);
$server->release('fdatasync');
push @all, map { told($many[$_]->receive, "many $_", 'CS', 2) } 0 .. $#many;
well($server, \@all, 'a hundred that wait');
is($flushes->() - $before, 2, 'two commits for them: of the first, and of all who came meanwhile');

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


# The same under load, in one commit after another: a client of another location and
# one that reads the ledger, while others issue, all on one worker.

$server = Stockcert->new(workers => 1, flushes => 1)->start;
my %others = map {
    my $uri = $_;
    $uri => Stockcert::Load->new($server, clients => 1, ask => sub { return $_[0]->ask('GET', $uri) });
} qw(/static /);
my $load = Stockcert::Load->new($server);
my $end = now() + $soak;
for (my $n = 0; $n < 20 or now() < $end; $n++) {
    my $call = $n % 2 ? 'pwrite' : 'fdatasync';
    $server->hold($call);
    $server->held($call);
    $_->progress(20) for values %others;
    $server->release($call);
    $load->progress(20);
}
@all = $load->stop;
for my $uri (sort keys %others) {
    my @answers = $others{$uri}->stop;
    is_deeply([grep { $_->{status} != 200 } @answers], [], "GET $uri while commits are held: all are answered, " . @answers);
}
is(scalar(early($server, @all)), 0, 'no answer came before its flush, of ' . @all);
well($server, \@all, 'commits that are held, under load');
quiet($server);
$server->stop;


# and a disk that is fast

$server = Stockcert->new(flushes => 1, listen => 'reuseport')->start;
@all = Stockcert::Load->new($server, count => 25)->finish;
well($server, \@all, 'with a log of flushes');
is(scalar(early($server, @all)), 0, 'no answer came before its flush');
note(scalar($server->commits) . ' commits for ' . @all . ' certificates');
quiet($server);
$server->stop;

done_testing();
