# Several machines on one journal, by the code that they run (t/simulation): the
# seeds hold. With a rule taken out, of the engine or of the code, one of the first
# seeds fails. Run t/simulation's program by hand, with the directory, a seed and
# 1, to see again how.
#
# STOCKCERT_SEED is the first seed. With STOCKCERT_SOAK, other seeds go on for so
# many minutes.

use strict;
use warnings;
use File::Basename qw(basename dirname);
use File::Spec;
use File::Temp;
use Test::More;
use Stockcert;
use Stockcert::Disk qw(in_memory);

my $first = $ENV{STOCKCERT_SEED} // 1;
my $soak = 60 * ($ENV{STOCKCERT_SOAK} || 0);
alarm $soak + 1800;

my $source = dirname(File::Spec->rel2abs(__FILE__));
my $library = dirname($ENV{TEST_NGINX_LOAD_MODULES}) . '/stockcert.a';
my $tmp = File::Temp->newdir('stockcert-XXXXXX', TMPDIR => 1);
my $ledgers = File::Temp->newdir('stockcert-XXXXXX', DIR => in_memory);

my @cc = ('cc', '-std=gnu11', qw(-W -Wall -Werror), split(' ', $ENV{CFLAGS} || '-O1'), map { "-I$_" } glob "$source/../src/*/");
my @wrapped = qw(mdb_env_create mdb_env_open mdb_env_close mdb_env_set_mapsize mdb_env_set_maxreaders mdb_env_set_maxdbs
    mdb_txn_begin mdb_txn_commit flock clock_gettime nanosleep getrandom syscall);

sub compile {
    my ($from, $to) = @_;
    system(@cc, '-c', '-o', $to, $from) == 0 or die "cc failed\n";
    return $to;
}

my @objects = map { compile($_, "$tmp/" . basename($_, '.c') . '.o') } glob "$source/simulation/*.c";

# the program with copies of some sources, each changed in one place

sub program {
    my ($name, %change) = @_;
    my @changed;

    for my $file (sort keys %change) {
        my ($path) = glob "$source/../src/*/$file.c";
        my $text = slurp($path);
        while (my ($from, $to) = splice @{$change{$file}}, 0, 2) {
            $text =~ s/\Q$from\E/$to/ or die "$file.c has no \"$from\"\n";
        }
        spew("$tmp/$name-$file.c", $text);
        push @changed, compile("$tmp/$name-$file.c", "$tmp/$name-$file.o");
    }

    system('cc', '-o', "$tmp/$name", @objects, @changed, $library, (map { "-Wl,--wrap=$_" } @wrapped), split(' ', $ENV{LDFLAGS} // ''),
        qw(-llmdb -ljansson -lcrypto -lqrencode -lcurl)) == 0 or die "cc failed\n";

    return "$tmp/$name";
}

# ledgers are short: what is done after so many entries is done after a few

my @often = ('STOCKCERT_REACH_MAX  20000', 'STOCKCERT_REACH_MAX  7');

# clients do not come again as those of a bench do

my @more = ('STOCKCERT_ALONE    16', 'STOCKCERT_ALONE    0', "        leader->alone = leader->late;\n\n        return 0;\n", '');

sub run {
    my ($program, $from, $count, $seconds, @word) = @_;
    my $out = `$program $ledgers $from $count $seconds @word 2>&1`;
    return ($? >> 8, $out);
}

my $holds = program('simulation', stockcert_reach => [@often], stockcert_batch => [@more]);

sub holds {
    my ($from, $count, $seconds) = @_;
    my ($status, $out) = run($holds, $from, $count, $seconds);
    is($status, 0, "seeds from $from on hold") or diag($out);
    note($out) if $status == 0;
    return $out;
}

my $seen = holds($first, 4000, 0);
is_deeply([$seen =~ /^(.*): 0$/mg], [], 'all that can happen has happened');

# what fails, and with which words: without a file, the engine is told to

sub fails {
    my ($name, $words, %change) = @_;
    my $program = %change ? program($name, %change, stockcert_reach => [@often, @{$change{stockcert_reach} || []}],
        stockcert_batch => [@more, @{$change{stockcert_batch} || []}]) : $holds;
    my @word = %change ? () : $name;

    my ($status, $out) = run($program, $first, 10000, 0, @word);
    my ($seed, $why) = $out =~ /^seed (\d+) fails: (.*)/m;
    is($status, 1, "$name: fails") or return;
    like($why, $words, "... at seed $seed");

    my ($again, $same) = run($program, $seed, 1, 0, @word);
    is($same, $out, '... and again, in the same way');
}

my $untrue = qr/times in the journal|told to two clients|which is another one|not in the journal/;

# the engine takes what it must refuse, or lets in what was fenced off

fails('noguard', qr/a batch begins with entry/);
fails('nofence', $untrue);
fails('samebytes', $untrue);

# the code trusts what is no answer

fails('fence', $untrue, stockcert_reach => ['for (i = 0; guard && head->revision == guard; i++)', 'for (i = 0; 0 && guard; i++)']);
fails('unnote', $untrue, stockcert_batch => ["if (rc == STOCKCERT_CHANGED) {\n",
    "if (rc == STOCKCERT_CHANGED) {\n stockcert_lanes_unnote(leader->lanes);\n"]);
fails('unsent', $untrue, stockcert_batch => ["        *unsent = 0;\n", '']);
fails('order', $untrue, stockcert_write => ['} else if (rc == STOCKCERT_FULL) {',
    '} else if (rc == STOCKCERT_FULL || rc == STOCKCERT_CHANGED) {']);
fails('confirm', qr/and (it had|there was)/, stockcert_batch => ['stockcert_lanes_are_noted(lanes) || leader->confirms', 'leader->confirms']);
fails('late', $untrue, stockcert_settle => ["refuse_behind(leader, lane);\n            continue;\n", "refuse_behind(leader, lane);\n"]);
fails('trimmed', $untrue, stockcert_batch => ["case STOCKCERT_DIVERGED:\n\n        if (unsent) {", "case STOCKCERT_DIVERGED:\n\n        if (1) {"]);

# a head that was told of is old; what comes next in a transaction is a batch of its own

fails('told', $untrue, stockcert_reach => ["seen > ledger->shared->head.revision && seen > guard\n        && seen > atomic_load(&ledger->shared->guard))\n",
    "seen > atomic_load(&ledger->shared->reached) && (seen > guard || 1))\n"]);
fails('shorter', qr/./, stockcert_reach => ['if (rc != STOCKCERT_OK || head->tail.position >= ledger->position) {', 'if (1) {']);
fails('appended', $untrue, stockcert_append => ["    ledger->appended = 0;\n    ledger->confirmed = 0;\n", "    ledger->confirmed = 0;\n"]);

# what the code did once

fails('begin', $untrue, stockcert_transaction => ["    ledger->appended = 0;\n\n    rc = stockcert_ledger_begin_write",
    '    rc = stockcert_ledger_begin_write']);
fails('open', qr/a batch begins with entry|cannot open its ledger/, stockcert_ledger => ['rc = stockcert_ledger_keep', 'rc = stockcert_ledger_commit']);
fails('lock', qr/signal/, stockcert_write => ['held = ledger->locked;', 'held = 1;']);
fails('abort', qr/signal/, stockcert_transaction => ["    if (ledger->writer == NULL) {\n        return;\n    }\n", '    assert(ledger->writer);']);

if ($soak) {
    holds(int rand 1e9, 1e9, $soak);
}

done_testing();
