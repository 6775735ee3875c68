# What a request's headers decide, before its body is asked for, and the headers
# that nginx's own directives and variables must find.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Port;
use Sys::Hostname;

# the servers of the example, on another port

my $example = free_port();
my ($servers) = slurp('conf/nginx.conf') =~ /^( *server \{.*)^\}/ms or die 'no server in conf/nginx.conf';
$servers =~ s/\b8000\b/$example/g;
$servers =~ s/^ *listen +\[::1\].*\n//mg;

# the recipes of the README, on ports of their own

my @recipes = slurp('README.md') =~ /^```nginx\n(.*?)^```/msg;
my ($problems) = grep { /\@problem/ } @recipes;
my ($cors) = grep { /Access-Control/ } @recipes;
my ($problems_port, $cors_port) = (free_port(), free_port());
$cors =~ s/listen 8000;/listen 127.0.0.1:$cors_port;/ or die 'no listen in the recipe';
$servers .= "server { listen 127.0.0.1:$problems_port; $problems location /denied/ { stockcert; deny all; error_page 403 \@problem; }\n"
    . "location /limited/ { stockcert; limit_req zone=one; error_page 503 \@problem; } }\n$cors";

my $server = Stockcert->new(http => ledger('acme', CS => 1000) . 'limit_req_zone $server_port zone=one:1m rate=1r/m;', server => $servers,
    location => <<'EOT')->start;
location / { stockcert; add_header X-Cache-Control "$sent_http_cache_control" always; add_header X-Link "$sent_http_link" always; }
location /expires/ { stockcert; expires 1h; add_header X-Cache-Control "$sent_http_cache_control" always; }
location /added/ { stockcert; add_header Link "</terms>; rel=\"license\""; add_header X-Link "$sent_http_link"; }
EOT
my $client = $server->client;
my $grant = '{"name":"Salt Bae","amount":1,"class":"CS"}';
my $issued = 0;

sub get { return $client->ask('GET', $_[0], undef, @_[1 .. $#_]) }
sub post { my $r = $client->ask('POST', '/', $grant, @_); $issued += $r->{status} == 201; return $r }

sub problem_is {
    my ($r, $status, $error, $what) = @_;
    is("$r->{status} $r->{headers}{'content-type'} $r->{headers}{'cache-control'}", "$status application/problem+json no-store", "$what: $status");
    is($r->{json}{error}, $error, "$what: $error");
}

# the lines of an answer's head with a name, as they are on the wire

sub lines {
    my ($uri, $name, @headers) = @_;
    my $c = $server->client;
    $c->send('GET', $uri, undef, 'Connection: close', @headers);
    my $end = now() + $Stockcert::TIMEOUT;
    1 while !$c->fill($end);
    my ($head) = $c->{buffer} =~ /^(.*?\r\n)\r\n/s;
    return join '|', $head =~ /^\Q$name\E: (.*)\r$/mg;
}

is(post()->{status}, 201, 'issued') for 1 .. 3;


# a body that is encoded

my $gzip = "\x1f\x8b\x08\0\0\0\0\0\0\x03";
for my $encoding (['gzip'], ['br'], ['GZIP'], ['deflate, identity'], ['x'], ['identityx'], ['identity'], ['gzip', 'identity'], ['identity', 'gzip']) {
    my @headers = map { "Content-Encoding: $_" } @$encoding;
    next if "@$encoding" eq 'identity';
    my $r = post(@headers);
    problem_is($r, 415, 'unsupported_encoding', "Content-Encoding @$encoding");
    is($r->{headers}{'accept-encoding'}, 'identity', "Content-Encoding @$encoding: what is taken");
    ok(!exists $r->{headers}{'accept-post'}, "Content-Encoding @$encoding: the type was right");
}
problem_is($client->ask('POST', '/', $gzip, 'Content-Encoding: gzip'), 415, 'unsupported_encoding', 'a body that is gzip');
is(post("Content-Encoding: $_")->{status}, 201, "Content-Encoding: \"$_\"") for 'identity', 'IDENTITY', '';


# another type, or none: what is wrong with it

for (['text/plain', qr/^the request must have "Content-Type: application\/json"$/], ['application/json; charset=utf-16', qr/charset=utf-8, as JSON/],
    ['application/json; charset=iso-8859-1', qr/charset=utf-8/], ['application/json; v=1', qr/no parameter but charset=utf-8/], ['application/jsonx', qr/must have/])
{
    my ($type, $like) = @$_;
    $client->send('POST', '/', undef, "Content-Type: $type", 'Content-Length: ' . length $grant);
    syswrite $client->{socket}, $grant;
    my $r = $client->receive;
    problem_is($r, 415, 'unsupported_media_type', $type);
    is($r->{headers}{'accept-post'}, 'application/json', "$type: what is taken");
    like($r->{json}{detail}, $like, "$type: what is wrong");
}


# what the headers decide is answered without 100 Continue, and the connection ends,
# as nobody knows whether the body will come

my @expect = ('Expect: 100-continue', 'Content-Length: ' . length $grant);
my @json = ('Content-Type: application/json');
for (['POST', '/x', 404, @json], ['POST', '/CS', 405, @json], ['PUT', '/', 405, @json], ['POST', '/', 415, 'Content-Type: text/plain'], ['POST', '/', 415],
    ['POST', '/', 415, @json, 'Content-Encoding: gzip'], ['POST', '/', 412, @json, 'If-None-Match: *'], ['POST', '/', 400, @json, 'Idempotency-Key: "'],
    ['POST', '/', 400, @json, 'Idempotency-Key: a', 'Idempotency-Key: a'], ['POST', '/', 415, 'Idempotency-Key: "'], ['GET', '/', 200], ['GET', '/CS-1', 200])
{
    my ($method, $uri, $status, @headers) = @$_;
    my $c = $server->client;
    my $r = $c->ask($method, $uri, undef, @headers, @expect);
    is("$r->{status} $r->{headers}{connection}", "$status close", "Expect: $method $uri @headers: at once");
    $r = $server->client->ask($method, $uri, undef, @headers, 'Expect: 100-continue', 'Transfer-Encoding: chunked');
    is("$r->{status} $r->{headers}{connection}", "$status close", "Expect, chunked: $method $uri @headers: at once");
}
my $r = get('/', 'Expect: 100-continue');
is("$r->{status} $r->{headers}{connection}", '200 keep-alive', 'Expect, and no body: the connection stays');
$client->connect;
$r = $client->ask('POST', '/', undef, @json, @expect);
is($r->{status} || $r->{error}, 'broken', 'what can be a grant is asked for');    # an answer without a length: 100
$client->close;


# preconditions: RFC 9110, section 13. Only a certificate has an ETag, and nothing a
# date.

my $etag = get('/CS-1')->{headers}{etag};
my $other = get('/CS-2')->{headers}{etag};
my @dates = ('Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 01 Jan 2100 00:00:00 GMT', 'x');
sub conditions { return map { /^(If-Match|If-None-Match|.*Since) (.*)$/ ? "$1: $2" : die $_ } @_ }

for (
    [200, "If-Match $etag"], [200, 'If-Match *'], [200, "If-Match \"x\", $etag"], [200, "If-Match W/\"x\" ,$etag,"], [200, "If-Match \"x\",\t$etag"], [200, "If-Match $etag \"x\""], [412, "If-Match $other"],
    [412, "If-Match W/$etag"], [412, 'If-Match "x"'], [412, 'If-Match x'], [412, 'If-Match "'], [412, 'If-Match W/'], [412, 'If-Match "*"'],
    [412, 'If-Match ' . substr $etag, 1, 64], [412, "If-Match \"x$etag"], [304, "If-None-Match $etag"], [304, "If-None-Match W/$etag"], [304, 'If-None-Match *'],
    [200, "If-None-Match $other"], [304, "If-Match $etag", "If-None-Match $etag"], [412, "If-Match $other", "If-None-Match $etag"],
    (map { ([200, "If-Unmodified-Since $_"], [200, "If-Modified-Since $_"], [304, "If-Modified-Since $_", "If-None-Match $etag"],
        [200, "If-Modified-Since $_", "If-None-Match $other"], [412, "If-Match $other", "If-Unmodified-Since $_"]) } @dates),
) {
    my ($status, @conditions) = @$_;
    my $r = get('/CS-1', conditions(@conditions));
    is($r->{status}, $status, "GET /CS-1, @conditions: $status");
    problem_is($r, 412, 'precondition_failed', 'which') if $status == 412;
    unlike($r->{body}, qr/nothing was issued/, 'as a GET issues nothing') if $status == 412;
    is($r->{headers}{etag}, $etag, '304: the ETag') if $status == 304;
    $r = $client->ask('HEAD', '/CS-1', undef, conditions(@conditions));
    is("$r->{status} $r->{body}", "$status ", "HEAD /CS-1, @conditions: $status");
}
for my $uri ('/', '/CS', '/CS-1.html') {
    for ([200, 'If-Match *'], [412, "If-Match $etag"], [304, 'If-None-Match *'], [200, "If-None-Match $etag"], map { ([200, "If-Unmodified-Since $_"], [200, "If-Modified-Since $_"]) } @dates) {
        my ($status, @conditions) = @$_;
        my $r = get($uri, conditions(@conditions));
        is($r->{status}, $status, "GET $uri, @conditions: $status");
        problem_is($r, 412, 'precondition_failed', 'which') if $status == 412;
    }
}
for ([412, "If-Match $etag"], [412, 'If-Match "x"'], [201, 'If-Match *'], [412, 'If-None-Match *'], [201, "If-None-Match $etag"], [201, 'If-None-Match "x"'],
    map { ([201, "If-Unmodified-Since $_"], [201, "If-Modified-Since $_"]) } @dates)
{
    my ($status, @conditions) = @$_;
    my $r = post(conditions(@conditions));
    is($r->{status}, $status, "POST /, @conditions: $status");
    problem_is($r, 412, 'precondition_failed', 'which') if $status == 412;
    like($r->{body}, qr/; nothing was issued"/, 'nothing was issued') if $status == 412;
}

# a request that is refused anyway ignores its preconditions: RFC 9110, section 13.2.1

is(get('/CS-99', 'If-Match: "x"')->{status}, 404, 'a certificate that is not there, whatever the condition');
is(get('/CS?limit=0', 'If-Match: "x"')->{json}{error}, 'bad_parameter', 'a bad parameter, whatever the condition');
is($client->ask('PUT', '/', 'x', 'If-Match: "x"')->{status}, 405, 'a method that is not, whatever the condition');
is(post('Content-Encoding: gzip', 'If-None-Match: *')->{status}, 415, 'a body that is encoded, whatever the condition');


# a parameter twice

is(get("/CS?$_")->{status}, 400, "$_: twice") for 'limit=1&limit=1', 'limit=1&limit=2', 'after=0&limit=1&after=1', 'after=1&AFTER=1', 'limit=1&x=2&limit=3', 'limit=1&limit=';
is(get("/CS?$_")->{status}, 200, "$_: once each") for 'limit=1&after=1', 'status=outstanding&after=1&limit=1', '&&limit=1&', '', '&';
is(scalar @{get('/CS?&after=1&limit=1')->{json}{certificates}}, 1, 'and they are what they say');


# what a client asks for and is not done must not look as if it were

is(get("/CS?$_")->{status}, 400, "$_: unknown") for 'x', 'x=1', 'limit=1&xlimit=2', 'x=1&x=2', 'limits=1&limit=2', 'limit=1&y=limit=2', 'limit', '=', '=1', 'as_of=2020-01-01', 'back=1';
for my $uri ('/', '/CS-1', '/CS.html', '/CS-1.html') {
    is(get("$uri?$_")->{status}, 400, "$uri: it has no parameter $_") for 'x=1', 'limit=1', 'after=0', 'status=outstanding';
    is(get("$uri?")->{status}, 200, "$uri: an empty query is none") if $uri ne '/CS.html';    # which is chunked
}
is($client->ask('HEAD', '/CS?x=1')->{status}, 400, 'HEAD: an unknown parameter');


# one value each, where nginx looks for it

is(lines('/', 'Cache-Control'), 'no-cache', 'Cache-Control: one line');
is(lines('/', 'X-Cache-Control'), 'no-cache', '$sent_http_cache_control');
is(lines('/x', 'X-Cache-Control'), 'no-store', '$sent_http_cache_control of a problem');
is(lines('/expires/', 'Cache-Control'), 'max-age=3600', 'expires: one line');
is(lines('/expires/', 'X-Cache-Control'), 'max-age=3600', 'expires: $sent_http_cache_control');
is(lines('/expires/x', 'Cache-Control'), 'no-store', 'expires: not for a problem');
my $next = '</CS?after=1&limit=1>; rel="next"';
is(lines('/CS?limit=1', 'Link'), $next, 'Link: one line');
is(lines('/CS?limit=1', 'X-Link'), $next, '$sent_http_link');
$next =~ s{/CS}{/added/CS};
is(lines('/added/CS?limit=1', 'Link'), "$next|</terms>; rel=\"license\"", 'add_header Link: another line');
is(lines('/added/CS?limit=1', 'X-Link'), "$next, </terms>; rel=\"license\"", 'add_header Link: $sent_http_link has both');
is(lines($_, 'X-Content-Type-Options'), 'nosniff', "$_: its type is to be believed") for '/', '/CS', '/CS-1', '/CS-1.html', '/x';
is(lines('/CS-1.html', 'Vary'), '', 'a page that has a path of its own does not vary');
is(lines('/CS-1', 'Vary'), 'Accept', 'a certificate does');


# an answer has the headers of what it is, and not of what it would have been

my @failed = ('If-Match: "x"');
my @html = ('Accept: text/html');
for my $uri ('/', '/CS', '/CS?limit=1', '/CS-1', '/CS-1.html', '/CS.html', '/x', '/CS-99', '/CS-99.html', '/CS?limit=0') {
    my $what = "$uri instead of which there is a problem";
    is(lines($uri, $_, @failed), '', "$what: no $_") for 'Content-Security-Policy', 'Link', 'ETag';
    is(lines($uri, 'Content-Security-Policy', @failed, @html) =~ tr/|//, 0, "$what as a page: one policy");
    is(lines($uri, 'Link', @failed, @html), '', "$what as a page: no Link");
    is(lines($uri, 'Vary', @failed, @$_), 'Accept', "$what, @$_: Vary") for [], \@html;
}
my $not = $client->ask('POST', '/', 'x', @json);
is("$not->{status} $not->{headers}{vary}", '400 Accept', 'what is not issued may be a page, too');
is(post()->{headers}{vary}, undef, 'a certificate that is issued is JSON');


# the example answers to its own names, and to addresses

for my $host ('localhost', "localhost:$example", 'LOCALHOST', hostname(), '127.0.0.1', "127.0.0.1:$example", '192.0.2.1', '[::1]', '[2001:db8::1]:8000') {
    my $c = Stockcert::Client->new($example);
    $c->connect;
    syswrite $c->{socket}, "GET / HTTP/1.1\r\nHost: $host\r\n\r\n";
    is($c->receive->{status}, 200, "Host: $host");
}
my $c = Stockcert::Client->new($example);
$c->connect;
syswrite $c->{socket}, "GET / HTTP/1.0\r\n\r\n";
is($c->receive->{status}, 200, 'no Host');
for my $host ('rebind.example', 'localhost.rebind.example', 'rebind.example:8000', '127.0.0.1.rebind.example', '1.2.3.4x', 'a') {
    $c->connect;
    syswrite $c->{socket}, "POST / HTTP/1.1\r\nHost: $host\r\nContent-Type: application/json\r\nContent-Length: " . length($grant) . "\r\n\r\n$grant";
    is($c->receive->{error}, 'closed', "Host: $host: no answer");
}


# nginx's own answers as problems, and the module's as they are

my $problems_client = Stockcert::Client->new($problems_port);
my $forbidden = $problems_client->ask('GET', '/denied/');
is("$forbidden->{status} $forbidden->{headers}{'content-type'} $forbidden->{body}", '403 application/problem+json {"type":"about:blank","status":403}', 'deny');
is($forbidden->{headers}{'cache-control'}, 'no-store', 'deny: it is not kept');
is($problems_client->ask('GET', '/denied/CS-1.html')->{headers}{'content-type'}, 'application/problem+json', 'deny: whatever the path ends with');
my @limited = map { $problems_client->ask('GET', '/limited/') } 1, 2;
is("$limited[0]{status} $limited[1]{status} $limited[1]{body}", '200 503 {"type":"about:blank","status":503}', 'limit_req');
$problems_client->send('POST', '/', undef, 'Content-Type: application/json', 'Content-Length: 40000');
is($problems_client->receive->{body}, '{"type":"about:blank","status":413}', 'client_max_body_size');
$problems_client->connect;
$problems_client->send('POST', '/', undef, 'Content-Type: application/json', 'Transfer-Encoding: chunked');
syswrite $problems_client->{socket}, "x\r\n";
is($problems_client->receive->{body}, '{"type":"about:blank","status":400}', 'broken chunks');
$problems_client->connect;
is($problems_client->ask('POST', '/', $grant =~ s/1/1001/r)->{json}{error}, 'insufficient_shares', "error_page: the module's 403 is as it was");
is($problems_client->ask('POST', '/', '{')->{json}{error}, 'not_json', 'error_page: so is its 400');
$problems_client->send('POST', '/', undef, 'Content-Type: application/json', 'Content-Length: 16385');
is($problems_client->receive->{json}{error}, 'body_too_large', 'error_page: and its 413');


# CORS

my $cors_client = Stockcert::Client->new($cors_port);
my @origin = ('Origin: https://shop.example.com');

# 204 has no length: what is there until the connection ends

sub preflight {
    my ($origin) = @_;
    my $c = Stockcert::Client->new($cors_port);
    $c->send('OPTIONS', '/', undef, "Origin: $origin", 'Access-Control-Request-Method: POST', 'Access-Control-Request-Headers: content-type',
        'Connection: close');
    my $end = now() + $Stockcert::TIMEOUT;
    1 while !$c->fill($end);
    return $c->{buffer};
}

my $preflight = preflight('https://shop.example.com');
like($preflight, qr{^HTTP/1\.1 204 .*^Access-Control-Allow-Origin: https://shop\.example\.com\r}ms, 'CORS: asked before');
like($preflight, qr/^Access-Control-Allow-Headers: Content-Type, Idempotency-Key\r/m, 'CORS: headers that may be sent');
like($preflight, qr/^Access-Control-Allow-Methods: .*POST/m, 'CORS: methods that may be');
unlike(preflight('https://elsewhere.example.com'), qr/Access-Control-Allow-Origin/, 'CORS: not for another site');
my $crossed = $cors_client->ask('POST', '/', $grant, @origin, 'Idempotency-Key: cors');
$issued += $crossed->{status} == 201;
is("$crossed->{status} $crossed->{headers}{'access-control-allow-origin'}", '201 https://shop.example.com', 'CORS: issued');
like($crossed->{headers}{'access-control-expose-headers'}, qr/^Location, Idempotent-Replayed/, 'CORS: headers that are shown');
my $refused = $cors_client->ask('POST', '/', '{', @origin);
is("$refused->{status} $refused->{headers}{'access-control-allow-origin'}", '400 https://shop.example.com', 'CORS: problems are shown, too');


is(get('/')->{json}{classes}[0]{certificates}, $issued, 'as many certificates as were told');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
$server->stop;

done_testing;
