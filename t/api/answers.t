# Every answer that docs/openapi.yaml has, once: each operation, status, error and form. The
# first ones are the document's examples. scripts/test-api runs it, and holds what it was
# answered against the document.

use strict;
use warnings;
use Errno qw(EIO ENOSPC);
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Transactions;

my $server = Stockcert->new(workers => 1, connections => 4096, flushes => 1, main => 'worker_rlimit_nofile 4096;',
    http => <<'END_HTTP', location => <<'END_LOCATION')->start;
stockcert_ledger acme {
    path     ledgers/acme;
    size     1g;
    company  "Impossible Cuts Inc.";
    class    CS 2600000 "Common Stock";
    class    PS  750000 "Preferred Stock";
}
stockcert_ledger gone { path ledgers/gone; create off; company "Gone Inc."; class CS 1 "Common Stock"; }
END_HTTP
location /      { stockcert acme; stockcert_transactions on; }
location /off/  { stockcert acme; }
location /gone/ { stockcert gone; stockcert_transactions on; }
END_LOCATION
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;
my $client = $server->client;
my $html = 'Accept: text/html';

sub answer {
    my ($expected, @request) = @_;
    my $r = $client->ask(@request);
    my $what = substr join(' ', map { $_ // '' } @request), 0, 100;
    is(join(' ', $r->{status}, $r->{json}{error} // ()), $expected, $what);
    return $r;
}

# as JSON, and as a page

sub both {
    my ($expected, $method, $uri, $body, @headers) = @_;
    answer($expected, $method, $uri, $body, @headers);
    answer($expected =~ s/ .*//r, $method, $uri, $body, @headers, $html);
}


# The examples: the document's requests, in this order

my $plain = '{"name":"Salt Bae","amount":10,"class":"CS"}';
answer(201, 'POST', '/', $plain);
answer(201, 'POST', '/', '{"name":"Jane Doe","amount":200,"class":"CS","holder_id":"jane","address":"1 Main Street, Springfield",'
    . '"capacity":"custodian for John Doe","price":"0.0001 USD","effective":"2024-11-20","reference":"Board resolution 2024-11-20"}');
answer(201, 'POST', '/', $plain) for 3, 4;
my $transfer = '{"type":"transfer","from":["CS-1"],"to":[{"name":"Bob","amount":4}],"reference":"Stock transfer agreement 2026-11-20"}';
answer(201, 'POST', '/transactions', $_) for
    $transfer,
    '{"type":"reissue","from":["CS-3"],"reason":"lost","reference":"Affidavit of loss 2026-11-20"}',
    '{"type":"repurchase","from":["CS-4"],"amount":2,"price":"0.01 USD","reference":"Repurchase agreement 2026-11-20"}',
    '{"type":"cancel","from":["CS-6"],"reference":"Board resolution 2026-11-20"}',
    '{"type":"correct","from":["CS-2"],"corrects":4,"to":[{"name":"Jane Roe","amount":200}],"reference":"The name was misspelt"}';
answer(200, 'GET', $_) for '/', '/CS?after=4&limit=2', '/CS-1', '/CS-5', '/CS-6', '/transactions?limit=1', '/transactions/7';


# What is read

my %missing = ('/CS' => '/XX', '/CS-1' => '/CS-99', '/CS.html' => '/XX.html', '/CS-1.html' => '/CS-99.html',
    '/transactions' => '/off/transactions', '/transactions/7' => '/transactions/1');
for my $uri ('/', '/CS', '/CS-1', '/CS.html', '/CS-1.html', '/transactions', '/transactions/7') {
    for my $method ('GET', 'HEAD') {
        my $told = sub { $method eq 'GET' ? $_[0] : $_[0] =~ s/ .*//r };
        both($told->(200), $method, $uri, undef);
        both($told->(304), $method, $uri, undef, 'If-None-Match: *');
        both($told->('400 bad_parameter'), $method, "$uri?x=1", undef);
        both($told->('404 not_found'), $method, $missing{$uri}, undef) if $missing{$uri};
        both($told->('412 precondition_failed'), $method, $uri, undef, 'If-Match: "x"');
        both($told->('503 ledger_unavailable'), $method, "/gone$uri", undef);
    }
    both('405 method_not_allowed', 'DELETE', $uri, undef);
    both('405 method_not_allowed', 'OPTIONS', $uri, undef);
}
both('404 not_found', 'GET', '/nowhere', undef);
both('404 not_found', 'DELETE', '/nowhere', undef);


# What is posted

for ([ '/', $plain, '{}', 'invalid_grant', 16 << 10], ['/transactions', $transfer, '{"type":"sell"}', 'invalid_transaction', 128 << 10]) {
    my ($uri, $body, $bad, $invalid, $most) = @$_;
    my @json = 'Content-Type: application/json';
    both('400 not_json', 'POST', $uri, '{"name":');
    both('400 member_twice', 'POST', $uri, substr($body, 0, -1) . ',' . substr $body, 1);
    both('400 body_missing', 'POST', $uri, undef, @json);
    both('400 bad_idempotency_key', 'POST', $uri, $body, 'Idempotency-Key: ');
    both('412 precondition_failed', 'POST', $uri, $body, 'If-None-Match: *');
    both('413 body_too_large', 'POST', $uri, ' ' x ($most + 1));
    both('415 unsupported_media_type', 'POST', $uri, undef, 'Content-Length: 0');
    both('415 unsupported_encoding', 'POST', $uri, $body, 'Content-Encoding: gzip');
    both("422 $invalid", 'POST', $uri, $bad);
    both('503 ledger_unavailable', 'POST', "/gone$uri", $body);
}
both('400 bad_parameter', 'POST', '/transactions?x=1', $transfer);
both('403 insufficient_shares', 'POST', '/', '{"name":"Salt Bae","amount":3000000,"class":"CS"}');
both('409 not_outstanding', 'POST', '/transactions', $transfer);
both('404 not_found', 'POST', '/transactions', '{"type":"cancel","from":["CS-99"],"reference":"Board resolution 2026-11-20"}');

# keys, whose certificate is there, and then no longer

my @key = 'Idempotency-Key: 0190a2e4-5f0c-7d3e-9a1b-2c3d4e5f6071';
my $id = answer(201, 'POST', '/', $plain, @key)->{json}{cert_id};
is(answer(201, 'POST', '/', $plain, @key)->{headers}{'idempotent-replayed'}, 'true', 'replayed');
both('422 idempotency_key_reused', 'POST', '/', '{"name":"Salt Bae","amount":11,"class":"CS"}', @key);
both('422 idempotency_key_reused', 'POST', '/transactions', transfer($id, 'reused', Bob => 1), @key);
@key = 'Idempotency-Key: "a transaction"';
for my $replayed (undef, 'true') {
    is(answer(201, 'POST', '/transactions', transfer($id, 'of a key', Bob => 10), @key)->{headers}{'idempotent-replayed'}, $replayed, 'replayed');
}
is(answer(201, 'POST', '/', $plain, 'Idempotency-Key: 0190a2e4-5f0c-7d3e-9a1b-2c3d4e5f6071')->{json}{status}, 'surrendered', 'replayed, and surrendered');
@key = 'Idempotency-Key: "cancelled"';
$id = answer(201, 'POST', '/', $plain, @key)->{json}{cert_id};
answer(201, 'POST', '/transactions', qq({"type":"cancel","from":["$id"],"reference":"Board resolution 2026-11-20"}));
my ($replayed, $read) = map { $_->{json} } answer(201, 'POST', '/', $plain, @key), answer(200, 'GET', "/$id");
ok(delete $read->{cancelled_at} && delete $read->{reason}, 'a GET tells when and why it was cancelled');
is_deeply($replayed, $read, 'a replay all but that');


# Disks that fail: a request has no room, or its commit is done, and then nothing can be
# written or read again

for my $uri ('/', '/transactions') {
    for my $case (['503 ledger_full'], ['503', $html], ['500 outcome_unknown'], ['500', $html]) {
        my ($expected, @accept) = @$case;
        my $from = answer(201, 'POST', '/', $plain)->{json}{cert_id};
        my $full = $expected =~ /^503/;
        my @calls = $full ? 'fdatasync' : qw(fdatasync written restore);
        $server->hold('written') if !$full;
        $server->fail('fdatasync', ENOSPC) if $full;
        $client->send('POST', $uri, $uri eq '/' ? $plain : transfer($from, 'of a disk', Bob => 1), @accept);
        if (!$full) {
            $server->held('written');
            $server->fail($_, EIO) for @calls;
            unlink "$server->{gate}/hold-written";
        }
        my $r = $client->receive;
        is(join(' ', $r->{status}, $r->{json}{error} // ()), $expected, "POST $uri, and the disk fails");
        $server->release(@calls);
        wait_for('the ledger is open', sub { return $client->ask('POST', '/', $plain)->{status} == 201 });
    }
}


# More than may wait

{
    my $slots = 1024;       # STOCKCERT_LANE_SLOTS
    my @from = map { answer(201, 'POST', '/', $plain)->{json}{cert_id} } 1 .. 18;
    my @waiting = map { $server->client } 1 .. 16;
    my $held = $server->client;
    $server->hold('fdatasync');
    $held->send('POST', '/', $plain);
    $server->held('fdatasync');
    my $load = Stockcert::Load->new($server, clients => 4, crowd => 300);
    wait_for('answers to the surplus', sub { return scalar($load->answers) >= 1200 - ($slots - 1) });
    both('503 too_many_waiting', 'POST', '/', $plain);
    $waiting[$_]->send('POST', '/transactions', transfer($from[$_], "waits $_", Bob => 1)) for 0 .. 15;
    $server->taken_up(@waiting);
    both('503 too_many_waiting', 'POST', '/transactions', transfer($from[16], 'has no room', Bob => 1));
    $server->release('fdatasync');
    is_deeply([map { $_->receive->{status} } $held, @waiting], [(201) x 17], 'those who waited are served');
    $load->finish;
}
is($server->stop, 0, 'nginx ends in order');

done_testing;
