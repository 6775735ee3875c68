# The tool of root on a ledger of the workers' user, who can write all of it, and
# the directories that it makes something in: it is that user as it opens the ledger,
# what it makes is root's, and nothing of root's is changed, whatever is laid there.

use strict;
use warnings;
use POSIX qw(mkfifo);
use Test::More;
use Stockcert;
use Stockcert::Tool;

plan skip_all => 'only root becomes another user' if $> != 0;

my ($nobody, $group) = (getpwnam 'nobody')[2, 3];
my ($daemon) = (getpwnam 'daemon')[2];

my $server = Stockcert->new->start;
my ($dir, $ledger) = ($server->{dir}, "$server->{dir}/ledgers/acme");
$server->client->issue('CS', $_, "holder $_") for 1 .. 20;
$server->stop;

my $whole = slurp("$ledger/data.mdb");
my $out = "$dir/out";       # root's alone
mkdir $out, 0700;
my @ocf = (qw(--format ocf --formed 2020-02-29 --country US --holders INDIVIDUAL), map { ('--class', "$_:COMMON:1:1:0.0001:USD") } qw(CS PS));
my $n = 0;

# all commands that open a ledger, with what they make in the end

sub commands {
    my ($at) = @_;
    my $to = "$out/" . $n++;
    return (['status', $at], ['verify', $at], ['log', $at], ['show', $at, 'CS-1'], ['export', $at, '--format', 'csv'],
        ['authorize', $at, 'CS', 2600000 + $n, '--reference', 'x'], ['cancel', $at, 'CS-' . $n, '--reason', 'x'],
        ['holder', $at, 'CS-20', '--address', "street $n", '--reference', 'x'],
        ['export', $at, '--format', 'jsonl', '-o', "$to.jsonl"], ['export', $at, @ocf, '-o', "$to.ocf"], ['backup', $at, "$to.copy"]);
}

# a ledger of nobody's of its own

sub fresh {
    my ($name) = @_;
    my $at = "$dir/ledgers/$name";
    mkdir $at, 0700;
    spew("$at/data.mdb", $whole);
    chmod 0600, "$at/data.mdb";
    chown $nobody, $group, $at, "$at/data.mdb";
    return $at;
}

sub run { system(@_) == 0 or die "@_ failed\n" }

sub left { return map { s{.*/}{}r } glob "$out/*" }

sub trace {
    my @st = lstat $_[0];
    return @st ? join ' ', @st[1, 2, 4, 5, 7, 9], -f $_[0] ? slurp($_[0]) : '' : 'none';
}

sub ids { return slurp("/proc/$_[0]/status") =~ /^Uid:\t(.*)\nGid:\t(.*)\n(?s:.*)^Groups:\t?(.*?) *$/m }

sub helper {
    my ($name, $code) = @_;
    spew("$dir/$name.c", $code);
    run('cc', '-D_GNU_SOURCE', '-pthread', '-o', "$dir/$name", "$dir/$name.c");
}

# a process of nobody's that keeps lock.mdb open, as LMDB does, with both mutexes,
# or with a count of readers that is none

helper('holder', <<'END');
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    int           fd = open(argv[1], O_RDWR);
    char         *map = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t      readers = 0x7fffffff;
    struct flock  lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1 };

    if (fd == -1 || argc != 3 || map == MAP_FAILED || fcntl(fd, F_SETLK, &lock) == -1) {
        return 1;
    }
    if (strcmp(argv[2], "mutexes") == 0) {
        if (pthread_mutex_lock((pthread_mutex_t *) (map + 8)) || pthread_mutex_lock((pthread_mutex_t *) (map + 64))) {
            return 2;
        }
    } else {
        memcpy(map + 56, &readers, 4);
    }
    (void) !write(1, "held\n", 5);
    pause();
    return 0;
}
END

sub hold {
    my ($at, $what) = @_;
    pipe my $read, my $write;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        eval {
            become('nobody');
            open STDOUT, '>&', $write;
            exec "$dir/holder", "$at/lock.mdb", $what;
        };
        POSIX::_exit(127);
    }
    $Stockcert::clients{$pid} = 1;
    close $write;
    is(scalar(<$read>), "held\n", "$what are held");
    return $pid;
}

sub let_go {
    my ($pid) = @_;
    kill KILL => $pid;
    reap($pid);
}


# all is well: what is made is root's, lock.mdb is not; also where only root comes to

for my $case (['as ever', $dir, fresh('well')], ['in a directory that only root can enter', "$dir/closed", "$dir/closed/well"]) {
    my ($name, $parent, $at) = @$case;
    if (!-e $at) {
        mkdir $parent, 0700;
        run('cp', '-a', fresh('moved'), $at);
    }
    for my $arg (commands($at)) {
        unlink "$at/lock.mdb";
        tool_out(@$arg);
        is("@{[(lstat \"$at/lock.mdb\")[4, 5]]}", "$nobody $group", "$name: $arg->[0]: lock.mdb is the owner's");
    }
}
is(scalar(() = tool_out('log', "$dir/closed/well") =~ /  actor uid:0$/mg), 3, 'who asked is who ran it, not the owner');
is_deeply([grep { (lstat)[4] != 0 or (lstat)[2] & 077 } glob "$out/* $out/*/*"], [], 'all that was made is root\'s alone');
cmp_ok(scalar(left()), '==', 6, 'and all is there');
run("rm -rf $out/*");

my ($pid, $file) = tool_start('log', fresh('follow'), '-f');
wait_for('log -f', sub { slurp($file->filename) =~ /holder 20\n/ });
is_deeply([ids($pid)], [join("\t", ($nobody) x 4), join("\t", ($group) x 4), ''], 'log -f is the owner, for good');
kill TERM => $pid;
reap($pid);


# a ledger of several users: neither is believed

my $victim = "$out/victim";
spew($victim, $whole);
my $before = trace($victim);
for my $case (['data.mdb of root\'s', 'data.mdb', 0], ['data.mdb of a third', 'data.mdb', $daemon], ['lock.mdb of root\'s', 'lock.mdb', 0],
    ['a directory of root\'s', '.', 0])
{
    my ($name, $what, $uid) = @$case;
    my $at = fresh('several');
    spew("$at/lock.mdb", '') if $what eq 'lock.mdb';
    chown $uid, -1, "$at/$what";
    tool_is("$name: $_->[0]", 3, qr/cannot open the ledger in \Q$at\E: \S+ belongs to user \d+, .* chown it to that one/, @$_) for commands($at);
    run("rm -rf $at");
}
my $at = fresh('hard');
unlink "$at/data.mdb";
link $victim, "$at/data.mdb" or die "link: $!\n";
tool_is("a hard link to root's: $_->[0]", 3, qr/data\.mdb belongs to user 0/, @$_) for commands($at);
unlink "$at/data.mdb";
is(trace($victim), $before, 'what is root\'s is as it was');

$at = fresh('open');
chown 0, 0, $at, "$at/data.mdb";
chmod 0770, $at;
tool_is("root's own, which others may write: $_->[0]", 3, qr/others than root may write its directory/, @$_) for commands($at);
chmod 0700, $at;
tool_out(@$_) for commands($at);
is((lstat "$at/lock.mdb")[4], 0, 'root\'s own: root stays root');
run("rm -rf $out/[0-9]*");


# links, and what is no file: at once, and nothing behind them is changed or made

my %laid = (
    'data.mdb is a link' => ['data.mdb', sub { symlink $victim, $_[0] }, qr/data\.mdb is a (?:symbolic link|link to nothing)/],
    'data.mdb is a link to its own' => ['data.mdb', sub { run("cp -a $at/data.mdb $_[0].real"); chown $nobody, $group, "$_[0].real"; symlink "$_[0].real", $_[0] },
        qr/data\.mdb is a symbolic link/],
    'data.mdb is a FIFO' => ['data.mdb', sub { mkfifo($_[0], 0600) }, qr/data\.mdb is (?:empty|no regular file)/],
    'data.mdb is a directory' => ['data.mdb', sub { mkdir $_[0], 0700 }, qr/Is a directory|data\.mdb is no regular file/],
    'data.mdb has two names' => ['data.mdb', sub { run("cp -a $at/data.mdb $_[0]"); link $_[0], "$_[0].more" }, qr/data\.mdb has another name/],
    'lock.mdb is a link' => ['lock.mdb', sub { symlink $victim, $_[0] }, qr/lock\.mdb is a symbolic link/],
    'lock.mdb is a link to nothing' => ['lock.mdb', sub { symlink "$out/made", $_[0] }, qr/lock\.mdb is a symbolic link/],
    'lock.mdb is a FIFO' => ['lock.mdb', sub { mkfifo($_[0], 0600) }, qr/lock\.mdb/],
    'lock.mdb is a directory' => ['lock.mdb', sub { mkdir $_[0], 0700 }, qr/Is a directory|lock\.mdb is no regular file/],
);
for my $name (sort keys %laid) {
    my ($what, $lay, $like) = @{$laid{$name}};
    my $place = fresh('laid');
    unlink "$place/$what" if $what eq 'data.mdb';
    $lay->("$place/$what");
    run('chown', '-h', 'nobody', "$place/$what");
    tool_is("$name: $_->[0]", 3, $like, @$_) for commands($place);
    is(trace($victim), $before, "$name: what is root's is as it was");
    ok(!-e "$out/made", "$name: nothing is made");
    run("rm -rf $place");
}
is_deeply([left()], ['victim'], 'nothing was made of any of them');


# locks that somebody keeps: it says so, and ends; meanwhile the process that waits
# has nothing of root's, and does not outlive who waits for it

$at = fresh('held');
tool_out('status', $at);
my $holder = hold($at, 'mutexes');
my @commands = commands($at);
my @looked_at = splice @commands, -3;       # at once, as they wait for some seconds only
my (@waiting, %child);
for my $arg (@looked_at, map { ['export', $at, '--format', 'jsonl', '-o', "$out/$_"] } qw(killed ended)) {
    my ($pid, @files) = tool_start(@$arg);
    push @waiting, [$arg, $pid, @files];
    wait_for('a process of its own', sub {
        ($child{$pid}) = slurp("/proc/$pid/task/$pid/children") =~ /(\d+)/;
        return $child{$pid} && (readlink "/proc/$child{$pid}/cwd") eq $at && grep { (readlink // '') eq "$at/lock.mdb" } glob "/proc/$child{$pid}/fd/*";
    });
    my $child = $child{$pid};
    is_deeply([ids($child)], [join("\t", ($nobody) x 4), join("\t", ($group) x 4), ''], "$arg->[0]: who reads is the owner, for good");
    is_deeply([grep { m{^\Q$out\E(?:/|\z)} } map { readlink // '' } glob "/proc/$child/fd/*"], [], "$arg->[0]: and has nothing of the output");
    isnt((split ' ', slurp("/proc/$child/stat"))[5], (split ' ', slurp("/proc/$pid/stat"))[5], "$arg->[0]: nor of root's terminal");
}
for my $signal (qw(TERM KILL)) {
    my ($arg, $pid) = @{pop @waiting};
    kill $signal => $pid;
    reap($pid);
    wait_for("$signal: the process ends", sub { !-e "/proc/$child{$pid}" || slurp("/proc/$child{$pid}/stat") =~ /\) Z / });
    is_deeply([glob "$out/ended*"], [], 'TERM: nothing is left') if $signal eq 'TERM';
}
unlink glob "$out/killed*";
for (@waiting, map { [$_, tool_start(@$_)] } @commands) {
    my ($arg, $pid, $out, $err) = @$_;
    reap($pid);
    is(($? & 127) . ' ' . ($? >> 8), '0 3', "held: $arg->[0]: ends");
    like(slurp($err->filename), qr/\Astockcert: nothing is done, as somebody keeps a lock in lock\.mdb: .*\n\z/, "held: $arg->[0]: and says why");
}
is_deeply([left()], ['victim'], 'held: nothing is made');
let_go($holder);
tool_out('status', $at);

# a write lock that is kept, of the file itself

open my $data, '<', "$at/data.mdb";
flock $data, 2 or die "flock: $!\n";
tool_is('locked: cancel', 3, qr/process $$ has the ledger locked for 10 seconds and more/, 'cancel', $at, 'CS-19', '--reason', 'x');
close $data;
tool_out('cancel', $at, 'CS-19', '--reason', 'x');


# a count of readers that is none: whatever becomes of it, it was the owner's

$holder = hold($at, 'readers');
for my $arg (grep { "@$_" =~ /\Q$out\E/ } commands($at)) {
    my ($status, $out, $err) = tool(@$arg);
    is("$status$out", 3, "forged: $arg->[0]: is not done") or diag($err);
}
is_deeply([left()], ['victim'], 'forged: nothing is made');
let_go($holder);


# what is made is replaced as it is made, in a directory of nobody's: nothing of
# root's is given away

tool_out('export', $ledger, '--format', 'jsonl', '-o', "$out/jsonl");
my $lines = slurp("$out/jsonl");
my $theirs = "$dir/theirs";
mkdir $theirs, 0755;
chown $nobody, $group, $theirs;
for my $there (0, 1) {
    run("rm -rf $theirs/*");
    mkdir "$theirs/new", 0700;
    chown $nobody, $group, "$theirs/new";
    rmdir "$theirs/new" if !$there;
    my $fifo = "$dir/fifo";
    unlink $fifo;
    mkfifo($fifo, 0600);
    my ($pid, undef, $err) = tool_start('import', "$theirs/new", $fifo);
    open my $in, '>', $fifo or die "$fifo: $!\n";
    $in->autoflush(1);
    print $in substr $lines, 0, 1000;
    my $made;
    wait_for('it is being made', sub { ($made) = map { m{(.*)/} } glob "$theirs/new.*/data.mdb" });
    rename $made, "$theirs/away";
    mkdir $made, 0700;
    symlink $victim, "$made/data.mdb";
    mkfifo("$made/lock.mdb", 0600);
    chown $nobody, $group, $made;
    print $in substr $lines, 1000;
    close $in;
    reap($pid);
    is($? & 127, 0, 'import: it ends');
    is(trace($victim), $before, 'import: what is root\'s is as it was');
}

# and a directory that was nobody's for a moment only is not given to nobody

run("rm -rf $theirs/*");
tool_out('import', "$theirs/new", "$out/jsonl");
is((lstat "$theirs/new")[4], 0, 'import: a new directory is root\'s');
mkdir "$theirs/mine", 0700;
chown $nobody, $group, "$theirs/mine";
tool_out('backup', $ledger, "$theirs/mine");
is((lstat "$theirs/mine/data.mdb")[4], $nobody, 'backup: one that was there is whose it was');

done_testing;
