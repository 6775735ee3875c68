# A ledger that is full: 503 with Retry-After, reads go on, nothing is half
# issued, and issuing goes on as soon as there is room.

use strict;
use warnings;
use Test::More;
use Stockcert;

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
    issue($server) for 1 .. 20;
    is_deeply([check_ledger($server, \@told)], [], "$what: nothing is half issued");
    like($server->log, qr/\[crit\] .*stockcert ledger "acme" in /, "$what: the log says so");
    cmp_ok(scalar(my @lines = $server->log =~ /\[crit\]/g), '<', @refused / 2, "$what: but not for each");
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


SKIP: {
    my $disk = File::Temp->newdir;
    skip 'only root can make a small disk', 9
        if $> != 0 or system "mount -t tmpfs -o size=1m,mode=777 tmpfs $disk 2>/dev/null";

    chmod 0755, $disk;
    @told = ();
    eval {
        $server = Stockcert->new(http => block("$disk/acme", '1g'))->start;
        fills($server, 'disk');
        system "mount -o remount,size=8m $disk";
        goes_on($server, 'disk');
    };
    fail($@) if $@;
    system "umount -l $disk";
}

done_testing();
