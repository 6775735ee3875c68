# Memory fails after a certificate is issued. The client is told that the outcome is not
# known, in a problem document, or its connection is closed. It never gets nginx's own
# answer for any failure.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Checks;

my $server = Stockcert->new(workers => 1, flushes => 1)->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate || -T ($ENV{TEST_NGINX_BINARY} || '');

my @all;
my $failures = sub { return scalar grep { "@$_[0, 1]" eq 'failed memory' } $server->gate_log };

# One grant. When its flush is held, it has all the memory that it needed before. From
# then on the nth allocation fails, or all. Returns the result, and whether any
# allocation failed.

sub failing {
    my ($what, $n) = @_;
    my $name = "allocation $n $what fails";
    my $client = $server->client;
    $server->hold('fdatasync');
    $client->send('POST', '/', grant('CS', 1, $name));
    $server->held('fdatasync');
    my $before = $failures->();
    $server->set_gate(fail => 'memory', $n);
    $server->release('fdatasync');
    my $r = $client->receive;
    my $failed = $failures->() - $before;
    $server->release('memory');
    push @all, told($r, $name, 'CS', 1);
    my $told = join ' ', $r->{status} || $r->{error}, $r->{json}{error} // (), $r->{headers}{'content-type'} // ();
    return ($told, $failed);
}

# the size of the request's pool decides what fits into it, and what is allocated

my ($unknown, $issued) = ('500 outcome_unknown application/problem+json', '201 application/json');
my %unknown;
for my $size (112, 128, 160, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096) {
    $server->stop;
    $server->configure(location => "request_pool_size $size; location / { stockcert; }")->start;
    my ($n, %told) = (0);
    while (1) {
        my ($told, $failed) = failing("of a pool of $size", ++$n);
        last if !$failed or $n == 100;
        push @{$told{$told}}, $n;
    }
    note("pool of $size: $_: @{$told{$_}}") for sort keys %told;
    cmp_ok($n, '<', 100, "pool of $size: an answer needs more memory @{[$n - 1]} times");
    is_deeply([grep { $_ ne $unknown && $_ ne $issued && $_ ne 'closed' } keys %told], [], 'that this is not known, 201, or none: no other answer');
    $unknown{$size} = $told{$unknown} if $told{$unknown};

    my ($told) = failing("of a pool of $size", -1);
    ok($told eq 'closed' || $told eq $issued, "no memory at all: $told");
    my $name = "after a pool of $size";
    push @all, told($server->client->issue('CS', 1, $name), $name, 'CS', 1);
    is($all[-1]{status}, 201, 'then it goes on');
}
cmp_ok(scalar(keys %unknown), '>', 0, 'the client was told that this is not known, with pools of ' . join ' ', sort { $a <=> $b } keys %unknown);

# all are issued, whatever their clients were told

my @known = grep { $_->{status} == 201 } @all;
is_deeply([check_ledger($server, \@known)], [], 'the ledger');
my %there = map { $_->{stakeholder} => 1 } @{(Stockcert::read_ledger($server))[1]};
is_deeply([grep { !$there{$_->{name}} } @all], [], 'all of them are issued');

is($server->stop, 0, 'nginx ends in order');
ok($server->log !~ /exited on signal/, 'no worker crashed');
is_deeply([grep { !/Cannot allocate memory/ } $server->complaints], [], 'nothing else in the log');

done_testing();
