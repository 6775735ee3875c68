# A journal in etcd (src/replica/stockcert_etcd.h): each of its calls, against one
# etcd, three, one with TLS and users, one without space, and servers that answer
# oddly. A program, t/lib/Stockcert/etcd.c, makes the calls.

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Spec;
use File::Temp;
use IO::Select;
use IO::Socket::INET;
use IPC::Open2;
use Cpanel::JSON::XS;
use MIME::Base64;
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;
use Stockcert::Etcd;

my $source = dirname(File::Spec->rel2abs(__FILE__));
my $build = dirname($ENV{TEST_NGINX_LOAD_MODULES});
my $tmp = File::Temp->newdir('stockcert-XXXXXX', TMPDIR => 1);
our $prefix = '/stockcert/acme/';

system('cc', '-std=gnu11', qw(-W -Wall -Werror), split(' ', $ENV{CFLAGS} || '-O1'), '-o', "$tmp/etcd",
    (map { "-I$_" } glob "$source/../src/*/"), "$source/lib/Stockcert/etcd.c", "$build/stockcert.a",
    split(' ', $ENV{LDFLAGS} // ''), qw(-llmdb -ljansson -lcrypto -lqrencode -lcurl)) == 0 or die "cc failed\n";

# the program, and a call of it: returns its line

my @pids;
END { my $status = $?; kill KILL => @pids; waitpid $_, 0 for @pids; $? = $status }

sub replica {
    my ($endpoints, @options) = @_;
    my $pid = open2(my $from, my $to, "$tmp/etcd", $prefix, join(',', @$endpoints), @options);
    push @pids, $pid;
    my $self = { pid => $pid, from => $from, to => $to };
    return $self;
}

sub begin_call { my ($replica, $call) = @_; print { $replica->{to} } "$call\n" }

sub told {
    my ($replica) = @_;
    return 'nothing' if !IO::Select->new($replica->{from})->can_read($Stockcert::TIMEOUT);
    my $line = readline($replica->{from}) // 'ended';
    $line =~ s/\s+$//;
    return $line;
}

sub call { begin_call(@_); return told($_[0]) }

sub gives {
    my ($replica, $call, $expected, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $got = call($replica, $call);
    return ref $expected ? like($got, $expected, $name // $call) : is($got, $expected, $name // $call);
}

sub done {
    my ($replica) = @_;
    close $replica->{to};
    waitpid $replica->{pid}, 0;
    @pids = grep { $_ != $replica->{pid} } @pids;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($?, 0, 'the replica ends in order');
}


# One etcd

sub seal { my ($position) = @_; return join '', map { sprintf '%02x', ($position * 31 + $_) & 255 } 0 .. 31 }

sub entries { my ($first, $n, $len) = @_; return join '', map { pack('n', $len) . chr(($first + $_) & 255) x $len } 0 .. $n - 1 }

my $etcd = Stockcert::Etcd->new;
my $one = replica([$etcd->endpoints]);
my $two = replica([$etcd->endpoints]);
my $cluster = $etcd->ask('kv/range', { key => $etcd->key('head') })->{header}{cluster_id};

gives($one, 'origin', 'NOT_FOUND 0 0', 'nothing is there: no ledger');
gives($one, 'head', 'NOT_FOUND 0 0 0', 'no head');
gives($one, 'read 1', qr/^DIVERGED .*it has no ledger below/, 'no batch');
gives($one, 'watch 1', 'NOT_FOUND 0', 'nothing to watch');
gives($one, 'append 1 50', qr/^CHANGED 0 /, 'an append without a head changes nothing');
is_deeply([$etcd->keys], [], 'nothing was written');

gives($one, 'put 1 3 100', 'OK', 'a batch, where there is no head');
gives($one, 'put 4 2 100', 'OK', 'and one more');
gives($one, 'put 6 1 100', 'OK', 'and one more');
gives($one, 'clear 6', 'OK', 'the last is removed');
is_deeply([$etcd->keys], ['batch/0000000000000001', 'batch/0000000000000004', 'replicating'], 'the others are there');
gives($one, 'put 6 1 100', 'OK', 'a batch comes again');
gives($two, 'clear 7', 'OK', 'another one begins to put a journal there');
gives($one, 'put 7 1 100', qr/^CHANGED/, 'then the first one puts no batch any more');
gives($one, 'create 6 Acme', qr/^CHANGED/, 'and no head');
gives($one, 'clear 6', 'OK', 'it begins again');
gives($two, 'put 6 1 100', qr/^CHANGED/, 'and the other puts none');
$etcd->set('ledger', 'x');
gives($one, 'create 5 Acme "Inc."', qr/^CHANGED/, 'with a ledger, but no head, none is created');
$etcd->remove('ledger');
gives($one, 'create 5 Acme "Inc."', qr/^OK \d+ 5 0$/, 'a ledger is created');
gives($two, 'create 5 Other', qr/^CHANGED/, 'not twice');
gives($two, 'put 6 1 100', qr/^CHANGED/, 'no batch, where there is a head');
gives($two, 'clear 1', qr/^CHANGED/, 'nothing is removed there');
is($etcd->get('replicating'), undef, 'nobody puts a journal there now');
is($etcd->get('ledger'), qq({"company":"Acme \\"Inc.\\"","created":1764000000000000,"format":2,"cluster_id":"$cluster"}), 'its value');
is($etcd->get('head'), '{"position":5,"seal":"' . seal(5) . '","epoch":0}', "the head's value");
is($etcd->get('batch/0000000000000004'), entries(4, 2, 100), "a batch's value");

gives($two, 'origin', 'OK 2 1764000000000000 Acme "Inc."', 'another reads the header');
gives($two, 'head', qr/^OK \d+ 5 0$/, 'and the head');
gives($one, 'append 3 200', qr/^OK \d+ 8 0$/, 'one appends');
is($etcd->get('head'), '{"position":8,"seal":"' . seal(8) . '","epoch":0}', "the head's value");
is($etcd->get('batch/0000000000000006'), entries(6, 3, 200), "the batch's value");
my ($revision) = call($one, 'head') =~ /^OK (\d+) 8 0$/;
my $kv = $etcd->ask('kv/range', { key => $etcd->key('head') })->{kvs}[0];
is($revision, $kv->{mod_revision}, "the head's revision is etcd's");
gives($one, 'append 1 10', qr/^OK (??{ $revision + 1 }) 9 0$/, 'an append tells the revision');
gives($one, 'head', qr/^OK (??{ $revision + 1 }) 9 0$/, 'which is the one that is read');

gives($two, 'append 1 20', qr/^CHANGED (??{ $revision + 1 }) 9 0 /, 'the other was too late, and sees the head');
$etcd->signal(0, 'STOP');
gives($two, 'read 6', 'OK 6 606 06', 'what it missed came with that');
gives($two, 'read 8', 'OK 6 606 06', 'an entry within a batch, too');
gives($two, 'read 9', 'OK 9 12 09', 'and the next batch');
$etcd->signal(0, 'CONT');
gives($two, 'append 1 20', qr/^OK \d+ 10 0$/, 'then it appends');
gives($two, 'append 0', qr/^OK \d+ 10 1$/, 'a head alone, with the next epoch');
gives($one, 'append 1 20', qr/^CHANGED \d+ 10 1 /, 'fences the first');
gives($one, 'wrong 1 20', qr/^CHANGED \d+ 10 1 /, 'the revision does not do, if the value is another');
gives($one, 'append 1 20', qr/^OK \d+ 11 1$/, 'both do');
is($etcd->get('batch/000000000000000b'), entries(11, 1, 20), 'the name of a batch is hexadecimal');

gives($one, 'read 1', 'OK 1 306 01', 'batches are read: the first');
gives($one, 'read 3', 'OK 1 306 01', 'the last entry of it');
gives($one, 'read 4', 'OK 4 204 04', 'the next');
gives($two, 'read 5', 'OK 4 204 04', 'one within a batch, at first');
gives($two, 'read 2', 'OK 1 306 01', 'and before that');
gives($two, 'read 11', 'OK 11 22 0b', 'the last');
gives($two, 'read 12', 'NOT_FOUND', 'none behind it');
gives($one, 'append 250 2000', qr/^OK \d+ 261 1$/, 'a batch of 500,500 bytes');
gives($one, 'append 250 2000', qr/^OK/, 'and another') for 1 .. 4;
gives($two, "read $_", sprintf('OK %d 500500 %02x', $_, $_ & 255), "four at a time: $_") for map { 12 + 250 * $_ } 0 .. 4;
gives($two, 'read 600', 'OK 512 500500 00', 'one within such a batch');
gives($two, 'head', qr/^OK \d+ 1261 1$/, 'the head');
gives($two, 'size', qr/^OK [1-9]\d{5,}$/, "the size of etcd's database");
gives($one, 'clear 500', 'OK', 'the last ones are removed, guarded by the head');
is((sort grep { /^batch/ } $etcd->keys)[-1], 'batch/0000000000000106', 'the one before stays');
gives($one, 'put 512 5 50', 'OK', 'a batch, guarded by the head');
gives($one, 'append 1 1', qr/^OK/, 'another head');
gives($two, 'put 517 5 50', qr/^CHANGED/, 'a batch, with an old guard');
gives($two, 'clear 1', qr/^CHANGED/, 'nothing is removed, with an old guard');
is(scalar(grep { /batch/ } $etcd->keys), 10, 'nothing was');

# turns: who lost waits for one

{
    my @turns = map { sprintf 'turn/%016x', $_ } 0 .. 4;
    my @m = map { replica([$etcd->endpoints], "machine=$_") } 0 .. 4;
    my $waiting = sub { return join ' ', grep { /^turn/ } $etcd->keys };
    my ($at) = map { call($_, 'head') =~ /^OK \d+ (\d+) / } @m;
    gives($m[1], 'append 1 10', qr/^OK/, 'a machine appends');
    gives($m[1], 'waits', 'OK 0', 'nobody waits');
    gives($m[0], 'append 1 10', qr/^CHANGED/, 'another one is too late');
    is($waiting->(), $turns[0], 'and waits');
    gives($m[1], 'append 1 10', qr/^OK/, 'the first appends');
    gives($m[1], 'waits 1', 'OK 1', 'and sees that');
    gives($m[1], 'append 1 10', qr/^OK/, 'who does not come loses its turn');
    gives($m[1], 'waits', 'OK 0', 'so nobody waits');
    is($waiting->(), $turns[1], 'who has seen another one keeps a place');
    is_deeply([grep { !/^OK/ } map { call($m[1], 'append 1 10') } 1 .. 255], [], 'for some appends');
    is($waiting->(), $turns[1], 'if nobody comes');
    gives($m[1], 'append 1 10', qr/^OK/, 'but not for ever');
    is($waiting->(), '', 'there is no key');
    gives($_, 'append 1 10', qr/^CHANGED/, 'another one is too late') for @m[2, 3];
    is($waiting->(), "@turns[2, 3]", 'two wait');
    gives($m[2], 'append 1 10', qr/^OK/, 'the first of them appends');
    is($waiting->(), $turns[3], 'and has seen nobody before');
    gives($m[2], 'waits', 'OK 1', 'it sees that the other waits');
    gives($m[3], 'append 1 10', qr/^CHANGED/, 'which is too late again');
    $etcd->signal(0, 'STOP');
    gives($m[3], 'read ' . ($at + $_), qr/^OK/, "it has all that came since it looked: $_") for 1 .. 4;
    $etcd->signal(0, 'CONT');
    is($waiting->(), $turns[3], 'it alone waits');
    gives($m[3], 'append 1 10', qr/^OK/, 'then it appends');
    gives($m[2], 'waits', 'OK 0', 'nobody waits any more');
    is($waiting->(), '', 'nor is there a key');

    # both have grants all the time

    my $turn = sub { gives($_[0], 'head', qr/^OK/); gives($_[0], 'append 1 10', qr/^OK/, 'in its turn') };
    $turn->($m[2]);
    is($waiting->(), $turns[2], 'it keeps its place');
    $turn->($m[3]);
    gives($m[3], 'waits', 'OK 1', 'the next one waits for it');
    gives($m[2], 'waits', 'OK 0', 'which waits for nobody');
    $turn->($m[2]);
    gives($m[3], 'waits', 'OK 0', 'until it comes');
    $turn->($m[3]);
    is($waiting->(), "@turns[2, 3]", 'both keep their places');
    $turn->($m[$_]), gives($m[5 - $_], 'waits', 'OK 0', 'and take turns'), gives($m[$_], 'waits', 'OK 1') for (2, 3) x 5;
    gives($m[2], 'leave', 'OK');
    is($waiting->(), $turns[3], 'who has no grants leaves');
    gives($m[3], 'waits', 'OK 0', 'and is not waited for');
    gives($m[3], 'leave', 'OK');
    is($waiting->(), '', 'nobody is left');

    $etcd->set($turns[4], '');
    gives($m[4], 'head', qr/^OK/);
    gives($m[4], 'append 1 10', qr/^OK/, 'a key that a process of the machine left');
    gives($m[4], 'append 1 10', qr/^OK/, 'is taken out');
    is($waiting->(), '', 'with the next append');
    gives($one, 'head', qr/^OK/);
    done($_) for @m;
}

# a watch

$two = replica([$etcd->endpoints]);
gives($two, 'watch 10000', qr/^OK [1-9]\d*$/, 'a watch without a revision gets one');
gives($two, 'watch 1', qr/^NOT_FOUND [1-9]\d*$/, 'nothing happens');
for (1 .. 3) {
    begin_call($two, 'watch 600000');
    my ($now) = call($one, 'append 1 10') =~ /^OK (\d+)/;
    is(told($two), "OK $now", 'a watch sees an append');
}
my ($now) = call($one, 'append 1 10') =~ /^OK (\d+)/;
gives($two, 'watch 600000', "OK $now", 'it sees one between calls');
gives($two, 'watched 1', 'OK');
gives($two, 'watch 600000', "OK $now", 'one with an old revision has it at once');
done($two);
$two = replica([$etcd->endpoints]);
$etcd->compact;
gives($two, 'watched 1', 'OK');
gives($two, 'watch 600000', "OK $now", 'so it has, if that was compacted');
begin_call($two, 'watch 600000');
($now) = call($one, 'append 0') =~ /^OK (\d+)/;
is(told($two), "OK $now", 'and goes on');

# other words in etcd

my %was = map { $_ => $etcd->get($_) } qw(head ledger);
my $seal = seal(1);
for my $value ('', 'x', '{}', '[]', qq({"position":1,"seal":"$seal"}), qq({"position":-1,"seal":"$seal","epoch":0}),
    qq({"position":1,"seal":"${seal}00","epoch":0}), qq({"position":1,"seal":"\U$seal\E","epoch":0}),
    qq({"position":1, "seal":"$seal","epoch":0}), qq({"position":1,"seal":"$seal","epoch":0,"more":1}),
    qq({"position":99999999999999999999,"seal":"$seal","epoch":0})) {
    $etcd->set('head', $value);
    gives($one, 'head', qr/^DIVERGED 0 0 0 etcd at http:.*acme\/head" has a value that is not a head's$/, "a head that is \"$value\"");
}
gives($one, 'append 1 1', qr/^CHANGED 0 /, 'no guard is such a head');
$etcd->set('head', $was{head});
gives($one, 'head', qr/^OK/, 'the head is back');
for my $value ('', 'x', '{}', '{"format":2}', '{"format":0,"cluster_id":"1"}', '{"format":2,"cluster_id":1}',
    '{"format":2,"cluster_id":"0"}', '{"format":2,"cluster_id":"x"}', '{"format":2,"cluster_id":"1","company":"","created":1}',
    '{"format":2,"cluster_id":"1","company":"a\u0000","created":1}', '{"format":2,"cluster_id":"99999999999999999999","company":"a","created":1}',
    '{"format":2,"cluster_id":"1","company":"a","created":-1}', '{"format":4294967296,"cluster_id":"1"}') {
    $etcd->set('ledger', $value);
    gives($one, 'origin', qr/^DIVERGED .*acme\/ledger" has a value that is not a ledger's$/, "a ledger that is \"$value\"");
}
gives($one, 'head', qr/^DIVERGED [1-9]/, 'no head without one, but for who repairs it');
gives($one, 'append 1 1', qr/^DIVERGED/, 'no append without one');
gives($one, 'read 1', qr/^DIVERGED/, 'no batch without one');
$etcd->set('ledger', qq({"format":3,"cluster_id":"$cluster","more":1}));
gives($one, 'origin', 'OK 3 0', 'another format');
$etcd->remove('ledger');
gives($one, 'origin', 'NOT_FOUND 0 0', 'no ledger');
gives($one, 'append 1 1', qr/^DIVERGED .*it has no ledger below \/stockcert\/acme\/; run "stockcert replicate"$/, 'no append');
gives($one, 'read 1', qr/^DIVERGED .*it has no ledger below \/stockcert\/acme\/; run "stockcert replicate"$/, 'no batch');
gives($one, 'head', qr/^NOT_FOUND 0 /, 'no head without one');
(my $other = $was{ledger}) =~ s/$cluster/1234567/;
$etcd->set('ledger', $other);
my $restored = qr/this etcd is another one, or was restored: its cluster_id is $cluster, and the ledger below \/stockcert\/acme\/ is of 1234567; run "stockcert replicate"$/;
my $head = $etcd->get('head');
gives($one, 'origin', qr/^DIVERGED 2 1764000000000000 Acme "Inc." etcd at .*$restored/, 'an etcd that was restored: the header');
gives($one, 'head', qr/^DIVERGED [1-9]\d* \d+ \d+ etcd at .*$restored/, 'the head, for who repairs it');
gives($one, 'append 1 1', qr/^DIVERGED .*$restored/, 'no append');
gives($one, 'append 1 1', qr/^DIVERGED .*$restored/, 'never');
is($etcd->get('head'), $head, 'nothing was written');
gives($one, 'read 1', qr/^DIVERGED .*$restored/, 'no batch');
gives($two, 'watch 1', qr/^OK/, 'who knew the ledger does not read it always');
gives($two, 'origin', qr/^DIVERGED/, 'but sometimes');
gives($two, 'watch 1', qr/^DIVERGED/, 'no watch');
gives($one, 'create 1 New', qr/^OK \d+ 1 2$/, 'a ledger is created in the place of that');
gives($two, 'origin', 'OK 2 1764000000000000 New', 'all is well for the other');
gives($two, 'head', qr/^OK \d+ 1 2$/, 'the head, too');
$etcd->set('batch/0000000000000002', $_->[1]),
    gives($two, 'read 2', qr/^DIVERGED .*a batch below \/stockcert\/acme\/, from position 2 on, is not readable$/, "a batch that is $_->[0]")
    for ['empty', ''], ['cut', substr entries(2, 2, 9), 0, -1], ['of 2001 bytes', entries(2, 1, 2001)], ['too long', entries(2, 400, 1500)];
$etcd->remove('batch/0000000000000002');
$etcd->set("batch/$_", 'x'), gives($two, 'read 20', qr/^DIVERGED/, "a batch at $_"), $etcd->remove("batch/$_")
    for '000000000000001F', '00000000000000300', '000000000000002 ';
done($one);
done($two);

# trimming

$etcd->ask('kv/deleterange', { key => $etcd->key(''), range_end => encode_base64('/stockcert/acme0', '') });
$one = replica([$etcd->endpoints], 'keep=2000');
gives($one, 'create 0 Acme', qr/^OK/);
call($one, 'append 70 10') for 1 .. 75;
is((sort $etcd->keys)[0], sprintf('batch/%016x', 3011), 'batches that nobody needs are gone, and no other');
gives($one, 'read 3011', 'OK 3011 840 c3', 'the first that is there');
gives($one, 'read 3010', 'NOT_FOUND', 'none before');
is(scalar(grep { /batch/ } $etcd->keys), 32, 'the others are there');
$etcd->set('batch/000000000000109a0', 'x');
gives($one, 'append 1000 10', qr/^OK \d+ 6250 0$/, 'where they cannot be found, the append goes on');
is(scalar(grep { /batch/ } $etcd->keys), 34, 'and nothing is removed');
done($one);

# many batches are removed in parts

$one = replica([$etcd->endpoints]);
gives($one, 'head', qr/^OK/);
for my $part (0 .. 20) {
    $etcd->ask('kv/txn', { success => [map { { requestPut => { key => $etcd->key(sprintf 'batch/%016x', 10000 + $part * 100 + $_), value => '' } } } 0 .. 99] });
}
is(scalar(grep { /batch/ } $etcd->keys), 2134, 'many batches');
gives($one, 'clear 10000', 'OK', 'they are removed');
is(scalar(grep { /batch/ } $etcd->keys), 34, 'the others are there');
done($one);

# more than one look removes: the next append goes on

$etcd->ask('kv/deleterange', { key => $etcd->key(''), range_end => encode_base64('/stockcert/acme0', '') });
$one = replica([$etcd->endpoints], 'keep=2000');
gives($one, 'create 0 Acme', qr/^OK/);
call($one, 'append 1000 10') for 1 .. 5;
for my $part (0 .. 19) {
    $etcd->ask('kv/txn', { success => [map { { requestPut => { key => $etcd->key(sprintf 'batch/%016x', $part * 100 + $_), value => '' } } } 1 .. 100] });
}
for (['append 1000 10', 1004], ['append 1 10', 5], ['append 1 10', 4]) {
    my ($append, $left) = @$_;
    gives($one, $append, qr/^OK/);
    is(scalar(grep { /batch/ } $etcd->keys), $left, "$left batches are left");
}
done($one);
undef $etcd;


# Three. They may be slow, or choose another leader, at any time: what is asked for is
# asked for until it is there.

$etcd = Stockcert::Etcd->new(members => 3);
$one = replica([$etcd->endpoints], 'timeout=5000');
my $watch = replica([$etcd->endpoints(1, 2, 0)], 'timeout=5000');

sub comes {
    my ($replica, $call, $expected, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $line = '';
    eval { wait_for($name, sub { ($line = call($replica, $call)) =~ $expected }) };
    like($line, $expected, $name);
    return ($line =~ /(\d+)/)[0];
}

sub watched {
    my ($name) = @_;
    my $revision = comes($one, 'head', qr/^OK /, "$name: the head");
    comes($watch, 'watch 100', qr/^(OK|NOT_FOUND) $revision$/, $name);
}

comes($one, 'create 0 Acme', qr/^(OK|CHANGED)/, 'three members: a ledger');
comes($one, 'head', qr/^OK \d+ 0 0$/, 'its head');
comes($one, 'append 1 10', qr/^(OK|CHANGED) \d+ 1 0/, 'a batch');
watched('a watch at another member');

# a member has what it told of, and needs no other one to say it again

{
    my $told = replica([$etcd->endpoints(0)], 'timeout=1000');
    my $revision = comes($told, 'head', qr/^OK /, 'the head of one member');
    $etcd->signal($_, 'STOP') for 1, 2;
    comes($told, "head $revision", qr/^OK $revision /, 'the others are stopped: it has this head, or a newer one');
    gives($told, 'head ' . ($revision + 1), qr/^UNREACHED/, '... and not one that is newer yet');
    gives($told, 'head', qr/^UNREACHED/, '... nor does it know whether there is one');
    $etcd->signal($_, 'CONT') for 1, 2;
    done($told);
}
comes($one, 'head', qr/^OK /, 'they go on');

$etcd->kill(0);
my $fresh = replica([$etcd->endpoints], 'timeout=5000');
gives($fresh, 'head', qr/^UNREACHED 0 0 0 etcd at http:\S+: no answer: /, 'a member was killed: no answer');
comes($fresh, 'head', qr/^OK \d+ 1 0$/, 'the next one answers');
comes($fresh, 'append 1 10', qr/^(OK|CHANGED) \d+ 2 0/, 'a batch');
watched('the watch sees it');
$etcd->start(0);

$etcd->signal(0, 'STOP');
my $stopped = replica([$etcd->endpoints], 'timeout=5000');
gives($stopped, 'head', qr/^UNREACHED 0 0 0 etcd at http:\S+: no answer: /, 'a member does not go on: no answer');
comes($stopped, 'head', qr/^OK \d+ 2 0$/, 'the next one answers');
comes($stopped, 'append 1 10', qr/^(OK|CHANGED) \d+ 3 0/, 'a batch');
watched('the watch sees it');
$etcd->signal(0, 'CONT');
$etcd->wait_healthy;

# the one where the watch is, if it is where it was

$etcd->signal(1, 'STOP');
comes($stopped, 'append 1 10', qr/^(OK|CHANGED) \d+ 4 0/, 'a batch, while another member does not go on');
watched('a watch sees it elsewhere');
$etcd->signal(1, 'CONT');
$etcd->wait_healthy;

$etcd->kill($_) for 1, 2;
my $short = replica([$etcd->endpoints], 'timeout=1');
gives($short, 'head', qr/^UNREACHED/, 'without a majority there is no answer') for 1 .. 6;
gives($short, 'origin', qr/^UNREACHED/, 'nor to this');
$etcd->spawn($_) for 1, 2;
$etcd->wait_healthy;
comes($stopped, 'append 1 10', qr/^(OK|CHANGED) \d+ 5 0/, 'the majority is back');
done($_) for $one, $watch, $stopped, $short, $fresh;
undef $etcd;


# TLS, client certificates, and users

$etcd = Stockcert::Etcd->new(tls => { client_certificates => 1 }, auth => ['stockcert', 'sec"ret']);
my $dir = $etcd->{dir};
my @tls = ("trusted=$dir/ca.pem", "certificate=$dir/client.pem", "key=$dir/client.key");
my @user = ('user=stockcert', 'password=sec"ret');
$one = replica([$etcd->endpoints], @tls, @user);
gives($one, 'create 0 Acme', qr/^OK/, 'with TLS and a user: a ledger');
gives($one, 'append 5 100', qr/^OK \d+ 5 0$/, 'a batch');
gives($one, 'watch 600000', qr/^OK/, 'a watch');
begin_call($one, 'watch 600000');
$etcd->set('head', '{}');
like(told($one), qr/^OK/, 'that sees a change');
gives($one, 'head', qr/^DIVERGED/, 'as it is');
$etcd->set('head', '{"position":5,"seal":"' . seal(5) . '","epoch":0}');
gives($one, 'head', qr/^OK \d+ 5 0$/, 'a head');

sub refused {
    my ($name, $expected, @options) = @_;
    my $replica = replica([$etcd->endpoints], @options);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $got;

    # its own connection may break before it has read why

    for (1 .. 20) {
        $got = call($replica, 'head');
        last if $got =~ $expected;
    }
    like($got, qr/^UNREACHED 0 0 0 etcd at .*$expected/, $name);
    unlike($got, qr/sec"ret|other password/, 'no password is told');
    gives($replica, 'watched 1', 'OK');
    for (1 .. 20) {
        $got = call($replica, 'watch 1');
        last if $got =~ $expected;
    }
    like($got, qr/^UNREACHED 1 etcd at .*$expected/, "$name: a watch");
    done($replica);
}

refused('a wrong password', qr/the user or the password is wrong/, @tls, 'user=stockcert', 'password=other password');
refused('no such user', qr/the user or the password is wrong/, @tls, 'user=nobody', 'password=other password');
refused('no user', qr/etcd wants a user and a password/, @tls);
refused('no certificate', qr/certificate/, "trusted=$dir/ca.pem", @user);
refused('nothing to trust it by', qr/its certificate is not trusted/, @tls[1, 2], @user);
refused('no key', qr/the client certificate or its key cannot be used/, @tls[0, 1], @user);
refused('a certificate that is none', qr/the trusted certificates cannot be used/, "trusted=$dir/ext", @tls[1, 2], @user);
refused('a certificate with a CommonName', qr/must have no CommonName/, $tls[0], "certificate=$dir/named.pem", "key=$dir/named.key");
{
    local $prefix = '/elsewhere/';
    refused('keys that are not for this user', qr/needs readwrite on all keys with the prefix/, @tls, @user);
}

# a token that is no longer known

$etcd->restart(0);
wait_for('it answers', sub { call($one, 'head') =~ /^OK/ });
gives($one, 'append 1 10', qr/^OK \d+ 6 0$/, 'etcd was started anew: the token is asked for again');
$etcd->ask('auth/user/changepw', { name => 'stockcert', password => 'sec"ret' });
gives($one, 'append 1 10', qr/^OK \d+ 7 0$/, 'the password was set anew: so it is');
begin_call($one, 'watch 600000');
like(told($one), qr/^OK/, 'the watch');
done($one);
undef $etcd;

$etcd = Stockcert::Etcd->new(tls => { client_certificates => 1, server_only => 1 });
@tls = map { s/\Q$dir/$etcd->{dir}/r } @tls;
refused('a server that may not be a client', qr/its own certificate needs clientAuth in its extended key usage/, @tls);
undef $etcd;

# users without need

$etcd = Stockcert::Etcd->new;
$one = replica([$etcd->endpoints], @user);
gives($one, 'create 0 Acme', qr/^OK/, 'a user, where etcd has none');
@$etcd{qw(auth prefix)} = (['stockcert', 'sec"ret'], $prefix);
$etcd->make_users;
gives($one, 'append 1 10', qr/^OK/, 'until it has');
done($one);
$one = replica([map { s/http:/https:/r } $etcd->endpoints], @user);
gives($one, 'head', qr/^UNREACHED .* no answer/, 'https, where there is http');
done($one);
undef $etcd;


# no space

$etcd = Stockcert::Etcd->new(args => ['--quota-backend-bytes', 4_000_000]);
$one = replica([$etcd->endpoints]);
gives($one, 'create 0 Acme', qr/^OK/);
my $line = '';
for (1 .. 100) { last if ($line = call($one, 'append 100 2000')) !~ /^OK/ }
like($line, qr/^UNREACHED .* refused, status \d+: .*space exceeded \(etcd is out of space \(its alarm\): compact, defragment and disarm it\)$/, 'no space');
gives($one, 'append 1 10', qr/^UNREACHED .*etcd is out of space/, 'not for a small batch, either');
gives($one, 'head', qr/^OK/, 'the head is read');
$etcd->compact;
$etcd->ask('kv/deleterange', { key => $etcd->key('batch/'), range_end => $etcd->key('batch0') });
$etcd->compact;
$etcd->ask('maintenance/defragment', {});
my $member = $etcd->ask('maintenance/status', {})->{header}{member_id};
$etcd->ask('maintenance/alarm', { action => 'DEACTIVATE', alarm => 'NOSPACE', memberID => $member });
gives($one, 'again 1 10', qr/^OK/, 'after that was done, it goes on');
done($one);
undef $etcd;


# Servers that answer oddly, and else forward to etcd. What one does with a request
# is what is returned by a function of path and body: bytes, before it closes the
# connection; or undef, to forward it.

sub http { my ($status, $text) = @_; return "HTTP/1.1 $status\r\nContent-Length: " . length($text) . "\r\n\r\n$text" }

sub forward {
    my ($path, $body) = @_;
    my $r = $etcd->post(0, $path, decode_json($body));
    return http("$r->{status} OK", $r->{content});
}

sub request {
    my ($socket) = @_;
    my $line = readline($socket) // return;
    my ($path) = $line =~ /^POST (\S+) HTTP\/1\.1\r$/ or die "odd request\n";
    my $len;
    while (($line = readline($socket) // return) ne "\r\n") {
        $len = $1 if $line =~ /^Content-Length: (\d+)/i;
    }
    read $socket, my $body, $len or return;
    return ($path, $body);
}

sub serve {
    my ($socket, $answer) = @_;
    my $requests = 0;
    while (my ($path, $body) = request($socket)) {
        my $bytes = $answer->($path, $body, $requests++, $socket);
        print $socket $bytes // forward($path, $body);
        $socket->flush;
        return if defined $bytes;
    }
}

# the head is read by a transaction, too

sub writes { my ($path, $body) = @_; return $path eq '/v3/kv/txn' && $body =~ /"compare"/ }

my @fakes;
sub fake {
    my ($answer) = @_;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16) or die "listen: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setpgrp 0, 0;
        $SIG{CHLD} = 'IGNORE';
        while (my $socket = $listen->accept) {
            next if fork;
            eval { serve($socket, $answer) };
            POSIX::_exit(0);
        }
        POSIX::_exit(0);
    }
    push @fakes, $pid;
    return 'http://127.0.0.1:' . $listen->sockport;
}
END { my $status = $?; kill KILL => map { ($_, -$_) } @fakes; waitpid $_, 0 for @fakes; $? = $status }

sub end_fakes {
    kill KILL => map { ($_, -$_) } @fakes;
    waitpid $_, 0 for @fakes;
    @fakes = ();
}

$etcd = Stockcert::Etcd->new;
$one = replica([$etcd->endpoints]);
gives($one, 'create 0 Acme', qr/^OK/);
$cluster = $etcd->ask('maintenance/status', {})->{header}{cluster_id};
my $header = qq("header":{"cluster_id":"$cluster","revision":"99"});
my $put = '{"response_put":{}}';
my $range = '{"response_range":{}}';
my $puts = qq($put,$put,$range);
my $ranges = qq($range,$range,$put);
my $good = qq({$header,"succeeded":true,"responses":[$puts]});
my $is_odd = qr/its answer is not one of etcd, or is cut$/;

for my $case (
    ['status 500', http('500 Internal Server Error', 'oops'), qr/refused, status 500: oops$/],
    ['status 503, without a word', http('503 Service Unavailable', ''), qr/refused, status 503$/],
    ['status 404', http('404 Not Found', 'Not Found'), qr/refused, status 404: Not Found \(etcd has no JSON gateway there/],
    ['a redirection', http("302 Found\r\nLocation: " . ($etcd->endpoints)[0] . '/v3/kv/txn', ''), qr/refused, status 302$/],
    ['an error in JSON', http('400 Bad Request', '{"error":"e","message":"etcdserver: \u001b[1m","code":3}'), qr/refused, status 400: etcdserver: \\x1b\[1m$/],
    ['nothing', '', qr/no answer: Empty reply from server$/],
    ['no HTTP', "hello\n", qr/no answer: Received HTTP\/0\.9/],
    ['half a head', "HTTP/1.1 200 OK\r\nCont", $is_odd],
    ['a body that is cut', substr(http('200 OK', $good), 0, -1), qr/no answer: transfer closed with 1 bytes remaining/],
    ['a chunk that is cut', "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n$good", qr/no answer/],
    ['no last chunk', sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", length $good, $good), qr/no answer/],
    ['a long answer', http('200 OK', '{"x":"' . 'x' x (9 * 1024 * 1024) . '"}'), qr/its answer is too long$/],
    (map { ["\"$_\"", http('200 OK', $_), $is_odd] } '', 'x', '{}', '[]', '1', substr($good, 0, -1), "$good}",
        qq({"succeeded":true,"responses":[$puts]}), qq({"header":{},"succeeded":true,"responses":[$puts]}),
        qq({"header":{"cluster_id":$cluster},"succeeded":true,"responses":[$puts]}),
        qq({"header":{"cluster_id":"$cluster"},"succeeded":true,"responses":[$puts]}),
        qq({$header,"succeeded":"true","responses":[$puts]}), qq({$header,"succeeded":1,"responses":[$ranges]}),
        qq({$header,"succeeded":true}), qq({$header,"succeeded":true,"responses":[$put]}), qq({$header,"succeeded":true,"responses":{}}),
        qq({$header}), qq({$header,"responses":[$range]}), qq({$header,"responses":[$put,$put,$put]}),
        qq({$header,"responses":[1,2,3]})),
) {
    my ($name, $bytes, $expected) = @$case;
    my $replica = replica([fake(sub { return writes(@_) ? $bytes : undef })]);
    gives($replica, 'head', qr/^OK \d+ 0 0$/, "$name: the head");
    gives($replica, 'append 1 10', qr/^UNREACHED \d+ 0 0 etcd at http:\S+: $expected/, "$name decides nothing");
    done($replica);
    end_fakes();
}

my $replica = replica([fake(sub { return writes(@_) ? http('200 OK', $good) : undef })]);
gives($replica, 'head', qr/^OK/);
gives($replica, 'append 1 10', 'OK 99 1 0', 'a whole answer decides');
done($replica);
(my $elsewhere = $good) =~ s/$cluster/1234567/;
$replica = replica([fake(sub { return writes(@_) ? http('200 OK', $elsewhere) : undef })]);
gives($replica, 'head', qr/^OK/);
gives($replica, 'append 1 10', qr/^DIVERGED .*this etcd is another one, or was restored: its cluster_id is 1234567/, 'one of another etcd does not');
done($replica);
end_fakes();

for my $answer ('{}', qq({$header,"succeeded":true}), qq({$header,"succeeded":true,"responses":[$range]}), qq({$header,"succeeded":true,"responses":[$range,$put]})) {
    $replica = replica([fake(sub { return $_[0] eq '/v3/kv/txn' ? http('200 OK', $answer) : undef })]);
    gives($replica, 'head', qr/^UNREACHED 0 0 0 etcd at http:\S+: $is_odd/, "a head in \"$answer\" is not read as none");
    done($replica);
}
end_fakes();

# a connection that was used before dies, and libcurl sends again what was done

$replica = replica([fake(sub {
    my ($path, $body, $requests) = @_;
    return if !writes($path, $body) || $requests == 0;
    forward($path, $body);
    return '';
})]);
gives($replica, 'head', qr/^OK \d+ 0 0$/);
gives($replica, 'append 3 10', qr/^CHANGED \d+ 3 0 /, 'what is sent twice is done once, and the guard fails');
gives($replica, 'read 1', 'OK 1 36 01', 'and what is there is told');
done($replica);

# the same, but the answer does not come

$replica = replica([fake(sub {
    my ($path, $body) = @_;
    return if !writes($path, $body);
    forward($path, $body);
    sleep 600;
})], 'timeout=1');
wait_for('a head', sub { call($replica, 'head') =~ /^OK \d+ 3 0$/ });
gives($replica, 'append 1 10', qr/^UNREACHED \d+ 3 0 .* no answer: .*timed out/i, 'an answer that does not come decides nothing');
wait_for('it was done', sub { call($one, 'head') =~ /^OK \d+ 4 0$/ });
gives($replica, 'again 0', qr/^UNREACHED/, 'when the time is over, it is given up');
done($replica);

# tokens

for my $case (
    ['a token that is never known', 'ok', qr/refused, status 401: etcdserver: invalid auth token/],
    ['a token that is no header', 'a\r\nX: y', $is_odd], ['no token', '', $is_odd], ['a long token', 'x' x 9000, $is_odd],
) {
    my ($name, $token, $expected) = @$case;
    $replica = replica([fake(sub {
        return $_[0] eq '/v3/auth/authenticate' ? http('200 OK', qq({$header,"token":"$token"}))
            : http('401 Unauthorized', '{"message":"etcdserver: invalid auth token"}');
    })], @user);
    gives($replica, 'head', qr/^UNREACHED 0 0 0 .*$expected/, $name);
    done($replica);
}

# what refuses a login may repeat the password

for my $case (['secret', ''], ['authentication failed, secret', ' (the user or the password is wrong)']) {
    my ($says, $advice) = @$case;
    $replica = replica([fake(sub { return $_[0] eq '/v3/auth/authenticate' ? http('400 Bad Request', $says) : undef })], @user);
    gives($replica, 'head', qr/^UNREACHED 0 0 0 etcd at http:\S+: refused, status 400\Q$advice\E$/, "a login is refused: $says");
    done($replica);
}

# the end of the process, while etcd says nothing

my $silent = fake(sub { sleep 600 });
my $half = fake(sub { return if $_[0] ne '/v3/watch' && !writes(@_); sleep 600 });
for my $case ([$silent, 'head'], [$silent, 'origin'], [$silent, 'read 1'], [$silent, 'size'], [$silent, 'create 0 x'],
    [$silent, 'watch 600000'], [$half, 'watch 600000'], [$half, 'append 1 10'], [$half, 'again 1 10']) {
    my ($endpoint, $call) = @$case;
    $replica = replica([$endpoint], 'timeout=6000000');
    if ($endpoint eq $half) {
        gives($replica, 'head', qr/^OK/);
    }
    my ($revision) = call($one, 'head') =~ /^OK (\d+)/;
    gives($replica, "watched $revision", 'OK');
    begin_call($replica, $call);
    sleep 0.3;
    kill USR1 => $replica->{pid};
    like(told($replica), qr/^UNREACHED .*this process is to end$/, "$call, and the process is to end");
    done($replica);
}

# streams that are of no use

my $line_of = sub { my ($more, $id) = @_; sprintf qq({"result":{"header":{"cluster_id":"%s"}%s}}\n), $id // $cluster, $more };
my $stream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
for my $case (['no JSON', "x\n"], ['cancelled', $line_of->(',"canceled":true')], ['another etcd', $line_of->('', 1)],
    ['an odd event', $line_of->(',"events":[{"kv":{"mod_revision":1}}]')], ['an error', qq({"error":{"message":"x"}}\n)],
    ['a line without an end', 'x' x (9 * 1024 * 1024)], ['nothing', '']) {
    my ($name, $lines) = @$case;
    my $bytes = $stream . ($lines eq '' ? '' : sprintf "%x\r\n%s\r\n", length $lines, $lines);
    $replica = replica([fake(sub {
        my ($path, $body, undef, $socket) = @_;
        return if $path ne '/v3/watch';
        print $socket $bytes;
        $socket->flush;
        sleep 600 if $lines ne '';
        return '';
    })]);
    gives($replica, 'watch 1', qr/^OK/);
    gives($replica, 'watch 200', qr/^NOT_FOUND/, "a stream: $name");
    call($one, 'head');
    ($now) = call($one, 'append 1 10') =~ /^OK (\d+)/;
    gives($replica, 'watch 600000', "OK $now", "a stream: $name: the head is read");
    done($replica);
}
$replica = replica([fake(sub {
    my ($path, $body, undef, $socket) = @_;
    return if $path ne '/v3/watch';
    print $socket $stream;
    $socket->flush;
    sleep 600;
})]);
gives($replica, 'watch 1', qr/^OK/);
($now) = call($one, 'append 1 10') =~ /^OK (\d+)/;
gives($replica, 'watch 200', "OK $now", 'a stream that says nothing: the head is read');
done($replica);
end_fakes();

done_testing();
