# A ledger that several machines have, by a real etcd, with the command "stockcert"
# alone: replicate, and what it refuses; commands that write; an end that is not
# known; status. Here a machine is a directory.

use strict;
use warnings;
use File::Temp;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Between;
use Stockcert::Etcd;
use Stockcert::Tool;

delete @ENV{grep { /^STOCKCERT_ETCD/ } keys %ENV};

my $prefix = '/stockcert/acme/';
my $etcd = Stockcert::Etcd->new(prefix => $prefix);
my ($url) = $etcd->endpoints;
my $between = Stockcert::Between->new($url);

my $server = Stockcert->new(http => ledger('acme', CS => 9000000))->start;
my $dir = $server->{dir};
my $one = "$dir/ledgers/acme";
my $client = $server->client;
$client->issue('CS', 100, 'Ann') for 1 .. 30;

my @etcd = ('--etcd', $url, '--etcd-prefix', $prefix);
my @slow = ('--etcd', $between->url, '--etcd-prefix', $prefix, '--etcd-timeout', '12s');
my @reference = ('--reference', 'Resolution');

sub entries { return scalar split /^/, tool_out('log', $_[0]) }
sub end_of { my $s = decode_json(tool_out('status', $_[0], '--json')); return "$s->{entries}:$s->{seal}" }
sub shown { return decode_json(tool_out('status', $_[0], '--json', @_[1 .. $#_])) }
sub batches { return my @names = sort grep { m{^batch/} } $etcd->keys }

# each key, and the revision that changed it last

sub all_of_it {
    my $kvs = $etcd->ask('kv/range', { key => $etcd->key(''), range_end => $etcd->key("\xff"), keys_only => \1 })->{kvs} || [];
    return join "\n", map { "$_->{key} $_->{mod_revision}" } @$kvs;
}

sub head { return decode_json($etcd->get('head')) }

# refused, and etcd has what it had

sub changes_nothing {
    my ($name, $exit, $like, @arg) = @_;
    my $before = all_of_it();
    tool_is($name, $exit, $like, @arg);
    is(all_of_it(), $before, "$name: etcd has what it had");
}

# what is in etcd is the journal of this machine

sub same {
    my ($name, $ledger, %arg) = @_;
    my ($number, $seal) = split /:/, end_of($ledger);
    is_deeply([@{head()}{qw(position seal)}], [$number, $seal], "$name: etcd ends as the ledger does");
    like(tool_out('verify', $ledger, '--expect', "$number:$seal"), qr/^all is in order/, "$name: verify");
}


# wrong use

tool_is('replicate without --etcd', 2, qr/usage: stockcert replicate LEDGER --etcd/, 'replicate', $one);
tool_is("--etcd $_->[0]", 2, $_->[1], 'status', $one, '--etcd', $_->[0]) for
    ['ftp://a', qr/each URL of --etcd must begin with https/], ["$url,", qr/must begin with https.* not ""/], ['', qr/must begin/],
    [join(',', ($url) x 17), qr/16 at most/];
tool_is("--etcd-prefix $_", 2, qr/--etcd-prefix must begin and end with "\/", not "\Q$_\E"/, 'status', $one, '--etcd', $url, '--etcd-prefix', $_)
    for 'acme', '/acme', '';
tool_is("--etcd-timeout $_", 2, qr/takes a time from 100ms to 600s, such as 10s, not "$_"/, 'status', $one, '--etcd', $url, '--etcd-timeout', $_)
    for '10', '99ms', '601s', '1h', 's', '99999999999999999999s';
tool_is("$_->[0] alone", 2, qr/need each other/, 'status', $one, '--etcd', $url, @$_) for
    ['--etcd-user', 'x'], ['--etcd-password-file', "$dir/x"], ['--etcd-cert', "$dir/x"], ['--etcd-key', "$dir/x"];
tool_is('an option without --etcd', 2, qr/--etcd-prefix needs --etcd URL/, 'status', $one, '--etcd-prefix', $prefix);
tool_is('a file that is not there', 3, qr/cannot read \Q$dir\E\/x: No such file/, 'status', $one, '--etcd', $url, '--etcd-cacert', "$dir/x");
spew("$dir/empty", '');
tool_is('a file that is empty', 3, qr/empty is empty/, 'status', $one, '--etcd', $url, '--etcd-cacert', "$dir/empty");


# a ledger that is not replicated

like(tool_out('status', $one), qr/^replica    none$/m, 'status: nobody else has it');
ok(!exists shown($one)->{replica}, 'status --json: nor is it a member');
like(tool_out('status', $one, '--etcd', $url), qr/^replica    none\nreaders/m, 'status --etcd: etcd is not asked');
changes_nothing('authorize without a prefix', 2, qr/no other machine has this ledger yet: run "stockcert replicate", or/,
    'authorize', $one, 'CS', 9000001, @reference, '--etcd', $url);
changes_nothing('authorize by etcd', 3, qr/nothing is changed: etcd has no ledger below \Q$prefix\E: "stockcert replicate" puts one there/,
    'authorize', $one, 'CS', 9000001, @reference, @etcd);
tool_is('replicate to where nobody is', 3, qr/the ledger is not replicated, run it again: etcd at http:\/\/127\.0\.0\.1:1: no answer/,
    'replicate', $one, '--etcd', 'http://127.0.0.1:1', '--etcd-prefix', $prefix, '--etcd-timeout', '100ms');
($_) = tool('status', $one, @etcd);
is($_, 3, 'status: etcd has no ledger');
is(tool_out('authorize', $one, 'CS', 9000001, @reference), "CS has 9000001 authorized shares now, by entry 32\n", 'a machine alone still writes');


# replicate, killed in the midst; then whole

my $early = "$dir/early";
tool_out('backup', $one, $early);
for my $n (1 .. 30) {
    my $to = join ',', map { sprintf '{"name":"%s","address":"%s","capacity":"%s","amount":1}', 'n' x 250, 'a' x 250, 'c' x 200 } 1 .. 100;
    spew("$dir/order", qq({"type":"transfer","from":["CS-$n"],"to":[$to],"reference":"all of it"}));
    tool_out('transfer', $one, '--json', "$dir/order");
}
my $before = end_of($one);

$between->lose(4, 'request');
my ($pid) = tool_start('replicate', $one, @slow[0 .. 3], '--etcd-timeout', '120s');
wait_for('two batches are put', sub { $between->has_lost });
kill KILL => $pid;
reap($pid);
is_deeply([$etcd->keys], [batches(), 'replicating'], 'killed in the midst: there are batches');
is(scalar(batches()), 2, 'two of them');
like(tool_out('status', $one), qr/^replica    none$/m, 'the ledger is as it was');
is(tool_out('authorize', $one, 'CS', 9000002, @reference) =~ s/\d+$//r, "CS has 9000002 authorized shares now, by entry \n", 'and goes on alone');
is(entries($one), 3063, 'by one entry');

$etcd->set('batch/0000000000000007', 'of another try');

is(tool_out('replicate', $one, @etcd), "$one is in etcd below $prefix: 3063 entries, 3063 of them were put there now\n", 'replicate');
is_deeply([sort $etcd->keys], [batches(), 'head', 'ledger'], 'all is there');
same('replicate', $one);
cmp_ok(scalar(batches()), '>=', 4, 'in batches');
my %batch = map { $_ => $etcd->get($_) } batches();
is_deeply([grep { length $_ > 512 * 1024 } values %batch], [], 'none is too large');
my @journal = map { decode_json($_) } split /\n/, tool_out('export', $one, '--format', 'jsonl');
is_deeply([grep { ($journal[hex s{^batch/}{}r]{member} // 1) != 1 } keys %batch], [], 'none begins within a transaction');
my $next = 1;
for my $batch (sort keys %batch) {
    is(hex $batch =~ s{^batch/}{}r, $next, "$batch comes next");
    $next++ while length $batch{$batch} and substr $batch{$batch}, 0, 2 + unpack('n', $batch{$batch}), '';
}
is($next, 3064, 'they have all entries');


# now nobody writes to it alone

my $mark = qr/other machines have this ledger, too, by etcd, below \Q$prefix\E: whoever writes to it must name that etcd/;
tool_is('authorize alone', 3, $mark, 'authorize', $one, 'CS', 9000003, @reference);
my $r = $client->issue('CS', 1, 'Too Late');
is($r->{status}, 503, 'nginx, which had it open, issues nothing') or diag($r->{body});
wait_for('nginx says why', sub { $server->log =~ $mark });
$server->stop;
tool_is('import into it', 3, qr/cannot make a new ledger in/, 'import', $one, '/dev/null');
is(shown($one)->{replica}, $prefix, 'status --json: replica');
like(tool_out('status', $one), qr/^replica    \Q$prefix\E, by etcd\nreaders/m, 'status');


# what writes goes through etcd

is(tool_out('authorize', $one, 'CS', 9000003, @reference, @etcd), "CS has 9000003 authorized shares now, by entry 3064\n", 'authorize');
same('authorize', $one);
is(tool_out('transfer', $one, 'CS-31', '--to', 'Bob:1', @reference, @etcd), "transaction 3065, transfer: surrendered CS-31; issued CS-3031\n", 'transfer');
same('transfer', $one);
is(tool_out('holder', $one, 'CS-3031', '--address', 'Here', @reference, @etcd), "the holder of CS-3031 is changed, by entry 3067\n", 'holder');
same('holder', $one);
changes_nothing('a transfer that is refused', 1, qr/refused: CS-31 was surrendered by transaction 3065/,
    'transfer', $one, 'CS-31', '--to', 'Bob:1', @reference, @etcd);
changes_nothing('authorize, no such class', 1, qr/refused: the ledger has no class XX/, 'authorize', $one, 'XX', 1, @reference, @etcd);
is(tool_out('authorize', $one, 'CS', 9000003, @reference, '--etcd', $url), "CS has 9000003 authorized shares already, nothing is changed\n",
    'the prefix is that of the ledger');
is(shown($one, '--etcd', $url)->{etcd}{behind}, 0, 'and status finds it');


# a second machine, from a backup that was made before

my $two = "$dir/two";
rename $early, $two or die "rename: $!\n";
is_deeply([@{shown($two, @etcd)->{etcd}}{qw(entries behind parted)}], [3067, 3035, Cpanel::JSON::XS::false], 'status: how far it is behind');
like(tool_out('status', $two, @etcd), qr/^etcd       entry 3067, this ledger is 3035 entries behind\netcd size  \d+ bytes\nreaders/m, 'status, for people');
cmp_ok(shown($two, @etcd)->{etcd}{size}, '>', 2000000, 'and the size of etcd');
{
    local @ENV{qw(STOCKCERT_ETCD STOCKCERT_ETCD_PREFIX)} = ($url, $prefix);
    is(tool_out('transfer', $two, 'CS-3031', '--to', 'Cy:1', @reference, '--key', 'k'), "transaction 3068, transfer: surrendered CS-3031; issued CS-3032\n",
        'it catches up when it writes');
}
same('the second', $two);
is(shown($two)->{replica}, $prefix, 'and knows that others have it');
is(shown($one, @etcd)->{etcd}{behind}, 2, 'the first is behind');
changes_nothing('replicate, behind', 1, qr/refused, nothing is changed: the journal in etcd below \Q$prefix\E is longer, it ends with entry 3069 \([0-9a-f]{64}\), this ledger with entry 3067 \([0-9a-f]{64}\)/,
    'replicate', $one, @etcd);
is(tool_out('transfer', $one, 'CS-3031', '--to', 'Cy:1', @reference, '--key', 'k', @etcd),
    "transaction 3068, transfer, was entered before: surrendered CS-3031; issued CS-3032\n", 'the first finds what the second did');
is(end_of($one), end_of($two), 'and has it now');


# an end that is not known: done, or not

my $unknown = qr/it is not known whether it is done, run it again: etcd at/;

for my $what (qw(answer request)) {
    my $there = $what eq 'answer';
    my ($n, $shares) = (entries($one), $there ? 9000010 : 9000020);
    $between->lose(1, $what);
    tool_is("authorize, the $what is lost", 4, $unknown, 'authorize', $one, 'CS', $shares, @reference, @slow);
    $between->lose(0);
    is(entries($one), $n, 'nothing is on this machine yet');
    is(tool_out('authorize', $one, 'CS', $shares, @reference, @slow[0 .. 3]), $there ? "CS has $shares authorized shares already, nothing is changed\n"
        : "CS has $shares authorized shares now, by entry @{[$n + 1]}\n", 'again');
    is(entries($one), $n + 1, 'once');
    same("authorize, the $what is lost", $one);

    my @holder = ('holder', $one, $there ? 'CS-3032' : 'CS-3033', '--address', "Street of $what", @reference);
    $between->lose(1, $what);
    tool_is("holder, the $what is lost", 4, $unknown, @holder, @slow);
    $between->lose(0);
    like(tool_out(@holder, @slow[0 .. 3]), $there ? qr/ has that already, nothing is changed$/ : qr/ is changed, by entry @{[$n + 2]}$/, 'again');
    is(entries($one), $n + 2, 'once');

    my @order = ('transfer', $one, $there ? 'CS-3032' : 'CS-3033', '--to', 'Di:1', @reference, '--key', "key of $what");
    my ($old, $new) = $there ? (3032, 3033) : (3033, 3034);
    $between->lose(1, $what);
    tool_is("transfer, the $what is lost", 4, $unknown, @order, @slow);
    $between->lose(0);
    is(tool_out(@order, @slow[0 .. 3]), "transaction @{[$n + 3]}, transfer" . ($there ? ', was entered before' : '') . ": surrendered CS-$old; issued CS-$new\n", 'again');
    same("transfer, the $what is lost", $one);
}
$etcd->signal(0, 'STOP');
tool_is('etcd stands still', 3, qr/nothing is changed: etcd at .*no answer/, 'authorize', $one, 'CS', 9000030, @reference, @etcd, '--etcd-timeout', '300ms');
my ($status, $out, $err) = tool('status', $one, @etcd, '--etcd-timeout', '300ms');
is($status, 3, 'status: exit code');
like($out, qr/^replica    \Q$prefix\E, by etcd\nreaders/m, 'it shows what it knows');
like($err, qr/\Astockcert: it is not known how far this ledger is behind: etcd at .*no answer.*\n\z/, 'and says so');
$etcd->signal(0, 'CONT');
$etcd->wait_healthy;


# replicate again: nothing to put, another cluster_id, a part is lost, all is lost

my $count = entries($one);
my $epoch = head()->{epoch};
is(tool_out('replicate', $one, @etcd), "$one is in etcd below $prefix: $count entries, 0 of them were put there now\n", 'replicate, all is there');
is(head()->{epoch}, $epoch + 1, 'with the next epoch');

my $header = decode_json($etcd->get('ledger'));
my $cluster = $header->{cluster_id};
$etcd->set('ledger', encode_json({ %$header, cluster_id => '1' }));
changes_nothing('authorize by another etcd', 3, qr/nothing is changed: .*this etcd is another one, or was restored.*run "stockcert replicate"/,
    'authorize', $one, 'CS', 9000040, @reference, @etcd);
tool_out('replicate', $one, @etcd);
is(decode_json($etcd->get('ledger'))->{cluster_id}, $cluster, 'replicate has its cluster_id');
same('another cluster_id', $one);

my $old = $etcd->get('head');
my %had = map { $_ => 1 } batches();
tool_out('authorize', $one, 'CS', 9000050 + $_, @reference, @etcd) for 1 .. 3;
$etcd->remove($_) for grep { !$had{$_} } batches();
$etcd->set('head', $old);
changes_nothing('longer than etcd', 3, qr/nothing is changed: the journal in etcd below \Q$prefix\E is shorter than this ledger's/,
    'authorize', $one, 'CS', 9000060, @reference, @etcd);
is(shown($one, @etcd)->{etcd}{parted}, Cpanel::JSON::XS::true, 'status: it is parted');
like(tool_out('status', $one, @etcd), qr/^etcd       has another journal: it ends with entry $count \([0-9a-f]{64}\)$/m, 'status, for people');
is(tool_out('replicate', $one, @etcd), "$one is in etcd below $prefix: @{[$count + 3]} entries, 3 of them were put there now\n", 'replicate puts what is missing');
same('a part was lost', $one);
is(tool_out('authorize', $two, 'CS', 9000070, @reference, @etcd), "CS has 9000070 authorized shares now, by entry @{[$count + 4]}\n", 'the second goes on');

$etcd->remove($_) for $etcd->keys;
is(tool_out('replicate', $two, '--etcd', $url) =~ s/.*: //r, "@{[$count + 4]} entries, @{[$count + 4]} of them were put there now\n", 'all was lost, and the prefix was not');
same('all was lost', $two);
tool_out('authorize', $one, 'CS', 9000071, @reference, @etcd);
same('the first follows', $one);


# refused: another journal, another ledger, a change by others

my $good = $etcd->get('head');
my $head = head();
$etcd->set('head', $good =~ s/$head->{seal}/'f' x 64/er);
changes_nothing('a journal that parts', 1, qr/the journal in etcd below \Q$prefix\E parts from this ledger's, it ends with entry $head->{position} \(f{64}\), which is $head->{seal} in this ledger, whose last entry is $head->{position}\n/,
    'replicate', $one, @etcd);
changes_nothing('authorize with one that parts', 3, qr/parts from this ledger/, 'authorize', $one, 'CS', 9000080, @reference, @etcd);
$etcd->set('head', $good);

my $ledger = $etcd->get('ledger');
for my $other ([company => 'Other Inc.'], [created => $header->{created} + 1]) {
    $etcd->set('ledger', encode_json({ %$header, @$other }));
    changes_nothing("another $other->[0]", 1, qr/refused: etcd has another ledger below \Q$prefix\E, of (Acme|Other) Inc\., made at \d{4}-\S+Z; nothing is changed/,
        'replicate', $one, @etcd);
}
$etcd->set('ledger', encode_json({ %$header, format => 3 }));
changes_nothing('another format', 1, qr/refused: etcd has a ledger of format version 3/, 'replicate', $one, @etcd);
$etcd->set('ledger', 'x');
changes_nothing('what is no ledger', 1, qr/refused: .*has a value that is not a ledger's/, 'replicate', $one, @etcd);
$etcd->remove('ledger');
changes_nothing('a head alone', 1, qr/refused: somebody else changes what etcd has/, 'replicate', $one, @etcd);
$etcd->set('ledger', $ledger);
$etcd->remove('head');
changes_nothing('no head', 1, qr/refused: the ledger in etcd below \Q$prefix\E has no head/, 'replicate', $one, @etcd);
$etcd->set('head', $good);
same('all is back', $one);


# the head: its answer is lost, and it is as if it had died

my $third = "$dir/third";
my @third = ('--etcd-prefix', '/third/');
tool_out('replicate', $third, '--company', 'Third Inc.', '--etcd', $url, @third);
is(shown($third)->{entries}, 0, '--company: an empty ledger');
is(shown($third, '--etcd', $url)->{etcd}{behind}, 0, 'here and in etcd');
is(tool_out('replicate', $third, '--company', 'Third Inc.', '--etcd', $url), "$third is in etcd below /third/: 0 entries, 0 of them were put there now\n", 'again');
tool_is('--company of another', 1, qr/refused: the ledger in \Q$third\E is of Third Inc\./, 'replicate', $third, '--company', 'Other Inc.', '--etcd', $url);
tool_is('--company where etcd has one', 1, qr/refused: etcd has a ledger below \/third\/, of Third Inc\.; nginx makes it/,
    'replicate', "$dir/fourth", '--company', 'Third Inc.', '--etcd', $url, @third);
tool_is('--company that is no name', 3, qr/cannot make a ledger in .*: the company's name/, 'replicate', "$dir/fourth", '--company', ' ', '--etcd', $url, '--etcd-prefix', '/fourth/');
ok(!-e "$dir/fourth", 'nothing is made');
for my $what (qw(request answer)) {
    my @fifth = ('replicate', "$dir/$what", '--company', 'Fifth Inc.', '--etcd-prefix', "/$what/", '--etcd-timeout', '12s');
    $between->lose(2, $what);
    tool_is("the $what of the head is lost", 4, qr/it is not known whether it is done, run it again: etcd at/, @fifth, '--etcd', $between->url);
    $between->lose(0);
    tool_is('it cannot be written to alone', 3, qr/other machines have this ledger/, 'authorize', "$dir/$what", 'CS', 1, @reference);
    like(tool_out(@fifth[0 .. 5], '--etcd', $between->url), qr/: 0 entries, 0 of them/, 'again');
}


# a mark that is damaged is found

for my $at (0, 5, 15, 16, 47) {
    system('cp', '-r', $one, "$dir/flip$at") == 0 or die "cp: $!\n";
    my $data = slurp("$dir/flip$at/data.mdb");
    my @places;
    push @places, $-[0] while $data =~ /\Q$prefix\E/g;
    substr($data, $_ + $at, 1) ^= "\1" for @places;
    cmp_ok(scalar(@places), '>', 0, 'the mark is there');
    spew("$dir/flip$at/data.mdb", $data);
    tool_is("verify: byte $at of the mark", 1, qr/meta: expected/, 'verify', "$dir/flip$at");
}


# a clock that was ahead

spew("$dir/clock.c", <<'');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *ts)
{
    int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
    int rc = real(id, ts);
    if (id == CLOCK_REALTIME)
        ts->tv_sec += 1000;
    return rc;
}

system('cc', '-shared', '-fPIC', '-o', "$dir/clock.so", "$dir/clock.c", '-ldl') == 0 or die "cc failed\n";
unlike(tool_out('status', $one), qr/^clock/m, 'status: the clock is in order');
{
    local $ENV{LD_PRELOAD} = "$dir/clock.so";
    tool_out('authorize', $one, 'CS', 9000090, @reference, @etcd);
}
like(tool_out('status', $one), qr/^clock      the last entry is (9[5-9]\d|1000) seconds ahead of this machine's clock: run NTP$/m, 'status: the last entry is ahead');
cmp_ok(shown($one)->{clock_behind}, '>', 900, 'status --json: clock_behind');


# TLS and users, with files that only who runs the tool can read

my $safe = Stockcert::Etcd->new(tls => { client_certificates => 1 }, auth => ['stockcert', 'secret'], prefix => $prefix);
spew("$dir/password", "secret\n");
chmod 0600, "$dir/password", glob "$safe->{dir}/*.key";
my @files = ('--etcd-cacert', "$safe->{dir}/ca.pem", '--etcd-cert', "$safe->{dir}/client.pem", '--etcd-key', "$safe->{dir}/client.key");
my @safe = ('--etcd', ($safe->endpoints)[0], '--etcd-user', 'stockcert', '--etcd-password-file', "$dir/password", @files, '--etcd-timeout', '60s');
if ($> == 0) {
    chmod 0755, $dir;
    system('chown', '-R', 'daemon', $one) == 0 or die "chown failed\n";
}
like(tool_out('replicate', $one, @safe), qr/ is in etcd below/, 'replicate by TLS');
my $end = tool_out('authorize', $one, 'CS', 9000091, @reference, @safe) =~ s/.* //sr;
is(decode_json($safe->get('head'))->{position} . "\n", $end, 'authorize by TLS');
{
    local @ENV{map { "STOCKCERT_$_" } qw(ETCD ETCD_USER ETCD_PASSWORD_FILE ETCD_CACERT ETCD_CERT ETCD_KEY ETCD_TIMEOUT)} = @safe[1, 3, 5, 7, 9, 11, 13];
    is(shown($one)->{etcd}{behind}, 0, 'all of it from the environment');
    tool_is('an option goes before a variable', 2, qr/not "1h"/, 'status', $one, '--etcd-timeout', '1h');
}
spew("$dir/password", "secret\r\nmore\n");
is(shown($one, @safe)->{etcd}{behind}, 0, 'the password is the first line');
spew("$dir/password", "\nsecret\n");
tool_is('a first line that is empty', 3, qr/the first line of .*password must be the password/, 'status', $one, @safe);
spew("$dir/password", 'wrong');
tool_is('a wrong password', 3, qr/the user or the password is wrong/, 'authorize', $one, 'CS', 9000092, @reference, @safe);
tool_is('no certificate', 3, qr/nothing is changed/, 'authorize', $one, 'CS', 9000092, @reference, @safe[0, 1], @files[0, 1], '--etcd-timeout', '3s');

done_testing;
