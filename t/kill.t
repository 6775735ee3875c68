# kill -9 at random, under load, hundreds of times: a worker, the master and later its
# workers, or all at once. There are 20 clients. Each asks with an Idempotency-Key every
# second time, and repeats that request until it is answered. It asks once without a
# key. STOCKCERT_SOAK=minutes goes on that long.

use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;

my $seed = $ENV{STOCKCERT_SEED} // time;
my $minutes = $ENV{STOCKCERT_SOAK} // 0;
srand $seed;
note("STOCKCERT_SEED=$seed");
alarm 1800 + 120 * $minutes;

my $rounds = 200;
my $end = now() + 60 * $minutes;

# One in four that was told asks once more, and must be told the same.

sub ask {
    my ($http, $class, $amount, $name, $uri) = @_;
    return $http->issue($class, $amount, $name, $uri) if $name =~ /[13579]$/;
    my $until = now() + 10 * $Stockcert::TIMEOUT;
    my $told;
    for (1 .. ($name =~ /[48]$/ ? 2 : 1)) {
        my $r;
        until ($r and $r->{status} and $r->{status} != 500 and $r->{status} != 503) {
            sleep 0.01 if $r;
            die "$name is not told\n" if now() > $until;
            $r = $http->ask('POST', $uri, grant($class, $amount, $name), "Idempotency-Key: $name");
        }
        die "$name: $r->{status} $r->{body} after $told->{body}\n" if $told and $r->{body} ne $told->{body};
        $told = $r;
    }
    return $told;
}

# If two leaders are killed in the same batch, clients without a key are told that the
# outcome is not known. That is no answer.

sub unknown {
    my ($answer) = @_;
    return $answer if $answer->{status} != 500 or $answer->{body} !~ /"error":"outcome_unknown"/;
    return { %$answer, status => 0, error => 'unknown' };
}

my (%killed, @told);
my $server = Stockcert->new(workers => 3, listen => 'reuseport', http => ledger('acme', CS => '9000000000000000', PS => '9000000000000000'))->start;

# one after the other in any order, with a little time between

sub kill_all {
    my %left = $server->processes;
    while (my ($pid) = sort { rand() <=> 0.5 } keys %left) {
        kill KILL => $pid;
        delete $left{$pid};
        sleep rand 0.02;
    }
    $server->stop('KILL');
    $server->start;
}

my %kinds = (
    worker => sub {
        my @workers = $server->workers or return;
        kill KILL => $workers[rand @workers];
    },
    two => sub {
        my @workers = $server->workers;
        kill KILL => @workers[0, -1] if @workers;
    },
    master => sub {
        kill KILL => $server->{master};
        sleep rand 0.02;
        kill_all();
    },
    all => sub {
        $server->stop('KILL');
        $server->start;
    },
);
my @kinds = (('worker') x 12, ('two') x 3, 'master', 'all');

while ($rounds > 0 or now() < $end) {
    my $load = Stockcert::Load->new($server, ask => \&ask, uri => '/');
    for (1 .. 100) {
        my $kind = $kinds[rand @kinds];
        sleep rand 0.03;
        $kinds{$kind}->();
        $killed{$kind}++;
        $rounds--;
    }
    wait_for('all workers', sub { $server->ready });
    $load->progress(100);
    push @told, map { unknown($_) } $load->stop;
    my @faults = check_ledger($server, \@told);
    is_deeply(\@faults, [], 'the ledger agrees with ' . grep({ $_->{status} == 201 } @told) . ' certificates told');
    last if @faults;
}

my @other = grep { $_->{status} && $_->{status} != 201 } @told;
is_deeply([map { "$_->{status} $_->{name}" } @other], [], 'nothing but 201 was answered');
my @lost = grep { !$_->{status} && $_->{name} } @told;
is_deeply([grep { $_->{name} !~ /[13579]$/ } @lost], [], 'who asked with a key was told');
my ($inventory, $certificates) = Stockcert::read_ledger($server);
my %issued = map { $_->{stakeholder} => 1 } @$certificates;
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
note(sprintf '%s; %d certificates, %d of them with a key; %d answers lost, %d of which were issued',
    join(', ', map { "$_: $killed{$_} kills" } sort keys %killed), scalar @$certificates,
    scalar(grep { $_->{stakeholder} !~ /[13579]$/ } @$certificates), scalar @lost,
    scalar(grep { $issued{$_->{name}} } @lost));
$server->stop;

done_testing();
