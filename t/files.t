# Files change under a running ledger. Nothing is ever issued twice, or into a file that
# has no name. What can go on by itself does.

use strict;
use warnings;
use File::Copy qw(copy);
use Test::More;
use Stockcert;
use Stockcert::Checks;
use Stockcert::Tool;

my $server = Stockcert->new(listen => 'reuseport')->start;
my $ledger = "$server->{dir}/ledgers/acme";
my @all;

sub issue {
    my ($name) = @_;
    push @all, told($server->client->issue('CS', 1, $name), $name, 'CS', 1);
    return $all[-1];
}

sub error { my ($r) = @_; return join ' ', $r->{status}, $r->{json}{error} // () }

# all workers have found out: none of them serves any more

sub all_refuse {
    my %got;
    eval {
        wait_for('no worker reads it', sub {
            %got = ();
            $got{$server->client->ask('GET', '/')->{status}}++ for 1 .. 20;
            return keys %got == 1 && $got{503};
        });
        1;
    } or die join(', ', map { "$got{$_} x $_" } sort keys %got), ": $@", $server->log;
}

# all workers have the ledger open

sub all_read {
    my %of = $server->clients_of_workers($server->{workers});
    wait_for('every worker reads it', sub { !grep { $_->ask('GET', '/')->{status} != 200 } values %of });
}

sub in_order {
    my ($what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($status, $out, $err) = tool(verify => $ledger);
    like("$out$err", qr/^all is in order/, "$what: verify");
}

# a copy of data.mdb is kept; and one is put there, as a file of the workers

sub keep {
    my ($name) = @_;
    copy("$ledger/data.mdb", "$server->{dir}/$name") or die "copy: $!\n";
}

sub put {
    my ($name) = @_;
    copy("$server->{dir}/$name", "$ledger/data.mdb") or die "copy: $!\n";
    chown +(stat $ledger)[4, 5], "$ledger/data.mdb";
}

# somebody removes lock.mdb, and then the tool writes

issue("before $_") for 1 .. 5;
unlink "$ledger/lock.mdb" or die "lock.mdb: $!\n";
tool_out(authorize => $ledger, 'CS', 3000000, '--reference', 'beside a new lock.mdb');


# a worker answers 503 as it goes over to the new one, and nothing is issued then

for my $n (1 .. 5) {
    wait_for('it issues', sub { issue("with a new lock.mdb $n")->{status} == 201 });
}
all_read();
my ($inventory) = Stockcert::read_ledger($server);
is($inventory->{classes}[0]{authorized}, 3000000, 'and what the tool wrote is there');
is($inventory->{entries}, 2 + 1 + 10, 'with an entry of its own');
like($server->log, qr/\[crit\] .* (?:lock\.mdb was removed or replaced|data\.mdb or lock\.mdb was removed)/, 'the log says so');
in_order('lock.mdb removed');

# and under load, a worker killed meanwhile

my $load = Stockcert::Load->new($server, clients => 10);
$load->progress(50);
for (1 .. 5) {
    unlink "$ledger/lock.mdb";
    $load->progress(30);
    $server->kill_worker(($server->workers)[0]) if $_ % 2;
    $load->progress(30);
}
push @all, $load->stop;
all_read();
my @refused = grep { $_->{status} && $_->{status} != 201 && $_->{status} != 503 } @all;
is_deeply([map { "$_->{status} $_->{body}" } @refused], [], 'under load: nothing but 201, or 503 in between');
in_order('under load');
my @there = map { $_->{stakeholder} } @{(Stockcert::read_ledger($server))[1]};
my %there = map { $_ => 1 } @there;
is_deeply([grep { $_->{status} == 201 && !$there{$_->{name}} } @all], [], 'under load: all that was told is there');
is(scalar(keys %there), scalar(@there), 'under load: once');

# data.mdb has no name for a while

rename "$ledger/data.mdb", "$ledger/away" or die "data.mdb: $!\n";
my $r = issue('away');
is(error($r), '503 ledger_unavailable', 'data.mdb away: nothing is issued');
wait_for('the log says so', sub { $server->log =~ /\[crit\] .* (?:data\.mdb (?:or lock\.mdb )?was removed, replaced or linked|it has no data\.mdb)/ });
all_refuse();
ok(!-e "$ledger/data.mdb", 'and none is made');
rename "$ledger/away", "$ledger/data.mdb" or die "data.mdb: $!\n";
wait_for('it goes on', sub { issue('back ' . now())->{status} == 201 });

# an older copy in its place, under the same name and number, or another number

keep('older');
for my $n (1 .. 3) {
    wait_for('it issues', sub { issue("newer $n " . now())->{status} == 201 });
}
keep('newest');
for my $how ('another file', 'the same file') {
    my $in_place = $how eq 'the same file';
    my $said = length $server->log;
    unlink "$ledger/data.mdb" if !$in_place;
    put('older');
    wait_for("$how: refused", sub { $server->client->issue('CS', 1, "x $how")->{status} == 503 });
    all_refuse();
    is(error($server->client->issue('CS', 1, "y $how")), '503 ledger_unavailable', "an older copy, $how: nothing is issued");
    $server->reload;
    is(error($server->client->issue('CS', 1, "z $how")), '503 ledger_unavailable', "an older copy, $how: nor after a reload");
    is(slurp("$ledger/data.mdb"), slurp("$server->{dir}/older"), "an older copy, $how: it is as it was");
    like(substr($server->log, $said), qr/\[crit\] .* entry \d+, which was committed, is not in it: data\.mdb is an older or another one/, 'the log says so');
    unlink "$ledger/data.mdb";
    put('newest');
    wait_for('with the newest, it goes on', sub { issue("after $how " . now())->{status} == 201 });
    keep('newest');
}
in_order('older copies');
is($server->stop, 0, 'nginx ends in order');

# nginx was started, and has committed nothing yet: what its workers have read counts

for my $how ('no file', 'an older copy', 'an older copy, the same file') {
    $server->start;
    all_read();
    my $there = $how ne 'no file';
    unlink "$ledger/data.mdb" if $how !~ /same/;
    put('older') if $there;
    wait_for("not committed yet, $how: refused", sub { $server->client->issue('CS', 1, "v $how")->{status} == 503 });
    all_refuse();
    $server->kill_worker($_) for $server->workers;
    is(error($server->client->issue('CS', 1, "w $how")), '503 ledger_unavailable', "not committed yet, $how: nor by new workers");
    $server->reload;
    is(error($server->client->issue('CS', 1, "x $how")), '503 ledger_unavailable', "not committed yet, $how: nor after a reload");
    is($there ? slurp("$ledger/data.mdb") : -e "$ledger/data.mdb", $there ? slurp("$server->{dir}/older") : undef,
        "not committed yet, $how: it is as it was");
    unlink "$ledger/data.mdb";
    put('newest');
    wait_for('with the newest, it goes on', sub { issue("began $how " . now())->{status} == 201 });
    keep('newest');
    is($server->stop, 0, "not committed yet, $how: nginx ends in order");
}
in_order('not committed yet');

# An older copy is put there while nginx is stopped, but a reader still runs (here, it
# stands still). This is how one restores, and lock.mdb belongs to the earlier file.

for my $how ('another file', 'the same file') {
    my ($reader, $out) = tool_start(log => '-f', $ledger);
    # what it stands still with is a place among the readers, and no lock
    wait_for('it has read', sub { -s $out->filename });
    kill STOP => $reader;
    unlink "$ledger/data.mdb" if $how eq 'another file';
    put('older');
    $server->start;
    my $n;
    wait_for('it is read', sub {
        my $r = $server->client->ask('GET', '/');
        return $r->{status} == 200 && ($n = $r->{json}{classes}[0]{certificates});
    });
    for (1 .. 5) {
        $n++;
        my $r;     # 503 as a worker goes over to a new lock.mdb
        wait_for('it issues', sub {
            $r = $server->client->issue('CS', 1, "restored $how $_");
            return $r->{status} == 201;
        });
        is($r->{json}{number}, $n, "restored, $how: number $n");
    }
    kill KILL => $reader;
    in_order("restored, $how");
    is($server->stop, 0, 'nginx ends in order');
}

# two paths to one file, with a lock.mdb each

mkdir "$server->{dir}/ledgers/var";
chown +(stat $ledger)[4, 5], "$server->{dir}/ledgers/var";
for my $how (qw(symlink link)) {
    my $name = "$server->{dir}/ledgers/var/data.mdb";
    $how eq 'link' ? link("$ledger/data.mdb", $name) : symlink("$ledger/data.mdb", $name);
    my $other = Stockcert->new(http => ledger('acme'));
    $other->{http} =~ s{ledgers/acme}{$server->{dir}/ledgers/var};
    $other->start;
    is(error($other->client->issue('CS', 1, 'x')), '503 ledger_unavailable', "data.mdb has a second name, by $how: it is refused there");
    like($other->log, qr/\[crit\] .* data\.mdb (?:is a symbolic link|has another name)/, 'and the log says why');
    $other->stop;
    unlink $name, "$server->{dir}/ledgers/var/lock.mdb";
}

# The disk is not mounted: "create off" makes no ledger there

$server = Stockcert->new(http => ledger('acme') =~ s/path/create off; path/r);
$server->start;
is(error($server->client->issue('CS', 1, 'x')), '503 ledger_unavailable', 'create off: no ledger is made');
is_deeply([glob "$server->{dir}/ledgers/acme/data*"], [], 'nor any file');
like($server->log, qr/\[crit\] .*it has no data\.mdb|No such file/, 'the log says why');
$server->stop;
unlink "$server->{dir}/error.log";
$server->{http} = ledger('acme');
$server->start;
is($server->client->issue('CS', 1, 'x')->{json}{number}, 1, 'without, it is made');
my @made = $server->log =~ /\[notice\] .* stockcert ledger "acme" is new, made in "(\S+)"/g;
is_deeply(\@made, ["$server->{dir}/ledgers/acme"], 'and one line of the log says where');
$server->stop;
$server->{http} = ledger('acme', CS => 10, PS => 20, XS => 30) =~ s/path/create off; path/r;
$server->start;
is($server->client->issue('XS', 1, 'x')->{json}{number}, 1, 'create off: classes are opened as ever');
$server->stop;

# somebody has the file locked

$server->start;
$ledger = "$server->{dir}/ledgers/acme";
open my $file, '<', "$ledger/data.mdb" or die "data.mdb: $!\n";
flock $file, 2 or die "flock: $!\n";
my $client = $server->client;
$client->send('POST', '/', grant('CS', 1, 'locked'));
wait_for('the log says who has it', sub { $server->log =~ /\[error\] .* process $$ has the lock of data\.mdb/ });
is($server->client->ask('GET', '/')->{status}, 200, 'locked: it is read');
close $file;
is($client->receive->{status}, 201, 'locked: and goes on as it is let go');
is($server->stop, 0, 'nginx ends in order');

# or its directory, as a tool has that stands still while it opens the ledger

unlink "$server->{dir}/error.log";
open $file, '<', $ledger or die "$ledger: $!\n";
flock $file, 2 or die "flock: $!\n";
$server->start;
is(error($server->client->issue('CS', 1, 'x')), '503 ledger_unavailable', 'directory locked: nothing is issued');
wait_for('the log says who has it', sub { $server->log =~ /\[crit\] .* process $$ has it locked/ });
close $file;
wait_for('directory locked: it goes on as it is let go', sub { $server->client->issue('CS', 1, 'x')->{status} == 201 });
is($server->stop, 0, 'nginx ends in order');

done_testing();
