# What one machine has answered is never "not found" on another, asked at once. Without
# etcd, machines answer what they have, and go on by themselves. A machine that was away
# catches up, or says that it cannot.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Checks;
use Stockcert::Cluster;
use Stockcert::Tool;
use Stockcert::Transactions;

my $cluster = Stockcert::Cluster->new(relays => 1, machines => 3, members => 3,
    server => { workers => 1 }, block => sub {
        return "etcd_timeout 30s; etcd_keep 10000;\n" . ($_[0] == 2 ? 'class XS 1000 "Extra";' : '');
    });
my $etcd = $cluster->etcd;
my ($one, $two, $three) = map { $cluster->machine($_)->client } 0 .. 2;

END { my $status = $?; diag($cluster->state) if $status and $cluster; $? = $status }

# of a machine that is not what it was before

sub again { ($one, $two, $three) = map { $cluster->machine($_)->client } 0 .. 2 }

# how long machines wait for etcd: not long where it is away, so that the test goes on

sub waits {
    my ($seconds) = @_;
    for my $server ($cluster->servers) {
        $server->{http} =~ s/etcd_timeout \K\d+/$seconds/ or die 'no etcd_timeout';
        $server->configure->reload;
    }
    again();
}

sub status { return join ' ', map { $_->{status} || $_->{error} } @_ }

sub problem {
    my ($r, $error, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $status = $error eq 'outcome_unknown' ? 500 : 503;
    like("$r->{status} $r->{body}", qr/^$status .*"error":"$error"/, $name);
}


# The way from the second machine to etcd takes long: it has not what others issued
# just now.

$_->delay(0.1) for $cluster->links(1);

for my $n (1 .. 10) {
    my $r = $one->issue('CS', 10, "holder $n");
    my $id = $r->{json}{cert_id};
    my $there = $two->ask('GET', "/$id");
    is($there->{body}, $r->{body} =~ s/\}\n$/,"status":"outstanding"}\n/r, "$id is on another machine") if $n == 1;
    is("$there->{status} $there->{json}{seal}", "200 $r->{json}{seal}", "$id at once");
}

my $r = $one->ask('POST', '/transactions', transfer('CS-1', 'moved', Ann => 4, Bob => 6));
is($r->{status}, 201, 'a transaction');
my $number = $r->{json}{transaction};
my $there = $two->ask('GET', "/transactions/$number");
is("$there->{status} $there->{body}", "200 $r->{body}", 'it is on another machine at once');
$r = $one->issue('CS', 3, 'Cy');
$there = $two->ask('POST', '/transactions', transfer($r->{json}{cert_id}, 'moved on', Dan => 3));
is($there->{status}, 201, 'a transaction on what another machine issued just now')
    or diag($there->{body});

# who asks again, on another machine, is told the same

my @again = ('POST', '/transactions', transfer('CS-2', 'twice', Gil => 10), 'Idempotency-Key: gil moves');
my @twice = map { $_->ask(@again) } $one, $two;
is_deeply([map { "$_->{status} $_->{body}" } @twice], [("201 $twice[0]{body}") x 2], 'a transaction that was entered elsewhere just now');
@again = ('POST', '/', grant('CS', 1, 'Gil'), 'Idempotency-Key: gil');
@twice = map { $_->ask(@again) } $one, $two;
is_deeply([map { "$_->{status} $_->{body}" } @twice], [("201 $twice[0]{body}") x 2], 'a certificate that was issued elsewhere just now');

is(status(map { $two->ask('GET', $_) } '/CS-999', '/ZZ', '/ZZ-1', '/transactions/999999'), '404 404 404 404', 'what nobody has is not found');
is(status($two->issue('ZZ', 1, 'Eve')), '422', 'nor is there a class that nobody has');

# only the third has this class in its configuration

is(status($one->ask('GET', '/XS')), '200', 'a class that another machine opened');
is(status($two->issue('XS', 5, 'Eve')), '201', 'another machine issues of it');
is(status($three->ask('GET', '/XS-1')), '200');

# a class that is opened while the others run

$cluster->settle;
$cluster->machine(2)->stop;
$cluster->machine(2)->{http} =~ s/class XS/class YS 100 "Why";\nclass XS/;
$cluster->machine(2)->start;
again();
wait_for('the class is open', sub { $three->ask('GET', '/YS')->{status} == 200 });
is(status($two->issue('YS', 5, 'Eve'), $one->ask('GET', '/YS-1'), $two->ask('GET', '/YS')), '201 200 200',
    'a class that another machine opened just now: issued, found, listed');
$_->heal for $cluster->links(1);
$cluster->settle;


# etcd says nothing: who asks for what is not there waits, and nobody else. There is far
# more time than all of this takes, so whoever has an answer has not waited for etcd.

waits(600);
$cluster->settle;
my @waiting = map { $cluster->machine(0)->client } 1 .. 20;
for (1 .. 3) {
    $_->stall for $cluster->links(0);
    $_->send('GET', '/CS-999') for @waiting;
    $cluster->machine(0)->taken_up(@waiting);
    is(status(map { $one->ask('GET', $_) } '/static', '/CS-1', '/CS', '/'), '200 200 200 200', 'while etcd says nothing, others are answered');
    is(scalar(grep { $_->has_answer } @waiting), 0, 'who asks for what is not there waits');
    $_->heal for $cluster->links(0);
    is_deeply([grep { $_->{status} != 404 } map { $_->receive } @waiting], [], 'and is told so when etcd goes on');
}

# it says nothing for too long: they are told 503

waits(4);
@waiting = map { $cluster->machine(0)->client } 1 .. 20;
$_->stall for $cluster->links(0);
$_->send('GET', '/CS-999') for @waiting;
is_deeply([grep { $_->{status} != 503 } map { $_->receive } @waiting], [], 'etcd says nothing for too long: 503');
$_->heal for $cluster->links(0);
wait_for('it is asked again', sub { $one->ask('GET', '/CS-999')->{status} == 404 });


# without etcd

$etcd->stop($_) for $etcd->all;
is(status(map { $one->ask('GET', $_) } '/CS-1', '/CS', '/', '/CS-1.html', "/transactions/$number", '/transactions'), '200 200 200 200 200 200',
    'without etcd, what is there is read');
problem($one->ask('GET', '/CS-999'), 'ledger_unavailable', 'what is not there may be elsewhere');
problem($one->ask('GET', '/ZZ'), 'ledger_unavailable', 'so may a class');
problem($one->ask('GET', '/transactions/999999'), 'ledger_unavailable', 'so may a transaction');
problem($one->issue('ZZ', 1, 'Eve'), 'ledger_unavailable', 'a grant of a class that is not there');
for my $what (['POST', '/', grant('CS', 1, 'Fay'), 'Idempotency-Key: fay'],
    ['POST', '/transactions', transfer('CS-3', 'without', Fay => 10), 'Idempotency-Key: fay moves']) {
    problem($one->ask(@$what), 'outcome_unknown', "$what->[0] $what->[1]: it knew the head, and has sent that");
}
$cluster->machine(0)->reload;
pass('a reload ends');
is(status($one->ask('GET', '/CS-1')), '200', 'the new worker reads');
problem($one->issue('CS', 1, 'Gus'), 'ledger_unavailable', 'and knows no head, so it sends nothing');

my @asked = map { $cluster->machine(1)->client } 1 .. 3;
$asked[0]->send('POST', '/', grant('CS', 1, 'Moe'));
$asked[1]->send('POST', '/transactions', transfer('CS-4', 'at the end', Moe => 10));
$asked[2]->send('GET', '/CS-999');
$cluster->machine(1)->taken_up(@asked);
is($cluster->machine(1)->stop, 0, 'QUIT ends');

# a grant and a transaction wait for one thread: either may be sent, or find no time for it

like(status(map { $_->receive } @asked), qr/^50[03] 50[03] 503$/, 'who waits is told before');
is($cluster->machine(2)->stop('TERM'), 0, 'so does TERM');
$_->start for map { $cluster->machine($_) } 1, 2;
again();
is(status($two->ask('GET', '/CS-1')), '200', 'a machine that starts without etcd reads');
problem($two->issue('CS', 1, 'Hal'), 'ledger_unavailable', 'and issues nothing');

$etcd->start_all;
waits(30);
for my $client ($one, $two, $three) {
    wait_for('it issues again', sub { $client->issue('CS', 1, 'Ida')->{status} == 201 });
}
my @same = map { $_->ask('POST', '/', grant('CS', 1, 'Fay'), 'Idempotency-Key: fay') } $one, $two, $three;
is(status(@same), '201 201 201', 'all go on by themselves');
is_deeply([map { $_->{body} } @same], [($same[0]{body}) x 3], 'and a key has one certificate');
my @moved = map { $_->ask('POST', '/transactions', transfer('CS-3', 'without', Fay => 10), 'Idempotency-Key: fay moves') } $one, $two, $three;
is_deeply([map { "$_->{status} $_->{body}" } @moved], [("201 $moved[0]{body}") x 3], 'or one transaction');
$cluster->settle;
is_deeply([$cluster->parted], [], 'the journals are the same bytes');


# away, and back

sub flood {
    my ($client_of, $n) = @_;
    my @clients = map { $client_of->client } 1 .. 100;
    my %status;
    for my $client (@clients) {
        $client->send('POST', '/', grant('CS', 1, 'Jo')) for 1 .. $n / 100;
    }
    for my $client (@clients) {
        $status{$client->receive->{status}}++ for 1 .. $n / 100;
    }
    is_deeply(\%status, { 201 => $n }, "$n more certificates");
}

$cluster->machine(2)->stop;
flood($cluster->machine(0), 2000);
$cluster->machine(2)->start;
$cluster->settle;
is_deeply([$cluster->parted], [], 'a machine that was away catches up');

# etcd keeps 10,000 entries, and removes others from time to time

$cluster->machine(2)->stop;
my $before = tool_out('export', $cluster->path(2), '--format', 'jsonl');
my ($end) = $before =~ /"entry":(\d+)[^\n]*\n\z/ or die "no entry\n";
for (1 .. 10) {
    flood($cluster->machine(0), 3000);
    my ($first) = sort grep { /^batch/ } $etcd->keys;
    last if hex($first =~ s/batch\///r) > $end + 1;
}
$cluster->machine(2)->start;
again();
wait_for('it says so', sub { $cluster->machine(2)->log =~ /this machine was away too long: entry @{[$end + 1]} is not in etcd any more/ });
like($cluster->machine(2)->log, qr/away too long: .* take a "stockcert backup" of another machine/, 'away too long: the log says what to do');
is(status($three->ask('GET', '/CS-1')), '200', 'what it has is read');
problem($three->ask('GET', '/CS-999999'), 'ledger_unavailable', 'what it has not is unavailable');
problem($three->issue('CS', 1, 'Kay'), 'ledger_unavailable', 'it issues nothing');
is($cluster->machine(2)->stop, 0, 'it ends in order');
is(tool_out('export', $cluster->path(2), '--format', 'jsonl'), $before, 'its journal is as it was');

my $path = $cluster->path(2);
system('rm', '-rf', $path) == 0 or die "rm failed\n";
my ($status, $out, $err) = tool('backup', $cluster->path(0), $path);
is("$status$err", '0', 'a backup of another machine');
system('chown', '-R', '--reference=' . $cluster->path(0), $path) == 0 or die "chown failed\n";
$cluster->machine(2)->start;
again();
$cluster->settle;
wait_for('it issues', sub { $three->issue('CS', 1, 'Lee')->{status} == 201 });
$cluster->settle;
is_deeply([$cluster->parted], [], 'it goes on from there');

for my $server ($cluster->servers) {
    is($server->stop, 0, 'nginx ends in order');
    ok($server->log !~ /exited on signal|\[alert\]|\[emerg\]/, 'no worker crashed');
}

done_testing();
