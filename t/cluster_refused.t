# What a machine refuses, and says why: a journal in etcd that is shorter, parts from its
# own, is of another company, has what is not known here, or is not there; an etcd without
# space, or that was restored. Nothing is changed then, on either side. And what is the way
# back.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Digest::SHA qw(sha256);
use MIME::Base64;
use Test::More;
use Stockcert;
use Stockcert::Cluster;
use Stockcert::Tool;

sub status { return join ' ', map { $_->{status} || $_->{error} } @_ }

sub cluster {
    my (%arg) = @_;
    return Stockcert::Cluster->new(machines => 2, members => 1, server => { workers => 1 },
        block => sub { return 'etcd_timeout 10s;' }, %arg);
}

sub issue {
    my ($cluster, $i, $n) = @_;
    my $client = $cluster->machine($i)->client;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(status(map { $client->issue('CS', 1, "holder $_") } 1 .. $n), join(' ', (201) x $n), "machine $i issues $n");
}

# all below the prefix, but what machines say of their turns

sub keys_of {
    my ($etcd) = @_;
    my $end = encode_base64(substr($etcd->{prefix}, 0, -1) . '0', '');
    my $r = $etcd->ask('kv/range', { key => $etcd->key(''), range_end => $end });
    my %value = map { decode_base64($_->{key}) => $_->{value} } @{$r->{kvs} || []};
    delete @value{grep { m{^\Q$etcd->{prefix}\Eturn/} } keys %value};
    return \%value;
}

sub journal {
    my ($cluster, $i) = @_;
    my $lines = tool_out('export', $cluster->path($i), '--format', 'jsonl');
    return $lines =~ s/\A.*\n//r;      # the first one tells how many there are
}

my %said;       # how much of a log is of before

sub says_why {
    my ($cluster, $i, $why) = @_;
    my $server = $cluster->machine($i);
    wait_for("machine $i says why", sub { substr($server->log, $said{$server->{dir}} // 0) =~ $why });
}

# A machine that runs issues nothing, says why, and reads on. Nothing is changed. It tells
# 503; but 500, if it did not know yet what has become of etcd, and so has sent a batch.

my %words = (500 => 'outcome_unknown', 503 => 'ledger_unavailable');

sub refuses {
    my ($cluster, $i, $why, @told) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($journal, $keys) = (journal($cluster, $i), keys_of($cluster->etcd));
    my $client = $cluster->machine($i)->client;
    my $r = $client->issue('CS', 1, 'nobody');
    my $told = join '|', map { qq($_ .*"error":"$words{$_}") } @told ? @told : 503;
    like("$r->{status} $r->{body}", qr/^(?:$told)/, "machine $i issues nothing");
    is(status($client->ask('GET', '/CS-1'), $client->ask('GET', '/CS-99999')), '200 503', 'it reads what it has');
    says_why($cluster, $i, $why);
    is(journal($cluster, $i), $journal, 'its journal is as it was');
    is_deeply(keys_of($cluster->etcd), $keys, 'so is the one in etcd');
}

# no machine is asked by a worker that has seen another etcd

sub restart {
    my ($cluster, @which) = @_;
    for my $server (map { $cluster->machine($_) } @which) {
        $server->stop;
        $said{$server->{dir}} = length $server->log;
        $server->start;
    }
}

sub recovers {
    my ($cluster, $i) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $client = $cluster->machine($i)->client;
    wait_for("machine $i issues", sub { $client->issue('CS', 1, 'again')->{status} == 201 });
    $cluster->settle;
    is_deeply([$cluster->parted], [], "machine $i goes on, and all have the same");
}

sub replicates {
    my ($cluster, $i) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $cluster->machine($i)->stop if $cluster->machine($i)->processes;
    my ($status, $out, $err) = $cluster->replicate($i);
    is("$status$err", '0', "\"stockcert replicate\" of machine $i");
    $cluster->machine($i)->start;
}


# A head of before: etcd's journal is shorter.

my $cluster = cluster();
my $etcd = $cluster->etcd;
issue($cluster, 0, 3);
$cluster->settle;
my $head = $etcd->get('head');
my ($position, $seal) = split / /, $cluster->head;
my %batches = map { $_ => 1 } $etcd->keys;
issue($cluster, 0, 2);
$cluster->settle;
my ($longer) = split / /, $cluster->head;
my $ours = (split / /, $cluster->head)[1];

sub shorten {
    $etcd->set('head', $head);
    $etcd->remove($_) for grep { !$batches{$_} } $etcd->keys;
}

shorten();
my $shorter = qr/is shorter than this ledger's, nothing is changed: it ends with entry $position \($seal\), this ledger with entry $longer \($ours\)/;
says_why($cluster, $_, $shorter) for 0, 1;
refuses($cluster, $_, $shorter) for 0, 1;
restart($cluster, 0, 1);
refuses($cluster, $_, $shorter) for 0, 1;

# a third machine, that is new, goes on from there: now they part

$cluster->machine(1)->stop;
rename $cluster->path(1), $cluster->path(1) . '-away' or die "rename: $!\n";
$cluster->machine(1)->start;
$cluster->settle(1);
issue($cluster, 1, 2);
refuses($cluster, 0, qr/parts from this ledger's, nothing is changed: it ends with entry $longer \([0-9a-f]{64}\), this ledger with entry $longer \($ours\)/);
issue($cluster, 1, 2);
refuses($cluster, 0, qr/parts from this ledger at entry \d+, nothing is changed/);

# the tool takes none that parts, either

$cluster->machine(0)->stop;
my $keys = keys_of($etcd);
my ($status, $out, $err) = $cluster->replicate(0);
ok($status ne '0', '"stockcert replicate" refuses what parts') or diag($out);
is_deeply(keys_of($etcd), $keys, 'and changes nothing');
note($err);

# the machine that has the longer one puts it back

$cluster->machine(1)->stop;
system('rm', '-rf', $cluster->path(1)) == 0 or die "rm failed\n";
shorten();
replicates($cluster, 0);
$cluster->machine(1)->start;
recovers($cluster, $_) for 0, 1;


# another company; a newer format; another ledger of that name; none

my $ledger = $etcd->get('ledger');
for my $case (
    ['another company', 'company', 'Others Inc.', qr/is of another company/],
    ['another ledger', 'created', 1764000000000001, qr/is of another ledger, made at another time/],
    ['another format', 'format', 99, qr/has another format version, upgrade this machine/],
) {
    my ($name, $member, $value, $why) = @$case;
    my $text = $ledger =~ s/("$member":)("[^"]*"|\d+)/$1 . Cpanel::JSON::XS->new->allow_nonref->encode($value)/er;
    isnt($text, $ledger, $name);
    $etcd->set('ledger', $text);
    restart($cluster, 0);
    refuses($cluster, 0, $why);
}
$etcd->set('ledger', $ledger);
recovers($cluster, 0);


# an entry of a kind that is not known here: of a newer version, most likely

$cluster->settle;
($position, $seal) = split / /, $cluster->head;
my $bytes = pack 'C Q>', 9, time * 1_000_000;
my $next = sha256(pack('H*', $seal) . $bytes);
my %newer = (
    sprintf('batch/%016x', $position + 1) => pack('n/a*', $bytes . $next),
    head => sprintf('{"position":%d,"seal":"%s","epoch":0}', $position + 1, unpack 'H*', $next),
);
$head = $etcd->get('head');
$etcd->set($_, $newer{$_}) for sort keys %newer;
my $upgrade = qr/has an entry that is not readable here, or of a newer version: upgrade this machine first/;
says_why($cluster, $_, $upgrade) for 0, 1;
refuses($cluster, $_, $upgrade) for 0, 1;
restart($cluster, 0);
refuses($cluster, 0, $upgrade);
$etcd->set('head', $head);
$etcd->remove($_) for grep { $_ ne 'head' } keys %newer;
recovers($cluster, $_) for 0, 1;


# nginx without "etcd"

my $http = $cluster->machine(0)->{http};
$cluster->machine(0)->stop;
$cluster->machine(0)->{http} = $http =~ s/^etcd.*$//mgr;
$cluster->machine(0)->start;
my $client = $cluster->machine(0)->client;
my $r = $client->issue('CS', 1, 'nobody');
like("$r->{status} $r->{body}", qr/^503 .*"error":"ledger_unavailable"/, 'without "etcd" in its block, nothing is issued');
$cluster->machine(0)->stop;
like($cluster->machine(0)->log, qr/\[crit\].*etcd/, 'the log says why');
$cluster->machine(0)->{http} = $http;
$cluster->machine(0)->start;
recovers($cluster, 0);


# an etcd that comes back empty, while all run

my $before = journal($cluster, 0);
$etcd->kill(0);
$etcd->wipe(0);
$etcd->start(0);
refuses($cluster, $_, qr/etcd has no ledger below|it has no ledger below/, 500) for 0, 1;
restart($cluster, 0);
refuses($cluster, 0, qr/etcd has no ledger below/);
is(journal($cluster, 0), $before, 'nothing was issued');
replicates($cluster, 0);
recovers($cluster, $_) for 0, 1;
like(journal($cluster, 1), qr/\A\Q$before\E/, 'the journal goes on');


# an etcd that is restored as it was before, while all run: its revisions come again

$etcd->stop(0);
system('cp', '-a', "$etcd->{dir}/m0", "$etcd->{dir}/saved") == 0 or die "cp failed\n";
$etcd->start(0);
recovers($cluster, 0);
issue($cluster, $_, 3) for 0, 1;
$cluster->settle;
$etcd->kill(0);
$etcd->wipe(0);
rename "$etcd->{dir}/saved", "$etcd->{dir}/m0" or die "rename: $!\n";
$etcd->start(0);
refuses($cluster, $_, qr/is shorter than this ledger's/, 500, 503) for 0, 1;      # the watch may come first
replicates($cluster, 1);
recovers($cluster, $_) for 0, 1;
undef $cluster;


# no space

$cluster = cluster(etcd => { args => ['--quota-backend-bytes', 4_000_000] });
$etcd = $cluster->etcd;
issue($cluster, 0, 1);
my %other = (key => encode_base64('/other', ''));
for (1 .. 10) {
    my $r = $etcd->post(0, '/v3/kv/put', { %other, value => encode_base64('x' x 1_000_000, '') });
    last if $r->{status} != 200;
}
refuses($cluster, 0, qr/etcd is out of space \(its alarm\): compact, defragment and disarm it/, 500);
$etcd->compact;
$etcd->ask('kv/deleterange', \%other);
$etcd->compact;
$etcd->ask('maintenance/defragment', {});
my $member = $etcd->ask('maintenance/status', {})->{header}{member_id};
$etcd->ask('maintenance/alarm', { action => 'DEACTIVATE', alarm => 'NOSPACE', memberID => $member });
recovers($cluster, $_) for 0, 1;
undef $cluster;


# TLS, with clients' certificates and a user

sub secure {
    my ($etcd, $password) = @_;
    spew("$etcd->{dir}/password", "$password\nmore\n");
    return "etcd_timeout 30s; etcd_user stockcert $etcd->{dir}/password; etcd_trusted_certificate $etcd->{dir}/ca.pem;\n"
        . "etcd_certificate $etcd->{dir}/client.pem; etcd_certificate_key $etcd->{dir}/client.key;\n";
}

$cluster = cluster(etcd => { tls => { client_certificates => 1 }, auth => ['stockcert', 'secret'] },
    block => sub { return secure($_[1]->etcd, 'secret') });
issue($cluster, $_, 2) for 0, 1;
$cluster->settle;
is_deeply([$cluster->parted], [], 'TLS, clients with certificates, a user');
$cluster->machine(0)->stop;
secure($cluster->etcd, 'wrong');
$cluster->machine(0)->start;
my %told;
wait_for('the log says why', sub {
    $told{status($cluster->machine(0)->client->issue('CS', 1, 'nobody'))}++;
    return $cluster->machine(0)->log =~ /\[crit\].*etcd at https:.*refused, status \d+ \(the user or the password is wrong\)/;
});
is_deeply([grep { !/^50[03]\z/ } keys %told], [], 'a wrong password: no machine issues, and the log says why');
secure($cluster->etcd, 'secret');
is(status($cluster->machine(0)->client->ask('GET', '/CS-1')), '200');
$cluster->machine(0)->reload;
recovers($cluster, 0);
unlike(journal($cluster, 0), qr/"nobody"/, 'nothing was issued');

for my $server ($cluster->servers) {
    is($server->stop, 0, 'nginx ends in order');
    ok($server->log !~ /exited on signal|\[alert\]|\[emerg\]/, 'no worker crashed');
}

done_testing();
