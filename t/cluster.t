# Three machines, each an nginx, have one ledger by an etcd of three members. Clients
# ask all of them, while workers, machines and members are killed, stopped, and cut off
# from each other. In the end no number is missing or twice, each certificate that was
# told is on every machine, and their journals are the same bytes. STOCKCERT_SOAK=minutes
# goes on that long.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;
use Stockcert::Cluster;
use Stockcert::Transactions;

my $seed = $ENV{STOCKCERT_SEED} // time;
my $minutes = $ENV{STOCKCERT_SOAK} // 0;
srand $seed;
note("STOCKCERT_SEED=$seed");
alarm 1800 + 120 * $minutes;

my $faults = 60;                    # in a round
my $end = now() + 60 * $minutes;
my $patience = 4;                   # seconds that a client waits for an answer

my $cluster = Stockcert::Cluster->new(relays => 1, block => sub { return 'etcd_timeout 2s;' },
    etcd => { args => ['--heartbeat-interval', 50, '--election-timeout', 500] });
my $etcd = $cluster->etcd;


# Clients. Who is told 503, 500 or nothing asks again with the same key, any machine.

sub until_told {
    my ($http, $key, @request) = @_;
    my $until = now() + 600;
    while (1) {
        my $r = $http->ask(@request, "Idempotency-Key: $key");
        return $r if $r->{status} and $r->{status} != 500 and $r->{status} != 503;
        die "$key is not told\n" if now() > $until;
        sleep 0.02;
    }
}

# with a key for every second request; what was told is told again, and is everywhere

sub issue {
    my ($http, $class, $amount, $name) = @_;
    my @request = ('POST', '/', grant($class, $amount, $name));
    return $http->ask(@request) if $name =~ /[13579]$/;
    my $r = until_told($http, $name, @request);
    return $r if $r->{status} != 201;
    if ($name =~ /[48]$/) {
        my $again = until_told($http, $name, @request);
        die "$name: $again->{status} $again->{body} after $r->{body}\n" if $again->{body} ne $r->{body};
    } else {
        my $id = $r->{json}{cert_id};
        my $there = $http->ask('GET', "/$id");
        die "$id: $there->{status} $there->{body}\n" if $there->{status} == 404;
    }
    return $r;
}

# a certificate that is transferred

sub transferred {
    my ($http, $class, $amount, $name) = @_;
    my $r = until_told($http, $name, 'POST', '/', grant($class, $amount, $name));
    die "$name: $r->{status} $r->{body}\n" if $r->{status} != 201;
    return until_told($http, "$name, moved", 'POST', '/transactions',
        transfer($r->{json}{cert_id}, $name, "$name to one" => 1, "$name to two" => $amount - 1));
}

# what is not known is no answer

sub unknown {
    my ($answer) = @_;
    return $answer if $answer->{status} != 500 or $answer->{body} !~ /"error":"outcome_unknown"/;
    return { %$answer, status => 0, error => 'unknown' };
}


# Faults. Each is of something that has no other one at that time, and returns what ends
# it, or nothing.

my %machine = (
    'killed' => sub {
        my ($server) = @_;
        $server->stop('KILL');
        return sub { $server->start };
    },
    'no master' => sub {
        my ($server) = @_;
        kill KILL => $server->{master};
        return sub { $server->stop('KILL'); $server->start };
    },
    'stopped' => sub {
        my ($server) = @_;
        kill STOP => -$server->{master};
        return sub { kill CONT => -$server->{master} };
    },
    'a worker stopped' => sub {
        my ($server) = @_;
        my @workers = $server->workers or return;
        my $pid = $workers[rand @workers];
        kill STOP => $pid;
        return sub { kill CONT => $pid };
    },
    'a worker killed' => sub {
        my ($server) = @_;
        my @workers = $server->workers or return;
        kill KILL => $workers[rand @workers];
        return;
    },
    'all workers killed' => sub {
        my ($server) = @_;
        kill KILL => $server->workers;
        return;
    },
    'reloaded' => sub {
        my ($server) = @_;
        kill HUP => $server->{master};
        return;
    },
);

my %member = (
    'killed' => sub {
        my ($m) = @_;
        $etcd->kill($m);
        return sub { $etcd->spawn($m) };
    },
    'stopped' => sub {
        my ($m) = @_;
        $etcd->signal($m, 'STOP');
        return sub { $etcd->signal($m, 'CONT') };
    },
);

sub relays {
    my ($how, @relays) = @_;
    $_->$how for @relays;
    return sub { $_->heal for @relays };
}

my @kinds = (
    map({ my $kind = $_; my $n = $kind =~ /worker/ ? 3 : 1;
        ([sub { my $i = int rand 3; return ("machine $i", "machine $i: $kind", sub { $machine{$kind}->($cluster->machine($i)) }) }]) x $n
    } sort keys %machine),
    map({ my $kind = $_;
        ([sub { my $m = int rand 3; return ("member $m", "member $m: $kind", sub { $member{$kind}->($m) }) }]) x 2
    } sort keys %member),
    map({ my $how = $_;
        [sub { my ($i, $m) = (int rand 3, int rand 3); return ("link $i", "link $i $m: $how", sub { relays($how, $cluster->link($i, $m)) }) }],
        [sub { my $i = int rand 3; return ("link $i", "links $i: $how", sub { relays($how, $cluster->links($i)) }) }],
        [sub { my $m = int rand 3; return ("peer $m", "peer $m: $how", sub { relays($how, $cluster->peer($m)) }) }],
    } qw(cut stall)),
);

my %active;     # what has a fault => [when it ends, what ends it]
my %happened;

sub heal {
    my ($now) = @_;
    for my $what (grep { !defined $now || $active{$_}[0] <= $now } sort keys %active) {
        my $end = (delete $active{$what})->[1];
        $end->();
    }
}

sub disturb {
    my ($what, $name, $begin) = $kinds[rand @kinds][0]->();
    return 0 if $active{$what};
    note($name) if $ENV{STOCKCERT_TALK};
    my $ends = $begin->();
    $active{$what} = [now() + 0.1 + rand 2, $ends] if $ends;
    $happened{$name =~ s/ \d//gr}++;
    return 1;
}

sub healed {
    heal();
    $etcd->wait_healthy;
    for my $server ($cluster->servers) {
        wait_for('all workers', sub { $server->ready });
    }
}


END { my $status = $?; diag($cluster->state) if $status; sleep 600 if $status and $ENV{STOCKCERT_HANG}; $? = $status }

my (@grants, @transfers);
my $rounds = 2;

while ($rounds-- > 0 or now() < $end) {
    my $anyone = $cluster->anyone($patience);
    my @loads = (
        Stockcert::Load->new($anyone, clients => 9, ask => \&issue),
        Stockcert::Load->new($anyone, clients => 3, ask => \&transferred, grants => sub { return ('PS', 2 + $_[1] % 5) }),
    );
    for (my $n = 0; $n < $faults;) {
        sleep rand 0.5;
        heal(now());
        $n += disturb();
    }
    healed();
    {
        local $Stockcert::TIMEOUT = 600;    # a slow machine may elect many times
        $_->progress(50) for @loads;
    }
    push @grants, map { unknown($_) } $loads[0]->stop;
    push @transfers, map { { %$_, reference => $_->{name} } } $loads[1]->stop;
    $cluster->settle;

    my $told = grep { $_->{status} == 201 } @grants;
    my @faults = map { my $i = $_; map { "machine $i: $_" } check_transactions($cluster->machine($i), \@grants, \@transfers) } $cluster->all;
    is_deeply(\@faults, [], "each ledger agrees with $told certificates and " . @transfers . ' transfers');
    is_deeply([$cluster->parted], [], 'and their journals are the same bytes');
    last if @faults;

    # all is killed, and begins again

    $_->stop('KILL') for $cluster->servers;
    $etcd->kill($_) for $etcd->all;
    $etcd->start_all;
    $_->start for $cluster->servers;
}

healed();
my @last = map { until_told($cluster->machine($_)->client, "last of $_", 'POST', '/', grant('CS', 1, "the last of $_")) } $cluster->all;
is_deeply([map { $_->{status} } @last], [201, 201, 201], 'after all were killed, each machine issues');
$cluster->settle;
is_deeply([$cluster->parted], [], 'and the journals are the same bytes');

my %other;
$other{$_->{status}}++ for grep { $_->{status} && $_->{status} !~ /^(?:201|503)$/ } @grants, @transfers;
is_deeply(\%other, {}, 'nothing but 201 and 503 was answered, or what is not known');
is_deeply([grep { !/exited on signal 9/ && /exited on signal/ } map { split /^/, $_->log } $cluster->servers], [], 'no worker crashed');
note(join ', ', map { "$happened{$_} $_" } sort keys %happened);
my %statuses;
$statuses{$_->{status} || $_->{error}}++ for @grants;
note(join ', ', map { "$statuses{$_} x $_" } sort keys %statuses);

done_testing();
