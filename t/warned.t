# What the error log says without being asked: the version, file systems that are not
# for ledgers, a clock that is behind, a thread pool that is too small. It says each
# once, not in floods.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Checks;
use Stockcert::Tool;

# The file system is what a file says, in hexadecimal.

sub build_statfs {
    my ($dir) = @_;
    spew("$dir/statfs.c", <<'END');
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
int statfs(const char *path, struct statfs *fs)
{
    unsigned  type = 0;
    FILE     *file = fopen(TYPE, "r");
    memset(fs, 0, sizeof(*fs));
    if (file == NULL || fscanf(file, "%x", &type) != 1) { type = 0; }
    if (file) { fclose(file); }
    fs->f_type = type;
    return 0;
}
END
    system('cc', '-shared', '-fPIC', "-DTYPE=\"$dir/type\"", '-o', "$dir/statfs.so", "$dir/statfs.c") == 0 or die "cc failed\n";
    return "$dir/statfs.so";
}

sub lines { my ($server, $like) = @_; return grep { /$like/ } split /^/, $server->log }


# The version: nginx's log, the tool and CHANGES say the same

{
    my $server = Stockcert->new->start;
    my $version = tool_out('--version');
    my ($name) = $version =~ /\A(stockcert \d+\.\d+\.\d+), ledger format \d+, LMDB \d+\.\d+\.\d+\n\z/;
    my @lines = lines($server, 'ledger format');
    is(scalar(@lines), 1, 'one line says the version, with two workers');
    like($lines[0], qr/\[notice\] \S+ \Q$version\E\z/, 'it is the line of --version');
    is((slurp('CHANGES') =~ /\AChanges with (stockcert \S+),/)[0], $name, 'CHANGES begins with this version');
    $server->stop;
    unlike(($server->run('-t'))[1], qr/ledger format/, 'nginx -t does not say it');
}

SKIP: {
    my $server = Stockcert->new(workers => 2, flushes => 1);
    local $ENV{LD_PRELOAD} = join ':', build_statfs($server->{dir}), $ENV{LD_PRELOAD} // ();
    my %said = (
        '6969' => 'nfs: if two machines ever open it, it is damaged; put it on a disk of this machine',
        '65735546' => 'fuse: if two machines ever open it, it is damaged; put it on a disk of this machine',
        '01021994' => 'tmpfs: it is lost when the machine stops; put it on a disk',
        'ef53' => undef,
        '1' => undef,
    );
    for my $type (sort keys %said) {
        spew("$server->{dir}/type", $type);
        unlink "$server->{dir}/error.log";
        $server->start;
        skip 'TEST_NGINX_BINARY takes the LD_PRELOAD away', 1 if !$server->has_gate;
        is($server->client->issue('CS', 1)->{status}, 201, "$type: issued all the same");
        my @lines = lines($server, 'is on ');
        is(scalar(@lines), defined $said{$type} ? 1 : 0, "$type: so many lines, for two workers");
        like($lines[0], qr/\[warn\].*stockcert ledger "acme" in "\S+\/ledgers\/acme" is on \Q$said{$type}\E$/, "$type: what it is") if @lines;
        $server->stop;
    }
    spew("$server->{dir}/type", '6969');
    my (undef, $out) = $server->run('-t');
    unlike($out, qr/is on nfs/, 'nginx -t looks at no ledger');
}


# A clock that is behind the journal: times stand still, which is told once

SKIP: {
    my $server = Stockcert->new(workers => 1, flushes => 1)->start;
    skip 'TEST_NGINX_BINARY takes the LD_PRELOAD away', 1 if !$server->has_gate;
    my $client = $server->client;
    my $start = now();
    $server->set_clock(3600);
    is($client->issue('CS', 1)->{status}, 201, 'the clock is ahead') for 1 .. 3;
    is(scalar(lines($server, 'the clock is')), 0, 'which nobody can know');
    $server->set_clock(-3600);
    is($client->issue('CS', 1)->{status}, 201, 'the clock is set back') for 1 .. 10;
    my @lines = lines($server, 'the clock is');
    is(scalar(@lines), 1, 'one line');
    my ($behind) = $lines[0] =~ /\[error\].*stockcert ledger "acme" in "\S+": the clock is (\d+) s behind the last entry/;
    my $least = int(7200 - (now() - $start));
    ok(defined $behind && $behind >= $least && $behind <= 7200, 'which says how far: two hours, but for what has passed') or diag($lines[0]);
    quiet($server);
    $server->stop;
}


# A damaged entry, which readers find as often as they like: it is not among the last
# ones, so the ledger opens

{
    my $server = Stockcert->new(workers => 1)->start;
    my $client = $server->client;
    $client->issue('CS', 1, 'damaged here');
    $client->issue('CS', 1) for 1 .. 600;
    open my $file, '+<:raw', "$server->{dir}/ledgers/acme/data.mdb" or die "data.mdb: $!\n";
    my $text = do { local $/; <$file> };
    for (my $at = -1; ($at = index $text, 'damaged here', $at + 1) >= 0;) {
        seek $file, $at, 0;
        print $file "\xff";
    }
    close $file or die "data.mdb: $!\n";
    my ($start, $found) = (now(), 0);
    for (1 .. 2000) {
        $found++ if $client->ask('GET', '/CS-1')->{status} != 503;
    }
    is($found, 0, 'a damaged entry is not shown');
    my @lines = lines($server, 'damaged');
    cmp_ok(scalar(@lines), '<=', 2 + 2 * (now() - $start), 'a line a second, not one for each reader');
    cmp_ok(scalar(@lines), '>=', 1, 'which says so');
    $server->stop;
}


# A number of shares in the configuration: one that was authorized before an amendment
# is out of date, another one may be for an amendment to come

{
    my $server = Stockcert->new(workers => 2, http => ledger('acme', CS => 100))->start;
    my $ledger = "$server->{dir}/ledgers/acme";
    tool_out(authorize => $ledger, 'CS', $_, '--reference', 'a resolution') for 300, 200;
    is(scalar(lines($server, 'as configured|are configured')), 0, 'not a word before a reload');
    $server->reload;
    my $date = 'has 200 authorized shares of class CS since it was amended, and 100 are configured, as were authorized before: the configuration is out of date, change it';
    wait_for('the log says so', sub { lines($server, $date) });
    $server->stop;

    for ([300, qr/has 200 authorized shares of class CS since it was amended, and 300 are configured, as were/], [250, qr/has 200 .*, not 250 as configured; to amend it: stockcert authorize \Q$ledger\E CS 250/]) {
        my ($shares, $says) = @$_;
        my $other = Stockcert->new(workers => 1, http => ledger('acme', CS => $shares) =~ s{ledgers/acme}{$ledger}r)->start;
        is($other->client->ask('GET', '/')->{json}{classes}[0]{authorized}, 200, "$shares are configured: 200 stay");
        is(scalar(lines($other, $says)), 1, "$shares: the log says what to do");
        $other->stop;
    }
    like(tool_out('verify', $ledger), qr/^all is in order: 3 entries,/, 'verify');
}


# A thread pool that is too small: all are issued, and nginx's own line of it does
# not come for each try

{
    my $n = 70;
    my $server = Stockcert->new(workers => 1, main => 'thread_pool default threads=1 max_queue=1;',
        http => join('', map { ledger("l$_", CS => 1e6) } 1 .. $n), location => join("\n", map { "location /l$_/ { stockcert l$_; }" } 1 .. $n))->start;
    my $start = now();
    my @clients = map { $server->client } 1 .. $n;
    my %status;
    for my $round (1 .. 20) {
        $clients[$_ - 1]->send('POST', "/l$_/", grant('CS', 1)) for 1 .. $n;
        $status{$_->receive('POST')->{status}}++ for @clients;
    }
    is_deeply(\%status, { 201 => 20 * $n }, 'all ledgers are committed');
    my $seconds = now() - $start;
    my @lines = lines($server, 'thread pool');
    cmp_ok(scalar(@lines), '<=', 10 + 2 * $seconds, 'a line or two a second, not one for each try');
    cmp_ok(scalar(@lines), '>=', 1, 'but not none');
    is($server->client->ask('GET', "/l$_/")->{json}{classes}[0]{certificates}, 20, "l$_ has all") for 1, $n;
    quiet($server);
    $server->stop;
}

done_testing();
