# Something that is no ledger, or a damaged or foreign one, as clients see it: 503, and
# a line in the log that says what to do. Not a byte of it is changed, and all else goes
# on. Once the right ledger is in its place, it goes on, too. Then two nginx on one
# ledger, and a clock that is set.

use strict;
use warnings;
use Fcntl ':mode';
use POSIX qw(mkfifo);
use Test::More;
use Stockcert;
use Stockcert::Checks;
use Stockcert::Disk;

my $root = $> == 0;
my $all = Stockcert->new;       # for its directory

# ledgers of one company, each in a directory and a location of its own

sub ledgers {
    my (%path) = @_;
    return (
        http => join('', map { qq{stockcert_ledger $_ { path "$path{$_}"; size 1g; company "Acme Inc."; class CS 1000000 "Common"; }\n} } sort keys %path),
        location => join('', map { "location /$_/ { stockcert $_; }\n" } sort keys %path),
    );
}

# all that can be seen of a file, or of what is in its place, without what LMDB's own
# lock does

sub trace {
    my ($dir) = @_;
    return { map {
        my @st = Time::HiRes::lstat($_);
        ($_ => join ' ', @st[1, 2, 4, 5, 7, 9], S_ISREG($st[2]) ? slurp($_) : '');
    } grep { lstat } $dir, -d $dir ? ("$dir/data.mdb", glob "$dir/data.mdb/*") : () };
}

sub run { system(@_) == 0 or die "@_ failed\n" }

sub patch {
    my ($path, $code) = @_;
    local $_ = slurp($path);
    $code->() or die "nothing to change in $path\n";
    spew($path, $_);
}


# a whole ledger, that of another company, another program's

my $home = "$all->{dir}/ledgers";
my $whole = "$home/whole";
my $server = Stockcert->new(ledgers(whole => $whole, other => "$home/other"));
$server->{http} =~ s/Acme Inc/Other Inc/;     # the first is "other"
$server->start;
my @told;
push @told, told($server->client->issue('CS', 10, "before $_", '/whole/'), "before $_", 'CS', 10) for 1 .. 300;
is($server->client->issue('CS', 10, 'x', '/other/')->{status}, 201, 'another company issues');
$server->stop;

spew("$all->{dir}/foreign.c", <<'END_C');
#include <stddef.h>
#include <lmdb.h>
int main(int argc, char **argv)
{
    MDB_env  *env;
    MDB_txn  *txn;
    MDB_dbi   dbi;
    MDB_val   key = { 4, "root" }, value = { 1, "0" };

    return argc != 2 || mdb_env_create(&env) || mdb_env_set_maxdbs(env, 1)
           || mdb_env_open(env, argv[1], 0, 0600) || mdb_txn_begin(env, NULL, 0, &txn)
           || mdb_dbi_open(txn, "users", MDB_CREATE, &dbi) || mdb_put(txn, dbi, &key, &value, 0)
           || mdb_txn_commit(txn);
}
END_C
run('cc', '-o', "$all->{dir}/foreign", "$all->{dir}/foreign.c", '-llmdb');

# a file in the directory's place is found as the configuration is read

spew("$home/file", 'a file');
my $before = trace("$home/file");
my ($status, $output) = Stockcert->new(ledgers(acme => "$home/file"))->run('-t');
isnt($status, 0, 'nginx -t: a file in the place of a directory');
like($output, qr/\[emerg\] invalid path "\Q$home\E\/file": must be a directory in .*nginx\.conf:\d+/, 'and it says so');
is_deeply(trace("$home/file"), $before, 'the file is as it was');


# What is in its place: called with the directory, which has a whole ledger, and
# its data.mdb. What the log says.

my %bad = (
    empty => [sub { truncate $_[1], 0 }, qr/data\.mdb is empty; if it never was a ledger, remove it/],
    half => [sub { truncate $_[1], (-s $_[1]) / 2 }, qr/the file is truncated/],
    page => [sub { truncate $_[1], (-s $_[1]) - 4096 }, qr/the file is truncated/],
    start => [sub { truncate $_[1], 100 }, qr/mdb_env_open\(\) failed/],
    random => [sub { spew($_[1], join '', map { chr rand 256 } 1 .. 65536) }, qr/not an LMDB file/],
    lmdb2 => [sub { patch($_[1], sub { s/\xde\xc0\xef\xbe\K\x01/\x02/g }) }, qr/VERSION_MISMATCH/],
    foreign => [sub { unlink glob "$_[0]/*"; run("$all->{dir}/foreign", $_[0]) }, qr/it has other data, which is no ledger/],
    format1 => [sub { patch($_[1], sub { s/stockcert\0\0\0\K\x02/\x01/g }) },
        qr/format version 1, this program reads 2 only/],
    format3 => [sub { patch($_[1], sub { s/stockcert\0\0\0\K\x02/\x03/g }) },
        qr/format version 3, this program reads 2 only/],
    other => [sub { run('cp', '-r', "$home/other/.", $_[0]) }, qr/the ledger belongs to "Other Inc\.", the configuration says "Acme Inc\."/],
    nodir => [sub { chmod 0000, $_[0] }, qr/open\(\) failed \(13: Permission denied\)/],
    nowrite => [sub { unlink glob "$_[0]/*"; chmod 0500, $_[0] }, qr/mdb_env_open\(\) failed \(13: Permission denied\)/],
    noread => [sub { chmod 0000, $_[1] }, qr/open\(\) of data\.mdb failed \(13: Permission denied\)/],
    readonly => [sub { chmod 0400, $_[1] }, qr/mdb_env_open\(\) failed \(13: Permission denied\)/],
    link => [sub { run('rm', '-r', $_[0]); symlink "$_[0]-gone", $_[0] }, qr/open\(\) failed \(2: No such file or directory\)/],
    datadir => [sub { unlink $_[1]; mkdir $_[1] }, qr/Is a directory/],
    datalink => [sub { unlink $_[1]; symlink "$_[0]/gone.mdb", $_[1] }, qr/data\.mdb is a link to nothing/],
    datafifo => [sub { unlink $_[1]; mkfifo($_[1], 0600) }, qr/data\.mdb is empty/],
    within => [sub { unlink glob "$_[0]/*" }, qr/it would be made in another ledger's directory, as one above it has a data\.mdb: choose another path/],
    lockdir => [sub { run('rm', "$_[0]/lock.mdb"); mkdir "$_[0]/lock.mdb" }, qr/Is a directory/],
);

my %path = map { $_ => "$home/$_-ledger" } keys %bad;
run('cp', '-r', $whole, "$home/around");
mkdir "$home/around/sub";
chmod 0755, "$home/around";
$path{within} = "$home/around/sub/within";
my $mounted = Stockcert::Disk->new('4m');
my $disk = $mounted && $mounted->{dir};
if ($mounted) {
    chmod 0755, $disk;
    $path{disk} = "$disk/ledger";
    $bad{disk} = [sub { run('chown', '-R', 'nobody', $_[0]); run('mount', '-o', 'remount,ro', $disk) }, qr/Read-only file system/];
}

$server = Stockcert->new(workers => 1, ledgers(whole => $whole, %path));
my %before;
for my $name (sort keys %bad) {
    my $path = $path{$name};
    run('cp', '-r', $whole, $path);
    $bad{$name}[0]->($path, "$path/data.mdb");
    run('chown', '-hR', 'nobody', $path) if $root and $name ne 'disk';
    $before{$name} = trace($path);
}

eval {
    $server->start;
    my $client = $server->client;
    is($client->ask('GET', '/static')->{status}, 200, 'nginx starts, another location is served');
    is($client->ask('GET', '/whole/CS-1')->{status}, 200, 'and another ledger');
    for my $name (sort keys %bad) {
        my $post = $client->issue('CS', 1, "refused $name", "/$name/");
        my $get = $client->ask('GET', "/$name/CS-1");
        is_deeply([map { "$_->{status} $_->{json}{error} $_->{headers}{'retry-after'}" } $post, $get],
            [('503 ledger_unavailable 1') x 2], "$name: 503, ask again later");
        my ($line) = grep { /\[crit\] .*stockcert ledger "$name"/ } split /^/, $server->log;
        like($line // '', qr/\[crit\] .* in "\Q$path{$name}\E": .*$bad{$name}[1]/, "$name: the log tells why");
    }
    my $started = now();
    my @workers = $server->workers;
    wait_for('more tries', sub { now() > $started + 1.2 });
    $client->ask('GET', "/$_/") for sort keys %bad;
    wait_for('these are done', sub { now() > $started + 1.5 });
    for my $name (sort keys %bad) {
        is_deeply(trace($path{$name}), $before{$name}, "$name: not changed");
    }
    ok(!-e "$path{datalink}/gone.mdb", 'datalink: nor is anything made where it points to');

    # the right thing is put in its place

    for my $name (sort keys %bad) {
        if ($name eq 'disk') {
            run('mount', '-o', 'remount,rw', $disk);
            next;
        }
        run('rm', '-rf', $path{$name});
        run('cp', '-r', $whole, $path{$name});
        run('chown', '-R', 'nobody', $path{$name}) if $root;
    }
    for my $name (sort keys %bad) {
        my $r;
        wait_for("$name recovers", sub { ($r = $client->issue('CS', 1, 'after', "/$name/"))->{status} == 201 });
        is($r->{json}{cert_id}, 'CS-301', "$name: goes on without a restart");
        is_deeply([check_ledger($server, [@told, told($r, 'after', 'CS', 1)], uri => "/$name/")], [], "$name: the ledger");
    }
    is_deeply([$server->workers], \@workers, 'the worker is the same');
    ok($server->log !~ /exited on signal/, 'no worker crashed');
    is($server->stop, 0, 'nginx ends in order');
};
fail($@) if $@;
undef $mounted;
note(scalar(keys %bad), ' ledgers that are none', exists $bad{disk} ? '' : ', no read-only disk: not root, or no mounts here');

# Two nginx on one ledger, and one of them is killed and started again.

my ($one, $two) = map { Stockcert->new(ledgers(acme => "$home/shared"), listen => 'reuseport')->start } 1, 2;
my @loads = map { Stockcert::Load->new($_, clients => 10, uri => '/acme/', grants => sub { return ('CS', 1) }) } $one, $two;
for (1 .. 3) {
    $_->progress(200) for @loads;
    $two->stop('KILL');
    $two->start;
}
$_->progress(200) for @loads;
my @answers = map { [$_->stop] } @loads;
my @certificates = map { scalar grep { $_->{status} == 201 } @$_ } @answers;
is_deeply([grep { $_->{status} != 201 } @{$answers[0]}], [], "two nginx: one issues $certificates[0], all that it is asked for");
is_deeply([grep { $_->{status} && $_->{status} != 201 } @{$answers[1]}], [],
    "two nginx: the other $certificates[1], over three kills");
my @both = map { @$_ } @answers;
is_deeply([check_ledger($one, \@both, uri => '/acme/')], [], 'two nginx: the ledger, as one shows it');
is_deeply([check_ledger($two, \@both, uri => '/acme/')], [], 'and the other');
quiet($one);
$_->stop for $one, $two;


# The clock is set back: times stand still until it has caught up.

SKIP: {
    my $server = Stockcert->new(flushes => 1, listen => 'reuseport')->start;
    skip 'TEST_NGINX_BINARY takes the LD_PRELOAD away', 1 if !$server->has_gate;
    my @told;
    my $issue = sub {
        my ($what) = @_;
        push @told, told($server->client->issue('CS', 1, $what), $what, 'CS', 1);
        return $told[-1]{json}{issued_at};
    };
    $server->set_clock(3600);
    my $ahead = $issue->('ahead');
    my $date = $server->client->ask('GET', '/static')->{headers}{date};
    $server->set_clock(-3600);
    is($issue->('back'), $ahead, 'the clock is set back two hours: the time stands still');
    isnt($server->client->ask('GET', '/static')->{headers}{date}, $date, 'though nginx itself goes by the clock');
    my @answers = Stockcert::Load->new($server, clients => 10, count => 20)->finish;
    push @told, @answers;
    is(scalar(grep { $_->{status} == 201 && $_->{body} =~ /"issued_at":"\Q$ahead\E"/ } @answers), 200, 'so it does for 200 more');
    $server->stop;
    $server->start;
    is($issue->('started again'), $ahead, 'and after a start');
    $server->set_clock(3610);
    my $on = $issue->('on');
    cmp_ok($on, 'gt', $ahead, "it has caught up: the time goes on, from $ahead to $on");
    well($server, \@told, 'the clock');
    quiet($server);
    $server->stop;
}

diag(scalar(@told) . ' certificates that were there all the time');
soak();
done_testing();
