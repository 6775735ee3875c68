# Who owns a ledger, for a master that is root, an ordinary user and a single
# process; what "nginx -t" leaves; and what is logged once.

use strict;
use warnings;
use File::Copy;
use File::Find;
use Test::More;
use Stockcert;

my $root = $> == 0;
my ($nobody) = (getpwnam 'nobody')[2];

sub mode { my @st = lstat $_[0]; return @st ? sprintf '%o', $st[2] & 07777 : 'none' }

sub owner { my @st = lstat $_[0]; return @st ? $st[4] : 'none' }

# all that can be seen of a tree: names, owners, modes, times, contents

sub trace {
    my ($dir) = @_;
    my %trace;
    find({ no_chdir => 1, wanted => sub {
        my @st = Time::HiRes::lstat($_);
        $trace{$_} = join ' ', @st[1, 2, 4, 5, 7, 9, 10], -f _ ? slurp($_) : '';
    } }, $dir);
    return \%trace;
}

sub issues {
    my ($server, $what, @ids) = @_;
    my $client = $server->client;
    is_deeply([map { $client->issue('CS', 1, "$what $_")->{json}{cert_id} } @ids], \@ids, "$what: certificates");
    is_deeply([check_ledger($server, [])], [], "$what: the ledger");
}

sub belongs {
    my ($path, $uid, $what) = @_;
    my @all = ($path, "$path/data.mdb", "$path/lock.mdb");
    is_deeply([map { mode($_) } @all], [qw(700 600 600)], "$what: nobody else may read it");
    is_deeply([map { owner($_) } @all], [($uid) x 3], "$what: it is the workers' user's");
}

sub run { system(@_) == 0 or die "@_ failed\n" }

# nothing is issued, the line in the log says why

sub refuses {
    my ($server, $like, $what) = @_;
    my $r = $server->client->issue('CS', 1, $what);
    is("$r->{status} " . ($r->{json}{error} // ''), '503 ledger_unavailable', "$what: 503");
    like(join('', grep { /\[crit\]/ } split /^/, $server->log), $like, "$what: the log says what to do");
}

sub warnings { return scalar grep { /\[warn\].*authorized shares/ } split /^/, $_[0]->log }


SKIP: {
    skip 'only root can have workers of another user', 1 if !$root;

    # nothing is there yet, not even the parents

    my $server = Stockcert->new;
    my $path = "$server->{dir}/some/where/ledgers/acme";
    (my $http = ledger('acme')) =~ s/path \S+;/path some\/\/where\/ledgers\/acme\/;/;
    $server->configure(http => $http)->start;
    is_deeply([map { owner("/proc/$_") } $server->workers], [$nobody, $nobody], 'the workers are nobody');
    issues($server, 'root and nobody', qw(CS-1 CS-2));
    belongs($path, $nobody, 'a new ledger');
    is_deeply([map { mode("$server->{dir}/$_") . ' ' . owner("$server->{dir}/$_") } qw(some some/where some/where/ledgers)],
        [('755 0') x 3], 'its parents are root\'s');
    $server->stop('KILL');

    is_deeply([$server->complaints], [], 'nothing to complain of in the log');

    # what belongs to somebody else is refused, and stays as it is, until it is
    # given to the workers' user

    my $next = 2;
    for my $case (['its directory', $path], ['data.mdb', "$path/data.mdb"], ['lock.mdb', "$path/lock.mdb"]) {
        my ($name, $what) = @$case;
        chown 0, 0, $what;
        chmod 0755, $what if $what eq $path;
        my $before = trace($what);
        $server->start;
        refuses($server, qr/$name belongs to user 0, and the ledger is opened as user $nobody: if it is the ledger's, chown it/, "$name of root's");
        is_deeply(trace($what), $before, "$name of root's: is not changed");
        chmod 0700, $what if $what eq $path;
        chown $nobody, -1, $what;
        $next++;
        wait_for("$name is taken", sub { $server->client->issue('CS', 1, "given $next")->{status} == 201 });
        $server->stop;
    }
    $server->configure(user => 'root')->start;
    refuses($server, qr/its directory belongs to user $nobody, and the ledger is opened as user 0/, 'workers that are root');
    $server->stop;
    chown 0, 0, $path, glob "$path/*";
    chmod 0770, $path;
    $server->start;
    refuses($server, qr/others than root may write its directory: chmod go-w it/, 'root, and a directory that others may write');
    $server->stop;
    chmod 0700, $path;
    $server->start;
    $next++;
    issues($server, 'root\'s own', "CS-$next");
    belongs($path, 0, 'root\'s own');
    $server->stop;

    # an empty directory of root's

    $server = Stockcert->new;
    $path = "$server->{dir}/ledgers/acme";
    mkdir $path, 0700;
    $server->start;
    refuses($server, qr/its directory belongs to user 0/, 'an empty directory of root\'s');
    is(owner($path), 0, 'an empty directory of root\'s stays that');
    $server->stop;
    chown $nobody, -1, $path;
    $server->start;
    issues($server, 'an empty directory', qw(CS-1));
    belongs($path, $nobody, 'an empty directory that was given');
    $server->stop;

    # links that the workers' user laid on the way: nothing behind them is given
    # away, nothing made there

    my $victim = "$server->{dir}/victim";
    mkdir $victim, 0755;
    spew("$victim/data.mdb", 'root\'s own');
    for my $case (['its last part', 'acme', 'acme'], ['a part before', 'up', 'up/acme'], ['two parts before', 'up', 'up/more/acme']) {
        my ($name, $link, $below) = @$case;
        my $other = Stockcert->new(http => ledger('acme') =~ s{path \S+;}{path ledgers/$below;}r);
        my $at = "$other->{dir}/ledgers";
        chown $nobody, -1, $at;
        symlink $victim, "$at/$link" or die "symlink: $!\n";
        run('chown', '-h', 'nobody', "$at/$link");
        my $before = trace($victim);
        $other->start;
        refuses($other, qr/stockcert ledger "acme"/, "a link of nobody's, $name");
        is_deeply(trace($victim), $before, "a link of nobody's, $name: what it points to is as it was");
        like($other->log, qr/\[emerg\].*"\Q$link\E" is a link of user $nobody, which root does not follow/, "a link of nobody's, $name: and it says so");
        $other->stop;
        unlink "$at/$link";
        next if $link eq $below;

        # the same of root's

        symlink "$other->{dir}/big", "$at/$link" or die "symlink: $!\n";
        mkdir "$other->{dir}/big", 0755;
        $other->start;
        issues($other, "a link of root's, $name", qw(CS-1));
        belongs("$other->{dir}/big/" . $below =~ s{up/}{}r, $nobody, "a link of root's, $name");
        $other->stop;
    }

    # a link to nothing: its disk is not mounted

    my $other = Stockcert->new;
    symlink "$other->{dir}/none", "$other->{dir}/ledgers/acme";
    $other->start;
    refuses($other, qr/No such file or directory/, 'a link to nothing');
    ok(!-e "$other->{dir}/none", 'a link to nothing: nothing is made');
    $other->stop;

    # links that the workers' user laid in its directory

    for my $name (qw(data.mdb lock.mdb)) {
        my $target = "$server->{dir}/target of $name";
        spew($target, 'root\'s own');
        chmod 0600, $target;
        my $before = trace($target);
        unlink "$path/$name";
        symlink $target, "$path/$name" or die "symlink: $!\n";
        $server->start;
        $server->client->issue('CS', 1);
        $server->reload;
        is_deeply(trace($target), $before, "a link at $name: what it points to is not given away");
        $server->stop;
        unlink "$path/$name";
    }
}


# an ordinary user, whose module has to be where it can be read

my $server = Stockcert->new($root ? (as => 'nobody') : ());
my $module = "$server->{dir}/module.so";
my @modules = split ' ', $ENV{TEST_NGINX_LOAD_MODULES} || '';
if (@modules) {
    copy($modules[-1], $module) or die "copy: $!\n";
    $server->configure(module => join ' ', @modules[0 .. $#modules - 1], $module);
}
my $user = $root ? $nobody : $>;
my $path = "$server->{dir}/ledgers/acme";
$server->start;
is_deeply([map { owner("/proc/$_") } $server->{master}, $server->workers], [($user) x 3], 'master and workers are ordinary');
issues($server, 'an ordinary user', qw(CS-1 CS-2));
belongs($path, $user, 'an ordinary user');
$server->reload;
issues($server, 'after reload', qw(CS-3));
$server->stop('KILL');
$server->start;
issues($server, 'after kill -9 and start', qw(CS-4));
$server->kill_worker(($server->workers)[0]);
issues($server, 'after a kill of a worker', qw(CS-5));
$server->stop;
is_deeply([grep { !/"user" directive/ } $server->complaints], [], 'nothing to complain of in the log');


# a single process

$server = Stockcert->new(workers => 0)->start;
is_deeply([keys %{{$server->processes}}], [$server->{master}], 'there is one process only');
issues($server, 'master_process off', qw(CS-1 CS-2));
belongs("$server->{dir}/ledgers/acme", $>, 'master_process off');
my @told = Stockcert::Load->new($server, count => 20)->finish;
is_deeply([grep { $_->{status} != 201 } @told], [], 'master_process off: twenty clients at once');
$server->stop('KILL');
$server->start;
is_deeply([check_ledger($server, \@told)], [], 'master_process off: the ledger after kill -9 and start');
is($server->stop, 0, 'master_process off: it ends in order');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');

# the same ledger for several processes, and workers of another user

if ($root) {
    chown $nobody, -1, "$server->{dir}/ledgers/acme", glob "$server->{dir}/ledgers/acme/*";
}
$server->configure(workers => 2)->start;
is_deeply([check_ledger($server, \@told)], [], 'the ledger of a single process, with two workers');
belongs("$server->{dir}/ledgers/acme", $root ? $nobody : $>, 'after a single process');


# nginx -t: no trace, whether nginx runs, has run, or never has

$path = "$server->{dir}/ledgers";
my $when = 'while nginx runs';
my $next = $server->client->ask('GET', '/')->{json}{classes}[0]{certificates} + 1;
for (1, 2) {
    my $before = trace($path);
    my ($status, $output) = $server->run('-t');
    is($status, 0, "nginx -t, $when") or diag($output);
    is_deeply(trace($path), $before, "$when: the ledger is as it was");

    # a class and a total that the ledger does not have

    ($server->{http}, my $http) = (ledger('acme', CS => 5, PS => 5, NEW => 5), $server->{http});
    ($status, $output) = $server->run('-t');
    is($status, 0, "nginx -t of a new class, $when") or diag($output);
    is_deeply(trace($path), $before, "$when: the ledger is still as it was");
    $server->{http} = $http;

    if ($_ == 1) {
        issues($server, 'after nginx -t', "CS-$next");
        $server->stop;
    }
    $when = 'after nginx ran';
}

$server = Stockcert->new;
rmdir "$server->{dir}/ledgers";
for my $arg (qw(-t -T)) {
    my ($status, $output) = $server->run($arg);
    is($status, 0, "nginx $arg of a ledger that is not there yet") or diag($output);
    ok(!-e "$server->{dir}/ledgers", "nginx $arg makes no directory");
}


# a total that the configuration changes is told once, not by each worker

$server = Stockcert->new(workers => 4, http => ledger('acme', CS => 100, PS => 50))->start;
issues($server, 'the first total', qw(CS-1));
is(warnings($server), 0, 'no warning as long as nothing changes');
$server->stop;
$server->configure(http => ledger('acme', CS => 200, PS => 50))->start;
issues($server, 'another total', qw(CS-2));
is(warnings($server), 1, 'a changed total is warned of once');
like($server->log, qr/\[warn\].*100 authorized shares of class CS, not 200/, 'with both totals');
is($server->client->issue('CS', 150)->{json}{remaining}, 98, 'and not applied');
$server->reload;
issues($server, 'reload with another total', qw(CS-3));
is(warnings($server), 2, 'once more at a reload');
$server->stop;

done_testing();
