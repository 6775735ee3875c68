# What nginx -t says in cases that t/config.t cannot have: limits of the process, and
# configurations that are right, but may not be what is meant.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $server = Stockcert->new(workers => 1)->start;
is($server->client->issue('CS', 1)->{status}, 201, 'issued, with a size of 1g');
$server->stop;


# A limit of the address space, which a ledger's size takes up. nginx -t says what to
# do, and so does each process that meets it later.
# It is in kilobytes: the size is 1048576 of them, the rest is for the process itself.

sub limited {
    my ($limit, @command) = @_;
    open my $out, '-|', 'sh', '-c', "ulimit -v $limit && exec \"\$@\" 2>&1", 'sh', @command or die "sh: $!\n";
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($?, $text);
}

SKIP: {
    my ($status, $out) = limited(1000000, $ENV{STOCKCERT}, '--help');
    skip 'there is no room for a process', 1 if $status;

    ($status, $out) = limited(1000000, $server->command('-t'));
    isnt($status, 0, 'refused by nginx -t');
    like($out, qr/\[emerg\].*stockcert ledger "acme" needs 1073741824 bytes of address space.*ulimit -v.*\(12: /, 'which says what to do');

    ($status, $out) = limited(1000000, $ENV{STOCKCERT}, 'status', "$server->{dir}/ledgers/acme");
    is($status >> 8, 3, 'the tool cannot either');
    like($out, qr/takes as much address space as its size: raise what .*ulimit -v/, 'and says what to do');
}

is((tool('status', "$server->{dir}/ledgers/acme"))[0], 0, 'without a limit it can');


# what a location does not inherit

my $inside = 'is inside the one with "stockcert" in \S+/nginx\.conf:\d+, and does not inherit it';

for (['/c/d/', 'add_header X y;'], ['\.txt$', '', '~ '], ['/c/d', '', '= '], ['/c/d/', 'location /c/d/e/ { }']) {
    my ($name, $text, $kind) = (@$_, '');
    $server->{location} = "location /c/ { stockcert; location $kind$name { $text } }";
    my ($status, $out) = $server->run('-t');
    is($status, 0, "$kind$name { $text } is right");
    like($out, qr/\[warn\].*location "\Q$name\E" $inside\n/, 'but may not be meant');
    is(() = $out =~ /\[warn\]/g, 1, 'which is told once');
}
for my $text ('if ($arg_x) { set $x 1; }', 'limit_except GET { deny all; }', 'location /c/d/ { stockcert; if ($arg_x) { set $x 1; } }',
    'location /c/d/ { proxy_pass http://127.0.0.1:1; }', '} location /d/ {')
{
    $server->{location} = "location /c/ { stockcert; $text }";
    my ($status, $out) = $server->run('-t');
    is($status, 0, "$text is right");
    unlike($out, qr/\[warn\]/, 'and meant');
}

done_testing();
