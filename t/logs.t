# Input from a client or a file writes no lines into the error log, and sends no control
# sequences to a terminal. Its control characters are shown as \xNN.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $line = "2026/11/25 00:00:00 [emerg] 1#1: forged";

my $server = Stockcert->new(workers => 1, main => 'error_log info.log info;')->start;
my ($dir, $ledger) = ($server->{dir}, "$server->{dir}/ledgers/acme");

sub lines { return split /^/, slurp("$dir/info.log") . $server->log }

# a control character other than the newline that ends a line; or a line forged

sub raw { return grep { /[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|^\Q$line\E|^forged/ } map { split /^/ } @_ }


# a client

my $client = $server->client;
is($client->issue('CS', 7, 'the holder')->{status}, 201, 'a certificate');
my %bodies = (
    member => qq({"x\\n$line\\u001b[2J\\u009b":1}),
    class => qq({"name":"x","amount":1,"class":"\\n$line\\u001b\\u007f"}),
    key => qq({"name":"x","amount":1,"class":"CS"}),
);
for my $name (sort keys %bodies) {
    my @key = $name eq 'key' ? ("Idempotency-Key: \x1b[2J") : ();
    my $r = $client->ask('POST', '/', $bodies{$name}, @key);
    like($r->{status}, qr/^4\d\d$/, "$name: refused") or diag($r->{body});
}
$client->ask('GET', $_) for '/CS-1%0a', '/x%1b%0aforged', '/CS?after=%1b%0aforged', '/CS?after=1&x';
my $shown = '"x\x0a' . $line . '\x1b[2J\xc2\x9b"';
is(scalar(grep { /\[info\].*stockcert answers 422 invalid_grant: \Q$shown\E/ } lines()), 1, 'a member\'s name is shown escaped');
is_deeply([raw(lines())], [], 'a client: nothing raw in the log');
$server->stop;


# a file: its company, a title, a holder

my $whole = slurp("$ledger/data.mdb");
my %patches = (
    company => ['Acme Inc.', "A\x1b[2J\nfor"],
    title => ['Title of CS', "T\nforged\x1b[\x07"],
    'C1' => ['Title of CS', "Title \xc2\x9b2JJ"],
    holder => ['the holder', "the\nforged"],
);
for my $name (sort keys %patches) {
    my ($from, $to) = @{$patches{$name}};
    die "$name: another length\n" if length $from != length $to;
    (my $bytes = $whole) =~ s/\Q$from\E/$to/g or die "$name is not there\n";
    spew("$ledger/data.mdb", $bytes);

    for my $arg (['status', $ledger], ['log', $ledger], ['show', $ledger, 'CS-1'], ['verify', $ledger],
        ['cancel', $ledger, 'CS-9', '--reason', 'x'], ['backup', $ledger, "$dir/copy of $name"])
    {
        my ($status, $out, $err) = tool(@$arg);
        is_deeply([raw($out, $err)], [], "$name: stockcert $arg->[0]: nothing raw");
        is(scalar(() = $err =~ /\n/g), $status ? 1 : 0, "$name: stockcert $arg->[0]: one line, if any");
    }

    $server->start;
    $client = $server->client;
    $client->ask('GET', $_) for '/', '/CS', '/CS-1';
    $client->issue('CS', 1, 'after');
    $server->stop;
    is_deeply([raw(lines())], [], "$name: nothing raw in the log");
}
spew("$ledger/data.mdb", $whole);


# an argument that says what is not there

my ($status, undef, $err) = tool('show', $ledger, "X\x1b\nforged-1");
is("$status $err", "1 stockcert: the ledger has no class X\\x1b\\x0aforged\n", 'an argument is shown escaped');

done_testing;
