# What is answered when all is well: certificates are issued and read, below any
# prefix.

use Stockcert::Blocks;
use Test::Nginx::Socket 'no_plan';

use IO::Socket::INET;

default_sections();

# Answers, with TIME and SEAL for what is not known before.

sub certificate {
    my ($id, $amount, $entry) = @_;
    my ($class, $number) = split /-/, $id;

    return qq({"cert_id":"$id","stakeholder":"Salt Bae","company":"Impossible Cuts Inc.",)
           . qq("amount":$amount,"class":"$class","number":$number,"issued_at":"TIME",)
           . qq("entry":$entry,"seal":"SEAL"}\n);
}

# The same, as it is read.

sub outstanding {
    return certificate(@_) =~ s/\}\n\z/,"status":"outstanding"}\n/r;
}

sub certificates {
    my ($class, $next, @certificates) = @_;

    chomp @certificates;
    return qq({"class":"$class","certificates":[) . join(",\n", @certificates) . ']'
           . ($next ? qq(,"next":"$next") : '') . "}\n";
}

# [ issued, certificates ] of CS and PS

sub inventory {
    my ($entries, $cs, $ps) = @_;

    return qq({"company":"Impossible Cuts Inc.","entries":$entries,"seal":"SEAL","classes":[\n)
           . qq({"class":"CS","title":"Common Stock","authorized":2600000,"issued":$cs->[0],)
           . qq("remaining":@{[2600000 - $cs->[0]]},"certificates":$cs->[1]},\n)
           . qq({"class":"PS","title":"Preferred Stock","authorized":750000,"issued":$ps->[0],)
           . qq("remaining":@{[750000 - $ps->[0]]},"certificates":$ps->[1]}]}\n);
}

# The pattern of an answer, and its length.

sub like_this {
    my $re = quotemeta $_[0];

    $re =~ s/TIME/2\\d{3}-[01]\\d-[0-3]\\dT[0-2]\\d:[0-5]\\d:[0-6]\\d\\.\\d{6}Z/g;
    $re =~ s/SEAL/[0-9a-f]{64}/g;
    return qr/\A$re\z/;
}

sub size {
    my ($text) = @_;

    $text =~ s/TIME/2026-11-23T18:45:58.123456Z/g;
    $text =~ s/SEAL/0 x 64/ge;
    return length $text;
}

sub post {
    my ($class, $amount, $path) = @_;

    $path ||= '/';
    return qq(POST $path\n{"name":"Salt Bae","amount":$amount,"class":"$class"});
}

# For "init": issues $n certificates of one share, over ten connections at once.

sub issue {
    my ($n) = @_;
    my $body = '{"name":"Salt Bae","amount":1,"class":"CS"}';
    my @connections;

    for my $i (1 .. 10) {
        my $many = int($n / 10) + ($i <= $n % 10) or next;
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => server_port())
            or die "connect: $!";

        print $socket map {
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            . 'Content-Length: ' . length($body) . "\r\n"
            . ($_ == $many ? "Connection: close\r\n" : '') . "\r\n$body"
        } 1 .. $many;
        $socket->flush;

        push @connections, $socket;
    }

    my $issued = 0;
    for my $socket (@connections) {
        local $/;
        $issued += () = <$socket> =~ m{^HTTP/1\.1 201 }mg;
    }

    die "$issued certificates instead of $n" if $issued != $n;
}

# For "init": the ETag of what is there.

sub etag {
    my ($path) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => server_port())
        or die "connect: $!";

    print $socket "GET $path HTTP/1.0\r\n\r\n";
    local $/;
    return <$socket> =~ /^ETag: (.*)\r$/m ? $1 : die 'no ETag';
}

no_root_location();
no_long_string();
log_level('info');
run_tests();

__DATA__

=== a certificate is issued
--- request
POST /
{"name":"Salt Bae","amount":10,"class":"CS"}
--- error_code: 201
--- response_headers eval
"Location: /CS-1
Content-Type: application/json
Content-Length: " . ::size(::certificate('CS-1', 10, 3)) . "
Cache-Control: no-store
!Transfer-Encoding
!Retry-After"
--- response_body_like eval
::like_this(::certificate('CS-1', 10, 3))



=== each class counts for itself
--- request eval
[::post('CS', 1), ::post('CS', 2599999), ::post('PS', 750000)]
--- error_code eval
[201, 201, 201]
--- response_headers eval
["Location: /CS-1", "Location: /CS-2", "Location: /PS-1"]
--- response_body_like eval
[
    ::like_this(::certificate('CS-1', 1, 3)),
    ::like_this(::certificate('CS-2', 2599999, 4)),
    ::like_this(::certificate('PS-1', 750000, 5))
]



=== members in any order, and white space
--- request eval
["POST /\n{ \"class\" : \"PS\" ,\r\n\t\"amount\" : 7 , \"name\" : \"Salt Bae\" }\n"]
--- error_code: 201
--- response_body_like eval
::like_this(::certificate('PS-1', 7, 3))



=== a query is ignored
--- request eval
::post('CS', 1, '/?class=PS')
--- error_code: 201
--- response_headers
Location: /CS-1



=== inventory of a new ledger, and of one in use
--- request eval
['GET /', ::post('CS', 10), ::post('PS', 5), ::post('CS', 30), 'GET /']
--- error_code eval
[200, 201, 201, 201, 200]
--- response_headers eval
[
    "Content-Type: application/json
     Content-Length: " . ::size(::inventory(2, [0, 0], [0, 0])) . "
     Cache-Control: no-cache",
    '', '', '',
    "Content-Length: " . ::size(::inventory(5, [40, 2], [5, 1]))
]
--- response_body_like eval
[
    ::like_this(::inventory(2, [0, 0], [0, 0])), '', '', '',
    ::like_this(::inventory(5, [40, 2], [5, 1]))
]



=== the inventory's seal is the last certificate's
--- config
    location / { stockcert; }

    location = /both {
        ssi       on;
        ssi_types text/plain;
        alias     $TEST_NGINX_SERVER_ROOT/html/both.txt;
    }
--- user_files
>>> both.txt
<!--#include virtual="/CS-1" wait="yes" --><!--#include virtual="/" -->
--- request eval
[::post('CS', 10), 'GET /both']
--- error_code eval
[201, 200]
--- response_body_like eval
['', qr/\A\{"cert_id":"CS-1",[^\n]*,"seal":"([0-9a-f]{64})","status":"outstanding"\}\n\{"company":"[^"]+","entries":3,"seal":"\1",/]



=== certificates of a class: none, all, and those of no other class
--- request eval
['GET /CS', ::post('CS', 1), ::post('PS', 2), ::post('CS', 3), 'GET /CS', 'GET /PS']
--- error_code eval
[200, 201, 201, 201, 200, 200]
--- response_headers eval
[
    "Content-Type: application/json
     Content-Length: " . ::size(::certificates('CS')) . "
     Cache-Control: no-cache
     !Link",
    '', '', '',
    "Content-Length: " . ::size(::certificates('CS', '', ::outstanding('CS-1', 1, 3),
                                               ::outstanding('CS-2', 3, 5))) . "
     !Link",
    "!Link"
]
--- response_body_like eval
[
    ::like_this(::certificates('CS')), '', '', '',
    ::like_this(::certificates('CS', '', ::outstanding('CS-1', 1, 3),
                               ::outstanding('CS-2', 3, 5))),
    ::like_this(::certificates('PS', '', ::outstanding('PS-1', 2, 4)))
]



=== following next to the end
--- init
main::issue(5);
--- request eval
['GET /CS?limit=2', 'GET /CS?after=2&limit=2', 'GET /CS?after=4&limit=2']
--- error_code eval
[200, 200, 200]
--- response_headers eval
[
    'Link: </CS?after=2&limit=2>; rel="next"',
    'Link: </CS?after=4&limit=2>; rel="next"',
    '!Link'
]
--- response_body_like eval
[
    ::like_this(::certificates('CS', '/CS?after=2&limit=2', ::outstanding('CS-1', 1, 3),
                               ::outstanding('CS-2', 1, 4))),
    ::like_this(::certificates('CS', '/CS?after=4&limit=2', ::outstanding('CS-3', 1, 5),
                               ::outstanding('CS-4', 1, 6))),
    ::like_this(::certificates('CS', '', ::outstanding('CS-5', 1, 7)))
]



=== after: at the end, just before it, beyond it, far beyond it
--- init
main::issue(3);
--- request eval
[
    'GET /CS?after=0&limit=3', 'GET /CS?after=0&limit=2', 'GET /CS?after=2&limit=1',
    'GET /CS?after=3', 'GET /CS?after=4', 'GET /CS?after=9007199254740991&limit=1000'
]
--- error_code eval
[(200) x 6]
--- response_headers eval
['!Link', 'Link: </CS?after=2&limit=2>; rel="next"', ('!Link') x 4]
--- response_body_like eval
[
    ::like_this(::certificates('CS', '', map { ::outstanding("CS-$_", 1, $_ + 2) } 1 .. 3)),
    ::like_this(::certificates('CS', '/CS?after=2&limit=2',
                               map { ::outstanding("CS-$_", 1, $_ + 2) } 1 .. 2)),
    ::like_this(::certificates('CS', '', ::outstanding('CS-3', 1, 5))),
    (::like_this(::certificates('CS'))) x 3
]



=== limit: 100 if it is not given, 1 to 1000
--- init
main::issue(1001);
--- request eval
['GET /CS', 'GET /CS?limit=1', 'GET /CS?limit=1000', 'GET /CS?limit=1000&after=1']
--- error_code eval
[(200) x 4]
--- response_headers eval
[
    'Link: </CS?after=100&limit=100>; rel="next"',
    'Link: </CS?after=1&limit=1>; rel="next"',
    'Link: </CS?after=1000&limit=1000>; rel="next"',
    '!Link'
]
--- response_body_like eval
[
    ::like_this(::certificates('CS', '/CS?after=100&limit=100',
                               map { ::outstanding("CS-$_", 1, $_ + 2) } 1 .. 100)),
    ::like_this(::certificates('CS', '/CS?after=1&limit=1', ::outstanding('CS-1', 1, 3))),
    ::like_this(::certificates('CS', '/CS?after=1000&limit=1000',
                               map { ::outstanding("CS-$_", 1, $_ + 2) } 1 .. 1000)),
    ::like_this(::certificates('CS', '', map { ::outstanding("CS-$_", 1, $_ + 2) } 2 .. 1001))
]



=== a certificate is read
--- request eval
[::post('CS', 10), ::post('PS', 20), 'GET /CS-1', 'GET /PS-1']
--- error_code eval
[201, 201, 200, 200]
--- response_headers_like eval
[
    '', '',
    'Content-Type: application/json
     Content-Length: ' . ::size(::outstanding('CS-1', 10, 3)) . '
     Cache-Control: no-cache
     ETag: "[0-9a-f]{64}"',
    'ETag: "[0-9a-f]{64}"'
]
--- response_body_like eval
[
    ::like_this(::certificate('CS-1', 10, 3)), ::like_this(::certificate('PS-1', 20, 4)),
    ::like_this(::outstanding('CS-1', 10, 3)), ::like_this(::outstanding('PS-1', 20, 4)),
]



=== its ETag is its seal
--- init
main::issue(1);
my $etag = main::etag('/CS-1');
$block->set_value(response_headers => "ETag: $etag");
$block->set_value(response_body_like => qr/"seal":$etag,"status":"outstanding"\}\n\z/);
--- request
GET /CS-1



=== If-None-Match with the ETag, weak, in a list, and any
--- init
main::issue(2);
my $etag = main::etag('/CS-2');
$block->set_value(more_headers => [
    map { "If-None-Match: $_" } $etag, "W/$etag", qq("x", $etag, "y"), '*', $etag
]);
--- request eval
[('GET /CS-2') x 4, 'HEAD /CS-2']
--- error_code eval
[(304) x 5]
--- response_headers_like eval
[('ETag: "[0-9a-f]{64}"
   Cache-Control: no-cache') x 5]
--- raw_response_headers_unlike eval
[(qr/\nContent-Type|\nLocation/) x 5]
--- response_body eval
[('') x 5]



=== If-None-Match with another certificate's ETag, and with none
--- init
main::issue(2);
my $etag = main::etag('/CS-1');
$block->set_value(more_headers => [map { "If-None-Match: $_" } $etag, '"x"', '""', 'x', '']);
--- request eval
[('GET /CS-2') x 5]
--- error_code eval
[(200) x 5]
--- response_body_like eval
[(::like_this(::outstanding('CS-2', 1, 4))) x 5]



=== HEAD is GET without the body
--- init
main::issue(3);
--- request eval
['HEAD /', 'HEAD /CS', 'HEAD /CS?limit=2', 'HEAD /CS-3', 'HEAD /CS?after=3']
--- error_code eval
[(200) x 5]
--- response_headers eval
[
    'Content-Type: application/json
     Content-Length: ' . ::size(::inventory(5, [3, 3], [0, 0])) . '
     Cache-Control: no-cache',
    'Content-Length: ' . ::size(::certificates('CS', '',
                                map { ::outstanding("CS-$_", 1, $_ + 2) } 1 .. 3)) . '
     !Link',
    'Content-Length: ' . ::size(::certificates('CS', '/CS?after=2&limit=2',
                                map { ::outstanding("CS-$_", 1, $_ + 2) } 1 .. 2)) . '
     Link: </CS?after=2&limit=2>; rel="next"',
    'Content-Length: ' . ::size(::outstanding('CS-3', 1, 5)),
    'Content-Length: ' . ::size(::certificates('CS')),
]
--- raw_response_headers_like eval
['', '', '', qr/^ETag: "[0-9a-f]{64}"\r\n/m, '']
--- response_body eval
[('') x 5]



=== HTTP/1.0
--- request eval
[
    qq(POST / HTTP/1.0\n{"name":"Salt Bae","amount":10,"class":"CS"}), 'GET /CS-1 HTTP/1.0',
    'GET /CS HTTP/1.0'
]
--- error_code eval
[201, 200, 200]
--- response_body_like eval
[
    ::like_this(::certificate('CS-1', 10, 3)), ::like_this(::outstanding('CS-1', 10, 3)),
    ::like_this(::certificates('CS', '', ::outstanding('CS-1', 10, 3)))
]



=== location /acme/
--- config
    location /acme/ { stockcert acme; }
    location /      { return 200 "elsewhere\n"; }
--- request eval
[
    ::post('CS', 10, '/acme/'), ::post('CS', 20, '/acme/'), 'GET /acme/', 'GET /acme/CS',
    'GET /acme/CS?limit=1', 'GET /acme/CS-2', 'GET /acme', 'GET /CS-2'
]
--- error_code eval
[201, 201, (200) x 6]
--- response_headers eval
[
    'Location: /acme/CS-1', 'Location: /acme/CS-2', '', '!Link',
    'Link: </acme/CS?after=1&limit=1>; rel="next"', '', '', ''
]
--- response_body_like eval
[
    ::like_this(::certificate('CS-1', 10, 3)), ::like_this(::certificate('CS-2', 20, 4)),
    ::like_this(::inventory(4, [30, 2], [0, 0])),
    ::like_this(::certificates('CS', '', ::outstanding('CS-1', 10, 3),
                               ::outstanding('CS-2', 20, 4))),
    ::like_this(::certificates('CS', '/acme/CS?after=1&limit=1', ::outstanding('CS-1', 10, 3))),
    ::like_this(::outstanding('CS-2', 20, 4)),
    (qr/\Aelsewhere\n\z/) x 2
]



=== location /acme, without a slash at the end
--- config
    location /acme { stockcert acme; }
--- request eval
[
    ::post('CS', 10, '/acme'), ::post('CS', 20, '/acme/'), 'GET /acme', 'GET /acme/',
    'GET /acme/CS-1', 'GET /acme/CS?limit=1', 'GET /acmeCS', 'GET /acmeCS-1', 'GET /acme-1'
]
--- error_code eval
[201, 201, (200) x 4, (404) x 3]
--- response_headers eval
[
    'Location: /acme/CS-1', 'Location: /acme/CS-2', '', '', '',
    'Link: </acme/CS?after=1&limit=1>; rel="next"',
    ('Content-Type: application/problem+json') x 3
]
--- response_body_like eval
[
    '', '', (::like_this(::inventory(4, [30, 2], [0, 0]))) x 2,
    ::like_this(::outstanding('CS-1', 10, 3)), '', ('"error":"not_found"') x 3
]



=== location = /issue has its root only, and tells of nothing below it
--- config
    location = /issue { stockcert acme; }
    location /        { return 200 "elsewhere\n"; }
--- request eval
[::post('CS', 10, '/issue'), 'GET /issue', 'HEAD /issue', 'GET /issue/CS-1', 'GET /issue/']
--- error_code eval
[201, (200) x 4]
--- response_headers eval
['!Location', 'Content-Type: application/json', '', '', '']
--- response_body_like eval
[
    ::like_this(::certificate('CS-1', 10, 3)), ::like_this(::inventory(3, [10, 1], [0, 0])),
    qr/\A\z/, (qr/\Aelsewhere\n\z/) x 2
]



=== location = /
--- config
    location = / { stockcert acme; }
    location /   { return 200 "elsewhere\n"; }
--- request eval
[::post('CS', 10), 'GET /', 'GET /CS-1']
--- error_code eval
[201, 200, 200]
--- response_headers eval
['!Location', 'Content-Type: application/json', '']
--- response_body_like eval
[
    ::like_this(::certificate('CS-1', 10, 3)), ::like_this(::inventory(3, [10, 1], [0, 0])),
    qr/\Aelsewhere\n\z/
]



=== a prefix is escaped in what is answered
--- config eval
qq(location "/a b%/"         { stockcert; }
   location '/q"\\\\x'       { stockcert; }
   location /\xc3\xbc/       { stockcert; })
--- request eval
[
    ::post('CS', 1, '/a%20b%25/'), ::post('CS', 1, '/q%22%5Cx'), ::post('CS', 1, '/%C3%BC/'),
    'GET /a%20b%25/CS?limit=1', 'GET /q%22%5Cx/CS?limit=1', 'GET /%C3%BC/CS?limit=1',
    'GET /a%20b%25/CS-1'
]
--- error_code eval
[201, 201, 201, (200) x 4]
--- response_headers eval
[
    'Location: /a%20b%25/CS-1', 'Location: /q%22%5Cx/CS-2', 'Location: /%C3%BC/CS-3',
    'Link: </a%20b%25/CS?after=1&limit=1>; rel="next"',
    'Link: </q%22%5Cx/CS?after=1&limit=1>; rel="next"',
    'Link: </%C3%BC/CS?after=1&limit=1>; rel="next"', ''
]
--- response_body_like eval
[
    '', '', '', (map { ::like_this(::certificates('CS', $_, ::outstanding('CS-1', 1, 3))) }
        '/a%20b%25/CS?after=1&limit=1', '/q%22%5Cx/CS?after=1&limit=1',
        '/%C3%BC/CS?after=1&limit=1'),
    ::like_this(::outstanding('CS-1', 1, 3))
]



=== a path is what it decodes to
--- request eval
[::post('CS', 1), 'GET /%43S-%31', 'GET //CS-1', 'GET /x/../CS-1', 'GET /CS%2D1']
--- error_code eval
[201, (200) x 4]
--- response_body_like eval
[::like_this(::certificate('CS-1', 1, 3)), (::like_this(::outstanding('CS-1', 1, 3))) x 4]



=== two locations on one ledger
--- config
    location /a/ { stockcert acme; }
    location /b/ { stockcert acme; }
--- request eval
[::post('CS', 1, '/a/'), ::post('CS', 1, '/b/'), 'GET /a/CS-2', 'GET /b/CS-1']
--- error_code eval
[201, 201, 200, 200]
--- response_headers eval
['Location: /a/CS-1', 'Location: /b/CS-2', '', '']



=== two ledgers
--- http_config
    stockcert_ledger one {
        path     $TEST_NGINX_LEDGER/one;
        size     16m;
        company  "One \"Ltd.\"";
        class    CS 100 "Common \\ Stock";
    }
    stockcert_ledger two {
        path     $TEST_NGINX_LEDGER/two;
        size     16m;
        company  "Two";
        class    PS 1 "Preferred Stock";
    }
--- config
    location /1/ { stockcert one; }
    location /2/ { stockcert two; }
--- request eval
[
    ::post('CS', 1, '/1/'), ::post('PS', 1, '/2/'), ::post('CS', 1, '/2/'), ::post('CS', 1, '/1/'),
    'GET /1/', 'GET /2/', 'GET /2/CS', 'GET /1/CS-1'
]
--- error_code eval
[201, 201, 422, 201, 200, 200, 404, 200]
--- response_headers eval
['Location: /1/CS-1', 'Location: /2/PS-1', '', 'Location: /1/CS-2', '', '', '', '']
--- response_body_like eval
[
    '"company":"One \\\\"Ltd\.\\\\""', '"company":"Two"', '', '',
    '\A\{"company":"One \\\\"Ltd\.\\\\"","entries":3,"seal":"[0-9a-f]{64}","classes":\[\n'
    . '\{"class":"CS","title":"Common \\\\\\\\ Stock","authorized":100,"issued":2,"remaining":98,'
    . '"certificates":2\}\]\}\n\z',
    '\A\{"company":"Two","entries":2,', '', '"company":"One \\\\"Ltd\.\\\\""'
]



=== an internal redirect
--- config
    location /      { stockcert; }
    location = /old { rewrite ^ /CS-1 last; }
    location = /new { rewrite ^ / last; }
--- request eval
[::post('CS', 10, '/new'), 'GET /old']
--- error_code eval
[201, 200]
--- response_headers eval
['Location: /CS-1', '']
--- response_body_like eval
[::like_this(::certificate('CS-1', 10, 3)), ::like_this(::outstanding('CS-1', 10, 3))]



=== limit_except, for those who may issue
--- config
    location / {
        stockcert;

        limit_except GET {
            allow  127.0.0.1;
            deny   all;
        }
    }
    location /closed/ {
        stockcert;

        limit_except GET {
            deny  all;
        }
    }
--- request eval
[::post('CS', 10), 'GET /CS-1', ::post('CS', 10, '/closed/'), 'GET /closed/CS-1']
--- error_code eval
[201, 200, 403, 200]
--- response_body_like eval
[
    ::like_this(::certificate('CS-1', 10, 3)), ::like_this(::outstanding('CS-1', 10, 3)), '403 Forbidden',
    ::like_this(::outstanding('CS-1', 10, 3))
]



=== an "if" that is true
--- config
    location / {
        stockcert;

        if ($arg_limit) {
            set $y 1;
        }
    }
--- request eval
[::post('CS', 10, '/?limit=1'), 'GET /CS?limit=1']
--- error_code eval
[201, 200]
--- response_body_like eval
[::like_this(::certificate('CS-1', 10, 3)), ::like_this(::certificates('CS', '', ::outstanding('CS-1', 10, 3)))]
