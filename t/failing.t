# A disk fails in a commit. What was not issued is refused, and what was issued is
# answered. If neither is known, the answer says so. The ledger is opened again by
# itself, and agrees with all answers.

use strict;
use warnings;
use Errno qw(EIO);
use Test::More;
use Stockcert;
use Stockcert::Checks;

my $server = Stockcert->new(flushes => 1, listen => 'reuseport')->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;
my @all;

# the ledger with all answers, but 500: it says that the certificate may be there or not

sub agrees {
    my ($what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @known = grep { $_->{status} != 500 } @all;
    my %of = $server->clients_of_workers($server->{workers});
    wait_for('every worker has it open', sub { return !grep { $_->ask('GET', '/')->{status} != 200 } values %of });
    is_deeply([check_ledger($server, \@known, lost => 'never')], [], "$what: the ledger");
}

# under load, for a second or more; returns the answers but 201, by status and error

sub fails {
    my ($what, @calls) = @_;
    my $load = Stockcert::Load->new($server, clients => 10);
    $load->progress(20);
    $server->fail($_, EIO) for @calls;
    my $failed = sub { return scalar grep { $_->[0] eq 'failed' && $_->[1] eq $calls[0] } $server->gate_log };
    wait_for('it fails', $failed);
    Time::HiRes::sleep(1);
    my $meanwhile = $server->client->ask('GET', '/static')->{status};
    $server->release(@calls);
    my $issued = sub { return scalar grep { $_->{status} == 201 } $load->answers };
    my $n = $issued->();
    wait_for('issuing goes on', sub { $issued->() >= $n + 50 });
    my @answers = $load->stop;
    push @all, @answers;

    my (%status, @faults);
    for (@answers) {
        my ($error) = $_->{body} =~ /"error":"(\w+)"/;
        $status{"$_->{status}$_->{error}" . ($error ? " $error" : '')}++;
        push @faults, $_->{body} if $_->{status} == 503 and $_->{retry_after} ne '1';
    }
    my $n_failed = $failed->();
    is_deeply(\@faults, [], "$what: " . join ', ', "$n_failed calls failed", map { "$status{$_} x $_" } sort keys %status);
    is($meanwhile, 200, "$what: another location is served meanwhile");

    agrees($what);
    delete $status{201};
    return keys %status;
}

my %refused = map { $_ => 1 } '503 ledger_unavailable', '500 outcome_unknown';
for my $case (['the flush', 'fdatasync'], ['the last step', 'pwrite']) {
    is_deeply([grep { !$refused{$_} } fails(@$case)], [], "$case->[0]: those who fail are told so");
}

# the last step is done, but the disk reports an error, and LMDB cannot undo the step

is_deeply([grep { !$refused{$_} } fails('done, though failed', qw(written restore))], [], 'done, though failed: no other answer');


# One request whose last step fails, of a ledger that can then be opened, or not

sub one {
    my ($what, $calls, $open) = @_;
    $server->hold('fdatasync');
    my $client = $server->client;
    $client->send('POST', '/', grant('CS', 1, $what));
    $server->held('fdatasync');
    $server->fail($_, EIO) for @$calls;
    my $path = "$server->{dir}/ledgers/acme";
    rename $path, "$path.away" if !$open;
    $server->release('fdatasync');
    my $r = $client->receive;
    if (!$open) {
        is($server->client->ask('GET', '/static')->{status}, 200, "$what: another location is served");
        rename "$path.away", $path or die "rename: $!\n";
    }
    $server->release(@$calls);
    my $n = 0;
    wait_for('it issues', sub {
        my $name = "after $what " . $n++;
        push @all, told($server->client->issue('CS', 1, $name), $name, 'CS', 1);
        return $all[-1]{status} == 201;
    });
    push @all, told($r, $what, 'CS', 1);
    agrees($what);
    my $there = grep { $_->{stakeholder} eq $what } @{(Stockcert::read_ledger($server))[1]};
    return ("$r->{status} " . ($r->{json}{error} // ''), $there);
}

$server->stop;
$server->configure(workers => 1)->start;
is_deeply([one('not written', ['pwrite'], 1)], ['503 ledger_unavailable', 0], 'not written: refused, and not there');
is_deeply([one('written', [qw(written restore)], 1)], ['201 ', 1], 'written: told, and there');
my ($answer, $there) = one('not written, then away', ['pwrite'], 0);
is($answer, '500 outcome_unknown', "not written, then away: it is not known; it is there $there times");
($answer, $there) = one('written, then away', [qw(written restore)], 0);
is("$answer $there", '500 outcome_unknown 1', 'written, then away: it is not known, and there');


# A disk does not flush any more. Nobody waits for ever, and the worker does not try all
# the time.

$server->fail('fdatasync', EIO);
my $client = $server->client;
$client->send('POST', '/', grant('CS', 1, 'not flushed'));
wait_for('an answer, while the disk still fails', sub { $client->has_answer });
is($client->receive->{json}{error}, 'outcome_unknown', 'no flush any more: this is told');
my $failed = sub { return scalar grep { "@$_[0, 1]" eq 'failed fdatasync' } $server->gate_log };
my $start = now();
my $before = $failed->();
like($server->client->issue('CS', 1, 'in a pause or after it')->{json}{error}, qr/^(?:ledger_unavailable|outcome_unknown)$/,
    'who comes then is told to come again, or that it is not known');
sleep 3;
my $tries = $failed->() - $before;
my $seconds = now() - $start;
cmp_ok($tries, '<', 3 * $seconds + 1, sprintf "no flush any more: $tries tries in %.1f seconds", $seconds);
$server->release('fdatasync');
wait_for('it issues', sub { $server->client->issue('CS', 1, 'flushed again ' . now())->{status} == 201 });
agrees('no flush any more');

ok($server->log !~ /exited on signal/, 'no worker crashed');
is_deeply([grep { !/\[crit\] .*stockcert ledger "acme" in / } $server->complaints], [], 'nothing else in the log');
is($server->stop, 0, 'nginx ends in order');

diag(scalar(@all) . ' answers while the disk failed');
soak();
done_testing();
