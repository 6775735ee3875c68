# What the tool writes, and where: exit codes when the output fails, standard
# descriptors that are closed, outputs that are no files or are there already.

use strict;
use warnings;
use POSIX qw(mkfifo);
use Test::More;
use Stockcert;
use Stockcert::Disk;
use Stockcert::Tool;

my $server = Stockcert->new->start;
my ($dir, $ledger) = ($server->{dir}, "$server->{dir}/ledgers/acme");
my @names = map { "holder $_ " . 'x' x 240 } 1 .. 20;      # more than a buffer
$server->client->issue('CS', 1, $_) for @names;
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


# the exit code of what is done does not depend on the output

my ($tool, $n) = ($ENV{STOCKCERT}, 0);
my %closed = ('full' => '>/dev/full', 'closed' => '>&-', 'gone' => '| true');
for my $how (sort keys %closed) {
    $n++;
    my %does = (
        cancel => ["cancel $ledger CS-$n --reason x", qr/transaction \d+, cancel: surrendered CS-$n; issued none\n/],
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
for my $arg ("status $ledger", "status $ledger --json", "log $ledger", "show $ledger CS-1", "show $ledger CS-1 --json", "verify $ledger", "export $ledger --format csv", '--help', '--version') {
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
        unlike($after[1], qr/stockcert|holder|"entry"/, "$arg $closed: nothing is written into lock.mdb");
        system "rm -rf $dir/closed*";
    }
}



# export -o: what is no file gets what is written

my @to = ('export', $ledger, '--format', 'jsonl', '-o');
$jsonl = tool_out(@to[0 .. 3]);
mkdir "$dir/there";
my $fifo = "$dir/there/fifo";
mkfifo($fifo, 0600);
my ($pid, undef, $err) = tool_start(@to, $fifo);
is(slurp($fifo), $jsonl, 'a FIFO: it gets all');
reap($pid);
is("$? " . slurp($err->filename), '0 ', 'a FIFO: done');
ok(-p $fifo, 'a FIFO: it is there');
is(tool_out(@to, '/dev/stdout'), $jsonl, '/dev/stdout, a file');
is(`$tool export $ledger --format jsonl -o /dev/stdout | cat`, $jsonl, '/dev/stdout, a pipe');
tool_is('a directory', 3, qr/cannot make \Q$dir\E\/there: Is a directory/, @to, "$dir/there");
tool_is('.', 3, qr/cannot make \.: Is a directory/, @to, '.');
tool_is('nothing', 3, qr/cannot make : No such file/, @to, '');
SKIP: {
    my $device = "$dir/there/full";
    skip 'only root makes a device', 2 if $> != 0 or system("mknod $device c 1 7 && : 2>/dev/null >$device");
    tool_is('a device', 3, qr/cannot write \Q$device\E: No space left/, @to, $device);
    ok(-c $device, 'a device: it is there');
    unlink $device;
}
unlink $fifo;


# links are followed, and modes kept

sub links_to {
    my ($name, $target, $made) = @_;
    my $link = "$dir/there/link";
    symlink $target, $link;
    tool_out(@to, $link);
    is(readlink $link, $target, "$name: it is there");
    is(slurp($made), $jsonl, "$name: what it leads to is made");
    unlink $link, $made;
}

spew("$dir/file", 'old');
links_to('a link', "$dir/file", "$dir/file");
links_to('a link to nothing', '../file', "$dir/file");
symlink 'there/../file', "$dir/next";
links_to('a link to a link', '../next', "$dir/file");
symlink 'loop', "$dir/loop";
tool_is('a link to itself', 3, qr/Too many levels of symbolic links/, @to, "$dir/loop");
for my $mode (0644, 0640, 0666, 0600, 0444) {
    spew("$dir/file", 'old');
    chmod $mode, "$dir/file";
    tool_out(@to, "$dir/file");
    is(sprintf('%o', (stat "$dir/file")[2] & 07777), sprintf('%o', $mode), 'the mode is kept');
    is(slurp("$dir/file"), $jsonl, 'it is replaced');
    unlink "$dir/file";
}
SKIP: {
    skip 'only root has a group for it', 4 if $> != 0;
    my ($nobody, $group) = (getpwnam 'nobody')[2, 3];
    spew("$dir/file", 'old');
    chown $nobody, $group, "$dir/file";
    chmod 0640, "$dir/file";
    tool_out(@to, "$dir/file");
    is(join(' ', (stat "$dir/file")[4, 5]), "0 $group", 'the group is kept, and what root makes is root\'s');
    spew("$dir/file", 'old');
    symlink "$dir/file", "$dir/there/link";
    system 'chown', '-h', 'nobody', "$dir/there/link";
    tool_is('root follows nobody\'s link nowhere', 3, qr/a link of another user leads there/, @to, "$dir/there/link");
    is(slurp("$dir/file"), 'old', 'and changes nothing');
    unlink "$dir/there/link", "$dir/file";
}
is(join(' ', map { s{.*/}{}r } glob "$dir/there/*"), '', 'nothing is left');


# in a ledger's own directory nothing is made, whichever it is

my @ocf = (qw(--format ocf --formed 2020-02-29 --country US --holders INDIVIDUAL), map { ('--class', "$_:COMMON:1:1:0.0001:USD") } qw(CS PS));
my $whole = slurp("$ledger/data.mdb");
symlink $ledger, "$dir/alias";
my $other = "$dir/other";
tool_out('backup', $ledger, $other);
mkdir "$_/sub" for $ledger, $other;
for my $in ("$ledger/data.mdb", "$ledger/x", "$dir/alias/x", "$dir/alias/data.mdb", "$ledger/sub", "$ledger/sub/x", "$other/data.mdb", "$other/x", "$other/sub/x") {
    my $like = qr/: that is in a ledger's own directory, with its data\.mdb$/;
    tool_is("export to $in", 3, $like, @to, $in);
    tool_is("export of OCF to $in", 3, $like, 'export', $ledger, @ocf, '-o', $in);
    tool_is("backup to $in", 3, $like, 'backup', $ledger, $in);
    tool_is("import to $in", 3, $like, 'import', $in, "$dir/in.jsonl");
}
ok(slurp("$_/data.mdb") eq $whole, "$_: it is as it was") for $ledger, $other;
for my $in ($ledger, $other) {
    is_deeply([grep { !m{/(?:data|lock)\.mdb\z} } glob "$in/* $in/sub/*"], ["$in/sub"], "$in: nothing is made in it");
    rmdir "$in/sub" or die "sub: $!\n";
}
tool_is('import into a ledger', 3, qr/Directory not empty/, 'import', $other, "$dir/in.jsonl");


# directories: links are followed, and what cannot be replaced is refused first

sub directories {
    my ($to) = @_;
    return (['backup', $ledger, $to], ['import', $to, "$dir/in.jsonl"], ['export', $ledger, @ocf, '-o', $to]);
}

for my $mode (0700, 0750, 0755, 0500, 0777, 02770, 01777) {
    for my $arg (directories("$dir/kept")) {
        mkdir "$dir/kept";
        chmod $mode, "$dir/kept";
        tool_out(@$arg);
        is(sprintf('%o', (stat "$dir/kept")[2] & 07777), sprintf('%o', $mode & ~022), sprintf('%s to an empty directory of mode %o: nobody else may write it', $arg->[0], $mode));
        chmod 0700, "$dir/kept";
        system 'rm', '-rf', "$dir/kept";
    }
}
for my $arg (directories("$dir/kept")) {
    my $umask = umask 0;
    tool_out(@$arg);
    umask $umask;
    is(sprintf('%o', (stat "$dir/kept")[2] & 07777), '700', "$arg->[0] to a new directory: it is for its owner");
    system 'rm', '-rf', "$dir/kept";
}

my $disk = Stockcert::Disk->new('10m');
for my $i (0 .. 2) {
    my $command = (directories('x'))[$i][0];
    for my $target ("$dir/empty", '../empty') {
        mkdir "$dir/empty";
        symlink $target, "$dir/there/link";
        tool_out(@{(directories("$dir/there/link"))[$i]});
        is(readlink "$dir/there/link", $target, "$command: a link to an empty directory: it is there");
        cmp_ok(scalar(() = glob "$dir/empty/*"), '>', 0, "$command: and leads to what is made");
        system 'rm', '-rf', "$dir/there/link", "$dir/empty";
    }
    mkdir "$dir/empty";
    for my $to ('.', "$dir/empty/.", "$dir/empty/../empty/.") {
        my $arg = join ' ', map { "'$_'" } @{(directories($to))[$i]};
        my ($status, $err) = shell("cd $dir/empty; $tool $arg >$dir/x");
        is($status, 3, "$command to $to: refused");
        like($err, qr/\Astockcert: [^\n]*\Q$to\E[^\n]*: a new one takes its place, so give its name\n\z/, "$command to $to: in one sentence");
    }
    rmdir "$dir/empty" or die "empty: $!\n";
    SKIP: {
        skip 'no disk: not root, or no mounts here', 2 if !$disk;
        tool_is("$command to a mount point", 3, qr/: a disk is mounted there, name a directory on it/, @{(directories($disk->{dir}))[$i]});
        is_deeply([glob "$disk->{dir}* $disk->{dir}/*"], [$disk->{dir}], "$command to a mount point: nothing is made");
    }
}
SKIP: {
    skip 'no disk: not root, or no mounts here', 4 if !$disk;
    my $mounted = "$dir/there/mounted";
    spew($_, 'old') for $mounted, "$dir/file";
    system('mount', '--bind', "$dir/file", $mounted) == 0 or die "mount\n";
    tool_is('export to a file that is mounted', 3, qr/cannot make \Q$mounted\E: a file is mounted there and cannot be replaced, name another one, or leave -o out and write to it by >$/, @to, $mounted);
    is_deeply([glob "$dir/there/*"], [$mounted], 'nothing is left');
    is(slurp("$dir/file"), 'old', 'it is as it was');
    system "$tool @to[0 .. 3] >$mounted";
    is(slurp("$dir/file"), $jsonl, 'by > it is written');
    system 'umount', '-l', $mounted;
    unlink $mounted, "$dir/file";
}


# a limit to the size of files: nothing is left

for my $arg (directories("$dir/limited"), [@to, "$dir/limited"]) {
    my ($status, $err) = shell("ulimit -f 2; $tool " . join(' ', map { "'$_'" } @$arg) . " >$dir/x");
    is($status, 3, "$arg->[0]: a file too large: an error");
    like($err, qr/\Astockcert: [^\n]*(?:File too large|No space left|cannot write)[^\n]*\n\z/, "$arg->[0]: a file too large: is told");
    is_deeply([glob "$dir/limited*"], [], "$arg->[0]: a file too large: nothing is left");
}

done_testing;
