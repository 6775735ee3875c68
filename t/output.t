# What the tool writes, and where: exit codes when nobody can be told, standard
# descriptors that are closed, and files that are no files or are there already.

use strict;
use warnings;
use POSIX qw(mkfifo WNOHANG);
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $server = Stockcert->new->start;
my ($dir, $ledger) = ($server->{dir}, "$server->{dir}/ledgers/acme");
$server->client->issue('CS', $_, "holder $_") for 1 .. 20;
$server->stop;
my $jsonl = tool_out('export', $ledger, '--format', 'jsonl');
spew("$dir/in.jsonl", $jsonl);

# a command line of the shell: returns the exit code, and what is on standard error

sub shell {
    my ($command) = @_;
    my $err = "$dir/err";
    my $status = system('sh', '-c', "$command 2>$err") >> 8;
    return ($status, slurp($err));
}

sub entries { return scalar split /^/, tool_out('log', $ledger) }


# what is done is done, whoever can be told

my ($tool, $n) = ($ENV{STOCKCERT}, 0);
my %closed = ('full' => '>/dev/full', 'closed' => '>&-', 'gone' => '| true');
for my $how (sort keys %closed) {
    $n++;
    my %does = (
        cancel => ["cancel $ledger CS-$n --reason x", qr/CS-$n is cancelled, by entry \d+\n/],
        authorize => ["authorize $ledger CS @{[2600000 + $n]} --reference x", qr/CS has \d+ authorized shares now, by entry \d+\n/],
        backup => ["backup $ledger $dir/copy$n", qr/backed up to \Q$dir\E\/copy$n and verified: \d+ entries, the last seal is \d+:[0-9a-f]{64}\n/],
        import => ["import $dir/new$n $dir/in.jsonl", qr/imported 22 entries into \Q$dir\E\/new$n\n/],
    );
    for my $command (sort keys %does) {
        my ($arg, $says) = @{$does{$command}};
        if ($how eq 'gone') {
            # its reader has ended before
            my $fifo = "$dir/fifo";
            mkfifo($fifo, 0600);
            my ($status, $err) = shell("{ sleep 0 <$fifo & } ; exec 3>$fifo; wait; $tool $arg >&3");
            unlink $fifo;
            is($status, 0, "standard output gone: $command: it is done");
            like($err, qr/\A${says}stockcert: that is done, but standard output cannot be written: Broken pipe\n\z/, "standard output gone: $command: is told");
            next;
        }
        my ($status, $err) = shell("$tool $arg $closed{$how}");
        is($status, 0, "standard output $how: $command: it is done");
        like($err, qr/\A${says}stockcert: that is done, but standard output cannot be written: .*\n\z/, "standard output $how: $command: is told");
    }
}
is(entries(), 22 + 2 * keys %closed, 'all that was done is in the journal');
for my $arg ("status $ledger", "log $ledger", "show $ledger CS-1", "verify $ledger", "export $ledger --format csv", '--help', '--version') {
    for my $how ('full', 'closed') {
        my ($status, $err) = shell("$tool $arg $closed{$how}");
        is("$status $err", "3 stockcert: cannot write the output: " . ($how eq 'full' ? 'No space left on device' : 'Bad file descriptor') . "\n",
            "standard output $how: $arg is not done");
    }
}


# no file of the ledger gets the number of a standard descriptor

for my $closed ('<&-', '>&-', '2>&-', '<&- >&- 2>&-') {
    for my $arg ("log $ledger", "export $ledger --format jsonl", "show $ledger XX-1", "cancel $ledger XX-1 --reason x", "verify $ledger",
        "export $ledger --format jsonl -o $dir/closed", "backup $ledger $dir/closed.copy")
    {
        my @before = map { slurp("$ledger/$_") } 'data.mdb', 'lock.mdb';
        system 'sh', '-c', "exec $tool $arg $closed >$dir/x" if $closed !~ />/;
        system 'sh', '-c', "exec $tool $arg $closed" if $closed =~ />/;
        my @after = map { slurp("$ledger/$_") } 'data.mdb', 'lock.mdb';
        ok($before[0] eq $after[0], "$arg $closed: data.mdb is as it was");
        unlike($after[1], qr/stockcert|holder|\{/, "$arg $closed: nothing is written into lock.mdb");
        system "rm -rf $dir/closed*";
    }
}

done_testing;
