# "error_page" and the module's answers: those are whole, and are not replaced. nginx's
# own answers in such a location can be made problems.

use strict;
use warnings;
use Test::More;
use Stockcert;

my $server = Stockcert->new(workers => 1, http => ledger('acme') . 'limit_req_zone $uri zone=one:1m rate=1r/m;', location => <<'END_LOCATION')->start;
error_page 400 403 404 405 413 415 422 503 @problem;
location / {
    stockcert;
    client_max_body_size 1k;
    location /denied { stockcert; deny all; }
    location /seldom { stockcert; limit_req zone=one; }
}
location @problem {
    default_type  application/problem+json;
    add_header    Cache-Control no-store always;
    return        400 '{"type":"about:blank","status":$status}';
}
END_LOCATION
my $client = $server->client;

my $grant = grant('CS', 1);
for (
    [404, 'not_found', 'GET', '/CS-1'],
    [405, 'method_not_allowed', 'PUT', '/'],
    [400, 'not_json', 'POST', '/', '{'],
    [422, 'invalid_grant', 'POST', '/', '{}'],
    [403, 'insufficient_shares', 'POST', '/', grant('CS', 2600001)],
) {
    my ($status, $error, @request) = @$_;
    my $r = $client->ask(@request);
    is("$r->{status} $r->{headers}{'content-type'} $r->{json}{error}", "$status application/problem+json $error", "$error is the module's own");
}

is($client->ask('GET', '/seldom')->{status}, 200, 'the first one is not one too many');
for (
    [413, 'POST', '/', ' ' x 1025],
    [403, 'POST', '/denied', $grant],
    [503, 'POST', '/seldom', $grant],
) {
    my ($status, @request) = @$_;
    my $r = $client->ask(@request);
    is("$r->{status} $r->{headers}{'content-type'} $r->{headers}{'cache-control'} $r->{body}",
        qq($status application/problem+json no-store {"type":"about:blank","status":$status}), "nginx's own $status is what is configured");
}
is($client->ask('GET', '/')->{json}{entries}, 2, 'and nothing was issued');
$server->stop;

done_testing();
