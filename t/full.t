# A ledger that is full: 503 with Retry-After, reads go on, nothing is half
# issued, and issuing goes on as soon as there is room.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Disk;

sub block {
    my ($path, $size) = @_;
    return qq{stockcert_ledger acme { path "$path"; size $size; company "Acme Inc."; class CS 2600000 "Common Stock"; }};
}

my (@told, $n);

# a hundred requests of one client, one behind the other; returns the last answer

sub issue {
    my ($server) = @_;
    my $client = $server->client;
    my @names = map { sprintf '%s %d', 'x' x 240, ++$n } 1 .. 100;
    $client->send('POST', '/', grant('CS', 1, $_)) for @names;
    push @told, map { { %{$client->receive}, name => $_, class => 'CS', amount => 1 } } @names;
    return $told[-1];
}

sub fills {
    my ($server, $what) = @_;
    my $batches = 0;
    1 while ++$batches < 200 and issue($server)->{status} == 201;

    my @refused = grep { $_->{status} != 201 } @told;
    ok(@refused && @refused < @told, "$what: " . (@told - @refused) . ' are issued');
    is_deeply([grep { $_->{status} != 503 || $_->{body} !~ /"error":"ledger_full"/ || $_->{headers}{'retry-after'} ne '1' } @refused],
        [], "$what: all others are refused, to ask again later");
    is($server->client->ask('GET', '/CS-1')->{status}, 200, "$what: reads go on");
    issue($server) for 1 .. 5;
    is_deeply([check_ledger($server, \@told)], [], "$what: nothing is half issued");
    # the thread that commits logs after it has woken the clients
    wait_for('the log says so', sub { $server->log =~ /\[crit\] .*stockcert ledger "acme" in / });
    pass("$what: the log says so");
    @refused = grep { $_->{status} != 201 } @told;
    cmp_ok(scalar(my @lines = $server->log =~ /\[crit\]/g), '<', @refused / 2, "$what: but not for each of " . @refused);
}

sub goes_on {
    my ($server, $what) = @_;
    is(issue($server)->{status}, 201, "$what: with more room it goes on");
    is_deeply([check_ledger($server, \@told)], [], "$what: the ledger after that");
    is($server->stop, 0, "$what: nginx ends in order");
}


my $server = Stockcert->new(http => block('ledgers/acme', '1m'))->start;
fills($server, 'size');
$server->configure(http => block('ledgers/acme', '8m'));
$server->reload;
goes_on($server, 'size');



# A disk: tmpfs, where writes fail at once, and ext4 in a file, where pages are
# allocated late. Something else takes most of it, and leaves it later.

sub load_fills {
    my ($server, $what, $room) = @_;
    my $load = Stockcert::Load->new($server, grants => sub { return ('CS', 1) });
    my $refused = sub { Time::HiRes::sleep(0.1); return scalar grep { $_->{status} == 503 } $load->answers };
    wait_for('the disk is full', sub { $refused->() >= 100 });
    my $client = $server->client;
    is_deeply([map { $client->ask('GET', $_)->{status} } '/', '/CS-1', '/static'], [200, 200, 200],
        "$what, under load: reads go on");
    my $issued = sub { Time::HiRes::sleep(0.1); return scalar grep { $_->{status} == 201 } $load->answers };
    my $n = $issued->();
    $room->();
    wait_for('issuing goes on', sub { $issued->() > $n + 200 });
    my @answers = $load->stop;    push @told, @answers;
    my @refused = grep { $_->{status} != 201 } @answers;
    is_deeply([grep { $_->{status} != 503 || $_->{body} !~ /"error":"ledger_full"/ || $_->{retry_after} ne '1' } @refused],
        [], "$what, under load: " . $issued->() . ' are issued, ' . @refused . ' refused, to ask again later');
    is_deeply([check_ledger($server, \@told, lost => 'never')], [], "$what, under load: the ledger");
}

sub with_disk {
    my ($what, $size) = @_;
    SKIP: {
        my $mounted = Stockcert::Disk->new($size, $what) or skip "no small disk: not root, or no mounts here: $what", 14;
        my $disk = $mounted->{dir};
        chmod 0777, $disk;
        @told = ();
        my @other = map { "$disk/other $_" } 1 .. 3;
        eval {
            spew($_, 'x' x 500000) for @other[0, 1];
            my ($free) = `df --output=avail -B1 $disk` =~ /(\d+)\n\z/;
            spew($other[2], 'x' x ($free - 600000));
            my $server = Stockcert->new(http => block("$disk/acme", '1g'))->start;
            fills($server, $what);
            unlink $other[0];
            is(issue($server)->{status}, 201, "$what: with more room it goes on");
            load_fills($server, $what, sub { unlink $other[1] });
            unlink $other[2];      # the load may have filled the disk again
            goes_on($server, $what);
            is_deeply([grep { !/\[crit\] .*stockcert ledger "acme".*mdb_/ } $server->complaints], [], "$what: nothing else in the log");
        };
        fail($@) if $@;
    }
}

with_disk('tmpfs', 3 << 20);
with_disk('ext4', 5 << 20);

diag("$n requests while there was no room");
soak();
done_testing();
