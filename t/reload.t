# Reload and quit under load: no request fails that nginx itself would serve.
#
# What nginx itself does: as its workers quit, it closes connections that are
# kept and idle, and the next request may be on its way already; and what is not
# accepted yet as nginx quits is lost, or refused. A request that met this gets
# not a byte of an answer, and must not be issued.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Checks;

my $soak = 60 * ($ENV{STOCKCERT_SOAK} || 0);
alarm 2 * $soak + 1800;

my $server = Stockcert->new(http => ledger('acme') . 'log_format short "$request_method $status";',
    location => 'access_log access.log short; location / { stockcert; }')->start;

# some keep their connections, some have a new one for each request, some do so
# and ask nginx itself

sub begin {
    my ($n) = @_;
    my @close = ('Connection: close');
    return (
        kept => Stockcert::Load->new($server, clients => $n),
        fresh => Stockcert::Load->new($server, clients => $n, fresh => 1, ask => sub {
            my ($http, $class, $amount, $name) = @_;
            return $http->ask('POST', '/', grant($class, $amount, $name), @close);
        }),
        'nginx, kept' => Stockcert::Load->new($server, clients => 2, ask => sub { return $_[0]->ask('GET', '/static') }),
        'nginx, fresh' => Stockcert::Load->new($server, clients => 2, fresh => 1,
            ask => sub { return $_[0]->ask('GET', '/static', undef, @close) }),
    );
}

# answers of each kind, and what came of them as nginx tells it

sub end {
    my ($what, %load) = @_;
    my %answers = map { $_ => [$load{$_}->stop] } keys %load;
    for my $kind (sort keys %answers) {
        my %n;
        $n{$_->{status} || $_->{error}}++ for @{$answers{$kind}};
        note("$what: $kind: ", join ', ', map { "$n{$_} x $_" } sort keys %n);
    }
    return %answers;
}

sub answered {
    my ($what, %answers) = @_;
    my %posts;
    $posts{$_}++ for slurp("$server->{dir}/access.log") =~ /^POST (\d+)$/mg;
    my $told = grep { $_->{status} == 201 } @{$answers{kept}}, @{$answers{fresh}};
    is_deeply(\%posts, { 201 => $told }, "$what: all that nginx took up are answered, $told");
    unlink "$server->{dir}/access.log";
}

# open files, and all mappings but those of memory for itself, of the master

sub holds {
    my @fds = glob "/proc/$server->{master}/fd/*";
    my $maps = slurp("/proc/$server->{master}/maps");
    my @shared = $maps =~ /^\S+ ..-s /mg;
    my @files = $maps =~ m{ /\S+$}mg;
    return @fds . ' open files, ' . @shared . ' shared mappings, ' . @files . ' of files';
}


# reloads, each as soon as the workers of the last are there

my $reloads = 0;

sub reload {
    my %old = map { $_ => 1 } $server->workers;
    kill HUP => $server->{master};
    wait_for('new workers', sub { 2 == grep { !$old{$_} } $server->workers });
    $reloads++;
}

my $start = now();
my %load = begin(8);
$load{kept}->progress(50);
reload() for 1 .. 3;
wait_for('the old workers end', sub { $server->ready });
my $before = holds();
reload() while $reloads < 40 or now() < $start + $soak;
$load{fresh}->progress(50);
$load{kept}->progress(50);
wait_for('the old workers end', sub { $server->ready });
is(holds(), $before, "$reloads reloads: the master has $before, as before");

my %answers = end("$reloads reloads", %load);
is_deeply([grep { $_->{status} != 201 } @{$answers{fresh}}], [],
    @{$answers{fresh}} . " requests on new connections: all are issued");
is_deeply([grep { $_->{status} != 200 } @{$answers{'nginx, fresh'}}], [], 'nor did nginx itself fail');
is_deeply([grep { $_->{status} != 201 && $_->{error} ne 'closed' } @{$answers{kept}}], [],
    @{$answers{kept}} . ' requests on kept connections: all are issued, or found their connection closed');
is_deeply([check_ledger($server, [map { @$_ } @answers{qw(kept fresh)}], lost => 'never')], [],
    'the ledger after reloads, without those');
is($server->stop, 0, 'nginx ends in order');
answered('reloads', %answers);
quiet($server);


# quit, and start again

$server->start;
%load = begin(8);
my $quits = 0;
for ($start = now(); $quits < 10 or now() < $start + $soak; $quits++) {
    $load{kept}->progress(10);
    $server->stop;
    $server->start;
}
$load{kept}->progress(10);
%answers = end("$quits times QUIT", %load);
for my $kind (qw(kept fresh)) {
    is_deeply([grep { $_->{status} != 201 && $_->{error} !~ /^(?:not served: )?(?:closed|refused)$/ } @{$answers{$kind}}],
        [], "$quits times QUIT, $kind connections: nothing worse than closed or refused");
}
is_deeply([check_ledger($server, [map { @$_ } @answers{qw(kept fresh)}], lost => 'never')], [],
    'the ledger after quits: what was not answered is not issued');
is($server->stop, 0, 'nginx ends in order');
answered('quits', %answers);
quiet($server);


# While a commit is held: what is in it, and what waits behind it, is answered.

$server = Stockcert->new(workers => 1, flushes => 1)->start;
if (!$server->has_gate) {
    note('TEST_NGINX_BINARY takes the LD_PRELOAD away: no held commits');
    done_testing();
    exit;
}

my ($one, $two) = ($server->client, $server->client);
my @all;

$server->hold('fdatasync');
$one->send('POST', '/', grant('CS', 4, 'reload'));
$server->held('fdatasync');
my ($old) = $server->workers;
kill HUP => $server->{master};
wait_for('the old worker shuts down', sub { my %title = $server->processes; $title{$old} =~ /shutting down/ });
ok(!$one->has_answer, 'after HUP: a request waits on');
$two = $server->client;
my @many = map { $server->client } 1 .. 10;
$many[$_]->send('POST', '/', grant('CS', 4, "after reload $_")) for 0 .. $#many;
ok(!grep({ $_->has_answer } $one, @many), 'nobody is answered before the old worker has committed');
$server->release('fdatasync');
push @all, told($one->receive, 'reload', 'CS', 4);
push @all, map { told($many[$_]->receive, "after reload $_", 'CS', 4) } 0 .. $#many;
well($server, \@all, 'reload in a commit');
wait_for('the old worker ends', sub { $server->ready($old) });

$server->hold('fdatasync');
my @names = map { "quit $_" } 0 .. 10;
@many = ($two, map { $server->client } 1 .. 10);
$many[0]->send('POST', '/', grant('CS', 5, $names[0]));
$server->held('fdatasync');
$many[$_]->send('POST', '/', grant('CS', 5, $names[$_])) for 1 .. 10;
$server->taken_up(@many);
kill QUIT => $server->{master};
wait_for('the worker shuts down', sub { my %title = $server->processes; grep { /shutting down/ } values %title });
ok(!grep({ $_->has_answer } @many), 'after QUIT: those who are in a commit, and behind it, wait on');
$server->release('fdatasync');
push @all, map { told($many[$_]->receive, $names[$_], 'CS', 5) } 0 .. 10;
is_deeply([map { $_->{status} } @all[-11 .. -1]], [(201) x 11], 'and are answered');
is($server->stop, 0, 'nginx ends in order');
quiet($server);
$server->start;
well($server, \@all, 'quit in a commit');

# worker_shutdown_timeout ends the request while its commit is held

$server->stop;
$server->configure(main => 'worker_shutdown_timeout 50ms;')->start;
($old) = $server->workers;
$server->hold('fdatasync');
$one = $server->client;
$two = $server->client;
$_->ask('GET', '/static') for $one, $two;
$two->send('POST', '/', undef, 'Content-Type: application/json', 'Content-Length: 10');
$one->send('POST', '/', grant('CS', 6, 'shut down'));
$server->held('fdatasync');
kill HUP => $server->{master};
is($two->receive->{error}, 'closed', 'worker_shutdown_timeout closes a request that is not whole');
$server->release('fdatasync');
is($one->receive->{error}, 'closed', 'and one that waits, once its commit is done');
wait_for('the old worker ends', sub { $server->ready($old) });
push @all, told($server->client->issue('CS', 6, 'after it'), 'after it', 'CS', 6);
well($server, \@all, 'shutdown timeout');
quiet($server);
$server->stop;

done_testing();
