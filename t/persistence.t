# What was told is kept: over stop, start, reload and kill -9, idle and under load.

use strict;
use warnings;
use Test::More;
use Stockcert;

my @told;       # all answers of the server that is up now

sub issue {
    my ($server, $class, $number) = @_;
    my $name = 'alone ' . @told;
    my $r = $server->client->issue($class, 3, $name);
    push @told, { %$r, class => $class, amount => 3, name => $name };
    my $id = $r->{json} ? $r->{json}{cert_id} : $r->{status};
    is($id, "$class-$number", "$class-$number is issued");
}

sub kept {
    my ($server, $when, @arg) = @_;
    is_deeply([check_ledger($server, \@told, @arg)], [], "the ledger $when");
}

# of the master and each worker

sub descriptors {
    my ($server) = @_;
    $server->settle;
    return join ' ', map { scalar(my @fds = glob "/proc/$_/fd/*") } $server->{master}, $server->workers;
}


# idle

my $server = Stockcert->new->start;
issue($server, CS => 1);
issue($server, PS => 1);
issue($server, CS => 2);
kept($server, 'of three');

my $number = 2;
for my $signal (qw(QUIT TERM KILL)) {
    my $status = $server->stop($signal);
    is($status, 0, "$signal ends nginx in order") if $signal ne 'KILL';
    $server->start;
    issue($server, CS => ++$number);
    kept($server, "after $signal and start");
}

$server->reload;
issue($server, CS => ++$number);
kept($server, 'after reload');

$server->reload;
my $open = descriptors($server);
$server->reload for 1 .. 20;
is(descriptors($server), $open, 'as many open files after twenty more reloads');
issue($server, CS => ++$number);

for my $worker ($server->workers) {
    $server->kill_worker($worker);
    issue($server, CS => ++$number);
}
is(descriptors($server), $open, 'and after killing each worker');
kept($server, 'after killing each worker');

kill KILL => $server->{master};
issue($server, CS => ++$number);
$server->stop('KILL');
$server->start;
issue($server, CS => ++$number);
issue($server, PS => 2);
kept($server, 'after killing the master, and then the workers');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
$server->stop;


# under load

@told = ();
$server = Stockcert->new(workers => 3, listen => 'reuseport')->start;
my $load = Stockcert::Load->new($server);
my %killed;

for my $round (0 .. 5) {
    $load->progress(150);
    my $worker = ($server->workers)[$round % 3];
    $killed{$worker} = 1;
    $server->kill_worker($worker);
}
$load->progress(150);
@told = $load->stop;

my @lost = grep { !$_->{status} } @told;
is_deeply([grep { $_->{worker} ne '' && !$killed{$_->{worker}} } @lost], [], 'only requests to killed workers were lost');
is_deeply([grep { $_->{error} !~ /^(?:not served: )?closed$/ } @lost], [], 'and these not half answered');
is_deeply([grep { $_->{status} && $_->{status} != 201 } @told], [], 'all others got their certificates');
kept($server, 'after killing workers under load');
note(scalar(@told), ' requests, ', scalar(@lost), ' lost');

$load = Stockcert::Load->new($server);
for (1 .. 3) {
    $load->progress(100);
    $server->stop('KILL');
    $server->start;
}
$load->progress(100);
push @told, grep { $_->{error} !~ /^not served/ } $load->stop;

@lost = grep { !$_->{status} } @told;
is_deeply([grep { $_->{error} !~ /^(closed|refused)$/ } @lost], [], 'no answer is cut off');
is_deeply([grep { $_->{status} && $_->{status} != 201 } @told], [], 'all others got their certificates');
kept($server, 'after killing all under load');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
$server->stop;


# Workers are killed, old or new, in a reload under load. What was lost without
# a kill was closed between two requests, and so was not issued.

$server = Stockcert->new(workers => 3, listen => 'reuseport')->start;
$load = Stockcert::Load->new($server);
%killed = ();
for my $round (0 .. 5) {
    $load->progress(100);
    my @old = $server->workers;
    kill HUP => $server->{master};
    my %old = map { $_ => 1 } @old;
    wait_for('new workers', sub { grep { !$old{$_} } $server->workers }) if $round % 2;
    my @now;
    wait_for('workers', sub { @now = $server->workers });    # between old and new, maybe one
    my $worker = $now[($round % 2 ? -1 - $round % 3 : $round) % @now];
    $killed{$worker} = kill KILL => $worker;
    wait_for('new workers only', sub { $server->ready(@old, $worker) });
}
$load->progress(100);
@told = $load->stop;
is_deeply([grep { $_->{error} !~ /^(closed|not served: closed|)$/ } @told], [], 'nothing worse than a closed connection');
is_deeply([grep { $_->{status} && $_->{status} != 201 } @told], [], 'all others got their certificates');
kept($server, 'after killing workers in a reload');
# One whose connection was closed as it was about to send has another worker, which
# it did not ask for.

my @survived = grep { $_->{error} ne 'closed' || $_->{worker} ne '' && !$killed{$_->{worker}} } @told;
is_deeply([check_ledger($server, \@survived, lost => 'never')], [], 'only killed workers left certificates unheard of');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
$server->stop;


# A worker dies in its commit: before the flush, before the last step, after it.
# Or one that waits for the commit of the other.

for my $point (qw(fdatasync pwrite written other)) {
    @told = ();
    $server = Stockcert->new(workers => 2, listen => 'reuseport', flushes => 1)->start;
    SKIP: {
        skip 'TEST_NGINX_BINARY takes the LD_PRELOAD away', 6 if !$server->has_gate;

        my %client = $server->clients_of_workers(2);
        my %second = $server->clients_of_workers(2);
        my ($one, $other) = keys %client;

        # the first commit is held until both workers have requests for a second

        my $send = sub {
            my ($client, $name) = @_;
            $client->send('POST', '/', grant('CS', 5, $name));
        };
        $server->hold('fdatasync');
        $send->($client{$one}, 'first');
        $server->held('fdatasync');
        $send->($second{$one}, "waits in $one");
        $send->($second{$other}, "waits in $other");
        $_->ask('GET', '/static') for values %{{$server->clients_of_workers(2)}};

        $server->hold('pwrite') if $point eq 'pwrite';
        if ($point ne 'pwrite') {
            $server->pass;
        } else {
            $server->release('fdatasync');
            $server->held('pwrite');
            $server->pass;
        }
        my $r = $client{$one}->receive;
        is($r->{status}, 201, "the first is issued, before a kill at $point");
        push @told, { %$r, class => 'CS', amount => 5, name => 'first' };

        if ($point eq 'written') {
            $server->held('fdatasync');
            $server->hold('written');
            $server->release('fdatasync');
        }
        my $victim = $server->held($point eq 'other' ? 'fdatasync' : $point);
        my ($survivor) = grep { $_ != $victim } $one, $other;
        ($victim, $survivor) = ($survivor, $victim) if $point eq 'other';

        kill KILL => $victim;
        wait_for('its connection is closed', sub { $second{$victim}->has_answer });
        is($second{$victim}->receive->{error}, 'closed', 'the request to the killed worker is lost');
        $server->release(qw(fdatasync pwrite written));

        $r = $second{$survivor}->receive;
        is($r->{status}, 201, 'the one to the other is answered');
        push @told, { %$r, class => 'CS', amount => 5, name => "waits in $survivor" };
        wait_for('a new worker', sub { $server->ready($victim) });
        kept($server, "after a kill at $point");
        my $c = (Stockcert::read_ledger($server))[1];
        ok(@$c == 2 || @$c == 3, 'the lost one was issued once, if at all');

        my %new = $server->clients_of_workers(2);
        is_deeply([map { $_->issue('CS', 5, "new $_")->{status} } values %new], [201, 201], 'both workers issue');
    }
    $server->stop;
}

done_testing();
