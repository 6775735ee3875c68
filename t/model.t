# The model of how leaders commit (t/model/leaders.py). It holds. Without any one of its
# rules it fails, in the way that the rule prevents. With STOCKCERT_SOAK it visits
# larger worlds, for some minutes.

use strict;
use warnings;
use File::Basename qw(dirname);
use Test::More;

alarm 900;

my $model = dirname(__FILE__) . '/model/leaders.py';

sub model {
    my ($words) = @_;
    my $out = `python3 $model $words 2>&1`;
    return ($? >> 8, $out);
}

sub holds {
    my ($world) = @_;
    my ($status, $out) = model($world);
    like($out, qr/^holds: [1-9]\d* states, [1-9]\d* ends$/, "every rule in force, $world");
    is($status, 0, '... and it says so');
}

# the lines of how it fails are looked for one after the other

sub fails {
    my ($words, $fault, @lines) = @_;
    my ($status, $out) = model($words);
    like($out, qr/^FAILS: $fault\n/, $words);
    is($status, 1, '... and it says so');
    my $how = join '.*', map { "\n +$_(?=\n)" } @lines;
    like($out, qr/$how/s, '... in the way expected');
}

# two lanes / the outside writer, deaths: the kinds of grants are in the model

holds('ac/bd/+x 1');
holds('ac/d/+x 2');
holds('ace/d/+ 1');
holds('ac/b/+ 2 poison');
holds('ac/d/+ 2 power');
holds('a/bd/+x 0 all');
holds('a/d/+y 1 all');

# who comes late: 201 before the commit, 403 and a certificate, issued twice

my @late = ('leader A writes into slot 0 of lane 0: b 403', 'leader A has nothing to commit');
my @again = ('leader B recovers lane 0: it waits again', 'leader B notes lane 0 up to 1', 'leader A settles lane 0 up to 1');
fails('late told b/c/+ 0', 'told: b was told a 201 that the journal does not have',
    @late, 'the outside writer: \+', @again, 'leader B writes into slot 0 of lane 0: b 201 at 2',
    'the worker of lane 0 tells b 201 at 2');
fails('late refused b/c/+ 0', 'refused: b was told 403, and has a certificate',
    @late, 'the outside writer: \+', @again, 'the worker of lane 0 tells b 403',
    'leader B writes into slot 0 of lane 0: b 201 at 2', 'leader B commits, not flushed');
fails('late once bea//+ 0', 'once: a has two certificates',
    @late, 'leader A settles lane 0 up to 1', 'the worker of lane 0 tells b 403', 'a client asks for a, in lane 0',
    'leader B writes into slot 0 of lane 0: a 201 at 1', 'leader . writes into slot 2 of lane 0: a 201 at 2');

# who died in the flush

my @unflushed = ('leader A commits, not flushed', 'leader A dies');
fails('unflushed', 'told: a was told 201 at 1, which is not flushed',
    @unflushed, 'leader A recovers lane 0: committed', 'the worker of lane 0 tells a 201 at 1');
fails('dry c//y', 'told: y was told 201 at 1, which is not flushed',
    @unflushed, 'the outside writer: y 201 at 1, replayed');

# who died before, and what is not of that batch

my @uncommitted = ('leader A writes into slot 0 of lane 0: a 201 at 1', 'leader A dies');
my @taken = ('leader A recovers lane 0: committed', 'the worker of lane 0 tells a 201 at 1');
my $not_there = 'told: a was told a 201 that the journal does not have';
fails('byid', $not_there, @uncommitted, 'the outside writer: \+', @taken);
fails('samebytes', $not_there, @uncommitted, 'the outside writer: x 201 at 1', @taken);
fails('forget', 'once: a has two certificates', @unflushed, 'leader A recovers lane 0: it waits again',
    'leader A writes into slot 0 of lane 0: a 201 at 2', 'leader A commits, not flushed');
fails('stale ace//+', 'told: c was told what nobody decided', 'leader A notes lane 0 up to 3', 'leader A dies',
    'leader A recovers lane 0: committed', 'the worker of lane 0 tells c waiting e 201 at 1');
fails('trusting', 'told: d was told a 201 that the journal does not have', 'leader A dies',
    'leader A recovers lane 0: it waits again', 'leader A recovers lane 1: committed');

# what leaders die of

fails('denied ac/b/+ poison', 'refused: a was told 503, and has a certificate', 'leader A commits, not flushed',
    'leader A dies of its commit', 'leader A finds that somebody died, 2 by now', 'the worker of lane 0 tells a 503');
fails('forever ac/b/+ 0 poison', 'end: the last of this goes on for ever', 'leader A dies of its commit',
    'leader A finds that nobody died', 'leader A recovers lane 0: it waits again', 'leader A writes into slot 0 of lane 0: a .*');

# what the lock is for

fails('twolocks 0', 'told: x was told a 201 that the journal does not have', 'leader B begins',
    'the outside writer: x 201 at 1', 'leader B commits, not flushed');
my @since = ('leader A is through', 'the outside writer: x 201 at 2', 'leader A begins',
    'leader A writes into slot 1 of lane 0: c 201 at 3');
fails('cached numbers 0', 'numbers: c has number 2, and is certificate 3 of the journal', @since);
fails('cached authorized 0', 'authorized: c has shares that are not authorized', @since);

my ($status, $out) = model('latte');
is("$status $out", qq(1 what is "latte"? See the head of $model\n), 'a word that means nothing');

if ($ENV{STOCKCERT_SOAK}) {
    holds($_) for 'ac/bd/+x 2', 'ac/bd/+xy 1', 'ace/bd/+x 1', 'ace/d/+y 2', 'ac/d/+ 3', 'ac/bd/+x 1 poison',
        'ac/d/+x 2 power', 'ac/d/+ 1 all', 'a/bd/+ 1 power all', 'ac/bd/+x 0 all';
}

done_testing();
