# URLs: a path is below the location's prefix or it is nothing, and what answers,
# pages and paper tell is where that can be had.

use strict;
use warnings;
use Test::More;
use IO::Socket::INET;
use Stockcert;
use Stockcert::Port;

my $named = free_port();
my $server = Stockcert->new(workers => 1, location => <<'END', server => <<"END")->start;
location /api/ledger/ { rewrite ^/api/ledger/(.*)$ /$1 break; stockcert; }
location /api/moved/ { rewrite ^/api/moved/(.*)$ /acme/$1 last; }
location /acme/ { stockcert; }
location /none { stockcert; }
location = /issue { stockcert; }
location = /exact { stockcert; stockcert_url https://stock.example.com/acme/; }
location /told/ {
    stockcert;
    stockcert_url https://stock.example.com/acme/;
    if ($arg_if) { set $x 1; }
    limit_except GET { allow all; }
}
location /proto/ { stockcert; stockcert_url $http_x_forwarded_proto://$host/acme/; }
location /any/ { stockcert; stockcert_url $http_x_url; }
location /text/ { stockcert; stockcert_url $arg_s://${host}$arg_p; }
END
server {
    listen 127.0.0.1:$named;
    server_name stock.example.org;
    stockcert_url http://server.example/;
    location /own/ { stockcert; stockcert_url http://location.example/; }
    location /acme/ { stockcert; }
    location /acme/b/ { stockcert; }
}
server {
    listen 127.0.0.1:$named;
    server_name other.example;
    location / { stockcert; }
}
END
my $client = $server->client;

sub issue { return $client->ask('POST', $_[0], grant('CS', 1), @_[1 .. $#_]) }
sub location { return issue(@_)->{headers}{location} // 'none' }

# without a Host, which only HTTP/1.0 may leave out

sub bare {
    my ($uri, $port, @headers) = @_;
    my $socket = IO::Socket::INET->new("127.0.0.1:" . ($port // $server->{port})) or die "connect: $!\n";
    print $socket join "\r\n", "GET $uri HTTP/1.0", @headers, '', '';
    local $/;
    return <$socket>;
}


# the prefix is compared

my @of_its_length = ('/api/ledger/xxxxxxxxxxxx', '/api/ledger/' . 'x' x 11, '/api/ledger/xxxxxxxxxxxxCS-1', '/api/ledger/');
for my $uri (@of_its_length) {
    is(issue($uri)->{status}, 404, "POST $uri");
    is($client->ask('GET', $uri)->{status}, 404, "GET $uri");
}
is(issue('/api/ledger/api/ledger/')->{status}, 201, 'what is rewritten to the prefix is found');
is($client->ask('GET', '/api/ledger/api/ledger/CS-1')->{status}, 200, 'and what is below');
is(location('/api/moved/'), '/acme/CS-2', 'another location may have it');
is($client->ask('GET', '/api/moved/CS-2')->{status}, 200, 'for reading, too');
is($client->ask('GET', '/none')->{json}{entries}, 4, 'nothing else was issued');


# nothing is told that is not there

is(location('/issue'), 'none', 'an exact location has no certificates');
my $book = $client->ask('GET', '/issue', undef, 'Accept: text/html')->{body};
like($book, qr/<td>CS-3<\/td>.*<td>CS-2<\/td>/s, 'its stock book has');
unlike($book, qr/href/, 'without a link');
is(location('/exact'), 'https://stock.example.com/acme/CS-4', 'unless it is said where they are');
like($client->ask('GET', '/exact', undef, 'Accept: text/html')->{body}, qr/href="https:\/\/stock\.example\.com\/acme\/CS-4\.html"/, 'in the book, too');


# stockcert_url, in all that is told

my $r = $client->ask('GET', '/told/CS?limit=2');
my $next = 'https://stock.example.com/acme/CS?after=2&limit=2';
is(location('/told/'), 'https://stock.example.com/acme/CS-5', 'Location');
is(location('/told/?if=1'), 'https://stock.example.com/acme/CS-6', 'in an "if"');
is($r->{json}{next}, $next, 'next');
is($r->{headers}{link}, "<$next>; rel=\"next\"", 'Link');
my $paper = $client->ask('GET', '/told/CS-1.html')->{body};
like($paper, qr/<svg class="qr".*href="https:\/\/stock\.example\.com\/acme\/CS-1">https:\/\/stock\.example\.com\/acme\/CS-1<.*href="https:\/\/stock\.example\.com\/acme\/">Stock book/s, 'paper');
like($client->ask('GET', '/told/CS-999', undef, 'Accept: text/html')->{body}, qr/<a href="https:\/\/stock\.example\.com\/acme\/">Stock book/, 'an error page');
like($client->ask('GET', '/told/', undef, 'Accept: text/html')->{body}, qr/href="https:\/\/stock\.example\.com\/acme\/CS".*href="https:\/\/stock\.example\.com\/acme\/CS-6\.html"/s, 'stock book');

sub code { return $_[0] =~ /(<svg class="qr".*?<\/svg>)/s ? $1 : 'none' }

isnt(code($paper), code($client->ask('GET', '/acme/CS-1.html')->{body}), 'the code is another one');
is(code($paper), code($client->ask('GET', '/any/CS-1.html', undef, 'X-Url: https://stock.example.com/acme/')->{body}), 'and that of its URL');

is(Stockcert::Client->new($named)->ask('POST', '/own/', grant('CS', 1))->{headers}{location}, 'http://location.example/CS-7', 'a location has its own');
is(Stockcert::Client->new($named)->ask('POST', '/acme/b/', grant('CS', 1))->{headers}{location}, 'http://server.example/CS-8', 'or the server\'s');


# what variables give is told if it can be

is(location('/proto/', 'X-Forwarded-Proto: https'), 'https://localhost/acme/CS-9', 'a variable');
is(location('/proto/', 'X-Forwarded-Proto: HTTP'), 'HTTP://localhost/acme/CS-10', 'in any case');

my @right = ('http://a/', 'https://a.b:8443/', 'http://[::1]/x/y/', 'http://a/%20/~x-._!&=+,;:@$()*/', 'http://' . 'a' x 247 . '/');
is(location('/any/', "X-Url: $_"), $_ . 'CS-' . ($client->ask('GET', '/acme/')->{json}{classes}[0]{certificates}), $_) for @right;

my %wrong = (
    '' => 'must begin with http:// or https://', '/acme/' => 'must begin with http:// or https://', 'http:///' => 'must name a host',
    'http://a/b' => 'must end with "/"', 'http://' . 'a' x 248 . '/' => 'must have at most 255 bytes', 'http://a"/' => 'must not have quotes',
);
my @chars = ('"', "'", '<', '>', '\\', '^', '`', '{', '|', '}', '?', '#', ' ', "\t", "\xff", "\xc3\xbc");
for my $url (keys %wrong, 'ftp://a/', 'http:/a/', 'http://', 'http://:80/', 'http://user@a/', 'http://a', map { ("http://a$_/", "http://a/b${_}b/") } @chars) {
    like(location('/any/', "X-Url: $url"), qr/^\/any\/CS-\d+$/, "not told: $url");
}

# one line a second in the log

for my $url (sort keys %wrong) {
    my $from = length $server->log;
    like(wait_for("a line about $url", sub {
        location('/any/', "X-Url: $url");
        return substr($server->log, $from) =~ /(.*invalid stockcert_url.*)/ ? $1 : undef;
    }), qr/\[warn\].*: \Q$wrong{$url}\E.*; the location's path is told instead/, "and why: $url");
}

# a client cannot have a line of its own in a header or in the log

is(location('/text/?s=http&p=/'), 'http://localhost/CS-' . $client->ask('GET', '/acme/')->{json}{classes}[0]{certificates}, 'of several variables');
for my $p ("/\r\nX-Evil:1/", "/\x1b[2J/", "/\0/") {
    (my $escaped = $p) =~ s/([^\/\w:-])/sprintf '%%%02X', ord $1/ge;
    $r = issue("/text/?s=http&p=$escaped");
    ok($r->{status} == 201 && !exists $r->{headers}{'x-evil'}, "$escaped is no header");
}
unlike($server->log, qr/[\x00-\x08\x0b-\x1f\x7f-\x9f]/, 'nor a line in the log');


# a whole URL where none is said: as the client knows it, or by the server's name

like($client->ask('GET', '/acme/CS-1.html')->{body}, qr/"http:\/\/localhost\/acme\/CS-1"/, 'the Host');
my $nameless = bare('/acme/CS-1.html');
unlike($nameless, qr/https?:\/\/|class="qr"/, 'without a Host or a name: no URL and no code');
unlike(bare('/acme/CS-1.html', undef, "Host: $_"), qr/https?:\/\/|class="qr"/, 'a Host that is none: no URL and no code') for "\xff\xfe", 'a<b>', "a'b";
like(bare('/acme/CS-1.html', undef, 'Host: my_host:8000'), qr/"http:\/\/my_host:8000\/acme\/CS-1"/, 'a Host with an underscore');
like($nameless, qr/<p class="record">entry \d+ &middot; seal [0-9a-f]{64}<\/p>/, 'but the record');
like(bare('http://there.example/acme/CS-1.html'), qr/"http:\/\/there\.example:$server->{port}\/acme\/CS-1"/, 'a request for a URL is one for its host');
like(bare('/acme/CS-1.html', $named), qr/"http:\/\/server\.example\/CS-1"/, 'stockcert_url needs no Host');
$server->{server} =~ s/stockcert_url[^;]*;//;
$server->configure;
$server->reload;
like(bare('/acme/CS-1.html', $named), qr/<svg class="qr".*"http:\/\/stock\.example\.org:$named\/acme\/CS-1"/s, 'without a Host: the server\'s name and port');
for my $name ('_', '""', '~^x$', '*.example.com', '.example_') {
    $server->{server} =~ s/server_name \S+;/server_name $name;/;
    $server->configure;
    $server->reload;
    unlike(bare('/acme/CS-1.html', $named), qr/http:\/\/|class="qr"/, "server_name $name is none");
}
$server->stop;


# what nginx -t can know

my %refused = (
    '' => 'must begin with http:// or https://', 'ftp://a/' => 'must begin with http:// or https://', 'a/' => 'must begin with http:// or https://',
    '/acme/' => 'must begin with http:// or https://', 'ftp://$host/' => 'must begin with http:// or https://', 'x$host/' => 'must begin with http:// or https://',
    'httpx://$host/' => 'must begin with http:// or https://', 'http://' => 'must name a host', 'https:///' => 'must name a host', 'http://a' => 'must end with "/"',
    'http://$host/acme' => 'must end with "/"', '$scheme://$host-' => 'must end with "/"', '${scheme}x' => 'must end with "/"',
    'http://' . 'a' x 248 . '/' => 'must have at most 255 bytes', 'http://a/{}/' => 'must not have quotes', (map { $_ => 'must not have quotes' }
        map { ("http://a/$_/", "http://\$host/$_/", "\$scheme://\$host/$_/") } '\"', "'", ' ', '\t', '\n', '\r', '?', '#', '<', "\x7f", "\xff"),
);
for my $url (sort keys %refused) {
    $server->{location} = "location / { stockcert; stockcert_url \"$url\"; }";
    my ($status, $out) = $server->run('-t');
    ok($status != 0 && $out =~ /\[emerg\].*invalid URL ".*": \Q$refused{$url}\E.* in .*nginx\.conf:\d+/s, "refused: $url") or diag($out);
}
my @wrong = (
    ['stockcert_url http://a/; stockcert_url http://b/;', '"stockcert_url" directive is duplicate'],
    ['stockcert_url http://$no_such_variable/;', 'unknown "no_such_variable" variable'],
    ['if ($host) { stockcert_url http://a/; }', '"stockcert_url" directive is not allowed here'],
);
for (@wrong) {
    $server->{location} = "location / { stockcert; $_->[0] }";
    my ($status, $out) = $server->run('-t');
    ok($status != 0 && $out =~ /\Q$_->[1]\E/, "refused: $_->[0]");
}
for my $url ('http://a/', 'HTTPS://a.b.c:1/d/', 'h$host', 'http$x://a/', 'https://${host}', 'https://$host', '$scheme://$host/', 'http://$host:1/$1') {
    $server->{http} = ledger('acme') . 'map $host $x { default s; }';
    $server->{location} = "stockcert_url $url; location / { stockcert; }";
    is(($server->run('-t'))[0], 0, "right: $url");
}

done_testing();
