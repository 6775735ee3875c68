# Ledgers that somebody made with LMDB's own means. Except for the seals they fit
# together, but titles, names, codes and shares are invalid. Clients get 503 and the log
# a line. Nothing of it is shown anywhere, and what is right stays there.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $root = $> == 0;
my $all = Stockcert->new;       # for its directory
my $home = "$all->{dir}/ledgers";

sub run { system(@_) == 0 or die "@_ failed\n" }

# edit LEDGER DATABASE KEY OFFSET BYTES, the latter three in hex: writes BYTES over
# a value, or where OFFSET is "-", they are the value; or where it is "gone", deletes it

spew("$all->{dir}/edit.c", <<'END_C');
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lmdb.h>
static size_t hex(const char *text, unsigned char *bytes)
{
    size_t    n;
    unsigned  byte;

    for (n = 0; sscanf(text + 2 * n, "%2x", &byte) == 1; n++) {
        bytes[n] = (unsigned char) byte;
    }

    return n;
}
int main(int argc, char **argv)
{
    size_t         at, n;
    MDB_env       *env;
    MDB_txn       *txn;
    MDB_dbi        dbi;
    MDB_val        key, value;
    unsigned char  name[64], bytes[1024], all[1024];

    if (argc != 6 || mdb_env_create(&env) || mdb_env_set_maxdbs(env, 1) || mdb_env_open(env, argv[1], 0, 0600)
        || mdb_txn_begin(env, NULL, 0, &txn) || mdb_dbi_open(txn, argv[2], 0, &dbi))
    {
        return 1;
    }

    key.mv_size = hex(argv[3], name);
    key.mv_data = name;
    n = hex(argv[5], bytes);
    value.mv_size = 0;

    if (strcmp(argv[4], "gone") == 0) {
        return mdb_del(txn, dbi, &key, NULL) || mdb_txn_commit(txn);
    }

    if (strcmp(argv[4], "-") == 0) {
        memcpy(all, bytes, n);
        value.mv_size = n;

    } else {
        at = strtoul(argv[4], NULL, 16);

        if (mdb_get(txn, dbi, &key, &value) || at + n > value.mv_size) {
            return 1;
        }

        memcpy(all, value.mv_data, value.mv_size);
        memcpy(all + at, bytes, n);
    }

    value.mv_data = all;

    return mdb_put(txn, dbi, &key, &value, 0) || mdb_txn_commit(txn);
}
END_C
run('cc', '-o', "$all->{dir}/edit", "$all->{dir}/edit.c", '-llmdb');


# a whole ledger, of which more than a lot is posted

my $whole = "$home/whole";

sub ledgers {
    my (%path) = @_;
    return (
        http => join('', map { qq{stockcert_ledger $_ { path "$path{$_}"; size 64m; company "Acme Inc."; class CS 1000000 "Common"; }\n} } sort keys %path),
        location => join('', map { "location /$_/ { stockcert $_; }\n" } sort keys %path),
    );
}

my $server = Stockcert->new(ledgers(whole => $whole))->start;
$server->client->issue('CS', 10, "holder $_", '/whole/') for 1 .. 300;
$server->stop;


# What is written over which value, and what is asked of it. A ledger that cannot be
# opened is refused as a whole. In others, CS-1 is refused, which is read by its number.

my $entry = '00' x 7 . '02';    # of CS-1
my $issued = '02' . '00' x 8 . '01024353' . '020101';    # its kind, its time, class and number
my $seal = 'aa' x 32;
my $counters = '00' x 5 . '0f4240' . '00' x 6 . '09f6' . '00' x 7 . 'ff';
my @all = ('/', '/CS', '/CS-2');
my @one = ('/CS', '/CS-1');

my %bad = (
    title => ['class', '4353', '-', $counters . '01' x 255, \@all, qr/a class is not readable/],
    quotes => ['class', '4353', '-', $counters . unpack('H*', qq{"><script>\n\e[2J"}), \@all, qr/a class is not readable/],
    authorized => ['class', '4353', '0', 'ff' x 8, \@all, qr/a class is not readable/],
    company => ['meta', unpack('H*', 'ledger'), '16', unpack('H*', "\n\e["), \@all, qr/its header has a company/],
    last => ['journal', '00' x 6 . '012d', '16', unpack('H*', "\n"), \@all, qr/entry 301: the name must not contain control/],
    shares => ['journal', $entry, '-', $issued . '0307' . 'ff' x 7 . '0401' . unpack('H*', 'h') . $seal, \@one, qr/entry 2: the shares must be from 1/],
    name => ['journal', $entry, '15', unpack('H*', "\n\e"), \@one, qr/entry 2: the name must not contain control/],
    utf8 => ['journal', $entry, '15', 'c0', \@one, qr/entry 2: the name must be valid UTF-8/],
    code => ['journal', $entry, '0b', unpack('H*', '"<'), \@one, qr/entry 2: the class must be 1 to 8/],
);

my %path = map { $_ => "$home/$_" } keys %bad;
for my $name (sort keys %bad) {
    run('cp', '-r', $whole, $path{$name});
    run("$all->{dir}/edit", $path{$name}, @{$bad{$name}}[0 .. 3]);
    run('chown', '-R', 'nobody', $path{$name}) if $root;
}

$server = Stockcert->new(workers => 1, ledgers(whole => $whole, %path))->start;
my $client = $server->client;

for my $name (sort keys %bad) {
    my ($paths, $says) = @{$bad{$name}}[4, 5];
    for my $path (@$paths) {
        for my $accept ('application/json', 'text/html') {
            wait_for("$name is open", sub { $client->ask('GET', "/$name/CS-2")->{status} == 200 }) if $paths != \@all;
            my $r = $client->ask('GET', "/$name$path", undef, "Accept: $accept");
            my ($error) = $r->{json} ? $r->{json}{error} : $r->{body} =~ /<h1>([^<]+)/;
            is("$r->{status} $error", '503 ' . ($r->{json} ? 'ledger_unavailable' : 'The ledger cannot be used now'), "$name: GET $path, $accept");
        }
    }
    like($server->log, qr/\[crit\] .*stockcert ledger "$name" in .*not a ledger, or a damaged one: .*$says/, "$name: the log says why");
    next if $paths == \@all;
    my $r;
    wait_for("$name: CS-2", sub { ($r = $client->ask('GET', "/$name/CS-2"))->{status} == 200 });
    is($r->{json}{stakeholder}, 'holder 2', "$name: another certificate is there");
}

ok($server->log !~ /[^\n -~]/, 'nothing in the log but printable lines');
ok($server->log !~ /exited on signal/, 'no worker crashed');
is($server->stop, 0, 'nginx ends in order');


# the tool says the same

for my $name (sort keys %bad) {
    my ($paths, $says) = @{$bad{$name}}[4, 5];
    if ($paths == \@all) {
        tool_is("$name: status", 3, $says, 'status', $path{$name});

    } else {
        tool_is("$name: show", 3, $says, 'show', $path{$name}, 'CS-1');
        my ($status, $out, $err) = tool('log', $path{$name});
        is($status, 3, "$name: log");
        like($err, $says, "$name: log says why");
        ok("$out$err" !~ /[^\n -~]/, "$name: and nothing else");
    }
}


# fewer shares are out than a certificate has: found by whoever surrenders it

my $fewer = "$home/fewer";
run('cp', '-r', $whole, $fewer);
tool_out('cancel', $fewer, 'CS-1', '--reference', 'x');
run("$all->{dir}/edit", $fewer, 'class', '4353', '8', '00' x 7 . '05');
my $before = slurp("$fewer/data.mdb");
tool_is('fewer shares are out: cancel', 3, qr/a certificate has more shares than its class has out/, 'cancel', $fewer, 'CS-2', '--reference', 'x');
ok(slurp("$fewer/data.mdb") eq $before, 'fewer shares are out: nothing is changed');


# An entry that is not there, and another in its place, so that their number is right:
# whatever reads it names it.

my $hole = "$home/hole";
run('cp', '-r', $whole, $hole);
run("$all->{dir}/edit", $hole, 'journal', '00' x 7 . '03', 'gone', '');
run("$all->{dir}/edit", $hole, 'journal', '00', '-', '00');

my @ocf = (qw(--format ocf --formed 2020-01-01 --country US --holders INDIVIDUAL --class), 'CS:COMMON:1:1:1.00:USD', '-o', "$all->{dir}/ocf");
for ([log => $hole], [holders => $hole], [export => $hole, '--format', 'csv'], [export => $hole, '--format', 'jsonl'], [export => $hole, @ocf]) {
    my ($status, $out, $err) = tool(@$_);
    is($status, 3, "@$_[0, 2 .. $#$_]: fails");
    like($err, qr/^stockcert: .*entry 3 is not in the journal$/m, '... and says why');
}

done_testing();
