# How requests may come: names of all kinds, bodies in pieces, in memory and in files,
# connections that stay.

use Stockcert::Blocks;
use Test::Nginx::Socket 'no_plan';

use IO::Socket::INET;

default_sections();

sub post {
    my ($class, $amount, $name) = @_;

    $name = 'Salt Bae' if !defined $name;
    return qq(POST /\n{"name":"$name","amount":$amount,"class":"$class"});
}

# What a certificate's answer must have.

sub issued {
    my ($id, $amount, $entry, $name) = @_;
    my ($class, $number) = split /-/, $id;

    $name = 'Salt Bae' if !defined $name;
    return '\A' . quotemeta(qq({"cert_id":"$id","stakeholder":"$name","company":)
                            . qq("Impossible Cuts Inc.","amount":$amount,"class":"$class",)
                            . qq("number":$number,"issued_at":)) . qq(.*"entry":$entry,);
}

# A grant of $size bytes.

sub padded {
    my ($size, $amount) = @_;
    my ($start, $end) = ('{"name":"Salt Bae",', qq("amount":$amount,"class":"CS"}));

    return $start . ' ' x ($size - length "$start$end") . $end;
}

sub chunked {
    return join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @_, '';
}

our $chunked = "Content-Type: application/json\nTransfer-Encoding: chunked\n";

# Names as they are sent and as they come back.

our @names = (
    ['x', 'x'],
    ['Salt\u0020Bae', 'Salt Bae'],
    ['\"Salt\" \\\\ Bae', '\"Salt\" \\\\ Bae'],
    ['\u0022\u005c\u002f', '\"\\\\/'],
    ['Salt\/Bae', 'Salt/Bae'],
    ["\xc3\x9cm\xc3\xbct", "\xc3\x9cm\xc3\xbct"],
    ['\u00dcm\u00fct', "\xc3\x9cm\xc3\xbct"],
    ["\xf0\x9f\xa5\xa9", "\xf0\x9f\xa5\xa9"],
    ['\ud83e\udd69', "\xf0\x9f\xa5\xa9"],
    ["\xe5\xaf\xbf\xe5\x8f\xb8", "\xe5\xaf\xbf\xe5\x8f\xb8"],
    ["x\xf4\x8f\xbf\xbf", "x\xf4\x8f\xbf\xbf"],
    [' Salt  Bae ', ' Salt  Bae '],
    ['\u05d0\u200f\u05d1', "\xd7\x90\xe2\x80\x8f\xd7\x91"],
    ['\u0645\u06cc\u200c\u062e', "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae"],
    ["\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac"],
    ['\u00a0x', "\xc2\xa0x"],
    ["<b>O'Bae & %s %V \$uri</b>", "<b>O'Bae & %s %V \$uri</b>"],
    ['{"a":[1,2],}' =~ s/"/\\"/gr, '{"a":[1,2],}' =~ s/"/\\"/gr],
    ['x' x 255, 'x' x 255],
    ["\xc3\xbc" x 127, "\xc3\xbc" x 127],
    ['\"' x 255, '\"' x 255],
    ['\\\\' x 255, '\\\\' x 255],
    ['\u0022' x 255, '\"' x 255],
);

no_root_location();
no_long_string();
log_level('info');
run_tests();

__DATA__

=== names, issued and read again
--- request eval
[(map { ::post('CS', 1, $_->[0]) } @::names), map { "GET /CS-$_" } 1 .. @::names]
--- error_code eval
[(201) x @::names, (200) x @::names]
--- response_body_like eval
[(map { ::issued("CS-$_", 1, $_ + 2, $::names[$_ - 1][1]) } 1 .. @::names) x 2]



=== names in a list, of the greatest length that they can have in JSON
--- request eval
[(::post('CS', 1, '\"' x 255)) x 3, 'GET /CS']
--- error_code eval
[201, 201, 201, 200]
--- response_body_like eval
my $name = quotemeta '\"' x 255;
['', '', '', qr/\A\{"class":"CS","certificates":\[(?:\{"cert_id":"CS-\d","stakeholder":"$name",[^\n]*\},?\n?){3}\]\}\n\z/]



=== company and titles with quotes, backslashes and UTF-8, of 255 bytes
--- http_config eval
my $text = '\"\\\\' x 120 . "\xc3\xbc" x 7 . 'x';
qq(stockcert_ledger acme {
       path     \$TEST_NGINX_LEDGER;
       size     16m;
       company  "$text";
       class    CS 9007199254740991 "$text";
   })
--- request eval
[::post('CS', 9007199254740991), 'GET /', 'GET /CS', 'GET /CS-1']
--- error_code eval
[201, 200, 200, 200]
--- response_body_like eval
my $text = quotemeta '\"\\\\' x 120 . "\xc3\xbc" x 7 . 'x';
[
    qq("company":"$text","amount":9007199254740991,),
    qq(\\A\\{"company":"$text",.*"title":"$text","authorized":9007199254740991,)
    . qq("issued":9007199254740991,"remaining":0,"certificates":1\\}\\]\\}\n\\z),
    qq("company":"$text".*"\\}\\]\\}\n\\z), qq("company":"$text".*"\\}\n\\z)
]



=== amounts and escapes in the members' names
--- request eval
[
    ::post('CS', 1), ::post('CS', 999999),
    qq(POST /\n{"n\\u0061me":"Salt Bae","\\u0061mount":2,"cl\\u0061ss":"\\u0043S"})
]
--- error_code eval
[201, 201, 201]
--- response_body_like eval
[::issued('CS-1', 1, 3), ::issued('CS-2', 999999, 4), ::issued('CS-3', 2, 5)]



=== white space around the body
--- request eval
my $grant = '{"name":"Salt Bae","amount":10,"class":"CS"}';
["POST /\n\r\n \t$grant\n\n", "POST /\n" . ' ' x 44]
--- more_headers eval
["Content-Type: application/json\nContent-Length: 50", "Content-Type: application/json\nContent-Length: 44"]
--- error_code eval
[201, 400]
--- response_body_like eval
[::issued('CS-1', 10, 3), '"error":"not_json"']



=== chunked: in one, in two, byte by byte, with an extension
--- more_headers eval
$::chunked
--- request eval
my $grant = '{"name":"Salt Bae","amount":10,"class":"CS"}';
[
    map { "POST /\n$_" }
        ::chunked($grant), ::chunked(substr($grant, 0, 20), substr($grant, 20)),
        ::chunked(split //, $grant), sprintf("%x;a=b\r\n%s\r\n0\r\n\r\n", length $grant, $grant)
]
--- error_code eval
[(201) x 4]
--- response_body_like eval
[map { ::issued("CS-$_", 10, $_ + 2) } 1 .. 4]



=== in a file
--- config
    location / {
        stockcert;
        client_body_in_file_only  clean;
    }
--- more_headers eval
['Content-Type: application/json', $::chunked, 'Content-Type: application/json', 'Content-Type: application/json', $::chunked]
--- request eval
[
    "POST /\n" . ::padded(100, 1), "POST /\n" . ::chunked(::padded(200, 2)),
    "POST /\n" . ::padded(16384, 3), "POST /\n{", "POST /\n" . ::chunked(::padded(16385, 4))
]
--- error_code eval
[201, 201, 201, 400, 413]
--- response_body_like eval
[
    ::issued('CS-1', 1, 3), ::issued('CS-2', 2, 4), ::issued('CS-3', 3, 5), '"error":"not_json"',
    '"error":"body_too_large"'
]



=== in a file as it does not fit in the buffer
--- config
    location / {
        stockcert;
        client_body_buffer_size  1k;
    }
--- more_headers eval
['Content-Type: application/json', $::chunked, 'Content-Type: application/json', $::chunked]
--- request eval
[
    "POST /\n" . ::padded(1024, 1), "POST /\n" . ::chunked(unpack '(a1000)*', ::padded(16384, 2)),
    "POST /\n" . ::padded(1025, 3), "POST /\n" . ::chunked(::padded(100, 4))
]
--- error_code eval
[201, 201, 201, 201]
--- response_body_like eval
[map { ::issued("CS-$_", $_, $_ + 2) } 1 .. 4]
--- no_error_log
[alert]
[crit]
[error]



=== in a single buffer, and in several
--- config
    location /one/ {
        stockcert;
        client_body_in_single_buffer  on;
        client_body_buffer_size       32k;
    }
    location /two/ {
        stockcert;
        client_body_buffer_size       32k;
    }
--- more_headers eval
[('Content-Type: application/json', $::chunked) x 2]
--- request eval
[
    map { ("POST /$_/\n" . ::padded(12000, 1),
           "POST /$_/\n" . ::chunked(unpack '(a700)*', ::padded(12000, 1))) } qw(one two)
]
--- error_code eval
[(201) x 4]
--- response_body_like eval
[map { ::issued("CS-$_", 1, $_ + 2) } 1 .. 4]



=== in pieces, the first with the head
--- raw_request eval
my $grant = '{"name":"Salt Bae","amount":10,"class":"CS"}';
[
    "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
    "Content-Type: application/json\r\nContent-Length: 44\r\n\r\n" . substr($grant, 0, 10),
    substr($grant, 10, 10), substr($grant, 20)
]
--- raw_request_middle_delay: 0.05
--- error_code: 201
--- response_body_like eval
::issued('CS-1', 10, 3)



=== Expect: 100-continue
--- raw_request eval
[
    "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n"
    . "Content-Type: application/json\r\nContent-Length: 44\r\n\r\n",
    '{"name":"Salt Bae","amount":10,"class":"CS"}'
]
--- raw_request_middle_delay: 0.1
--- error_code: 100
--- response_body_like eval
qr{\AHTTP/1\.1 201 Created\r\n.*\r\nLocation: /CS-1\r\n.*\r\n\r\n\{"cert_id":"CS-1",}s



=== the client goes before its body is there: nothing is issued
--- init
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => server_port())
    or die "connect: $!";
print $socket "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              . "Content-Length: 1000\r\n\r\n" . '{"name":"Salt Bae","amount":10,"class":"CS"}';
close $socket;
--- request
GET /
--- response_body_like: "entries":2,



=== pipelined: the numbers are in the order of the requests
--- pipelined_requests eval
[map { ::post($_ % 5 ? 'CS' : 'PS', $_) } 1 .. 100]
--- error_code eval
[(201) x 100]
--- response_body_like eval
my %number;
[map { my $class = $_ % 5 ? 'CS' : 'PS'; ::issued("$class-" . ++$number{$class}, $_, $_ + 2) } 1 .. 100]



=== pipelined: what is read comes after what was issued before
--- pipelined_requests eval
[
    ::post('CS', 1), 'GET /CS-1', 'GET /', ::post('CS', 2), 'GET /CS?after=1',
    'GET /CS-3', ::post('CS', 3), 'GET /CS-3'
]
--- error_code eval
[201, 200, 200, 201, 200, 404, 201, 200]
--- response_body_like eval
[
    ::issued('CS-1', 1, 3), ::issued('CS-1', 1, 3), '"entries":3,', ::issued('CS-2', 2, 4),
    '"certificates":\[\{"cert_id":"CS-2"', '"error":"not_found"', ::issued('CS-3', 3, 5),
    ::issued('CS-3', 3, 5)
]



=== pipelined: the connection stays after refusals, with their bodies
--- pipelined_requests eval
[
    "POST /\n[", "POST /\n{}", 'POST /', ::post('XX', 1), ::post('CS', 2600001), "POST /CS\n{}",
    "PUT /\n" . 'x' x 20000, "DELETE /x\nxyz", ::post('CS', 1), "GET /\nbody", ::post('CS', 2)
]
--- more_headers eval
[('Content-Type: application/json') x 8, 'Content-Type: text/plain', ('Content-Type: application/json') x 2]
--- error_code eval
[400, 422, 400, 422, 403, 405, 405, 404, 415, 200, 201]
--- raw_response_headers_like eval
[('\r\nConnection: keep-alive\r\n') x 10, '\r\nLocation: /CS-1\r\n.*\r\n?']



=== pipelined: bodies with a length and chunked ones, by turns
--- more_headers eval
[('Content-Type: application/json', $::chunked) x 3]
--- pipelined_requests eval
[
    map { ("POST /\n" . ::padded(5000, 1), "POST /\n" . ::chunked(::padded(5000, 1))) } 1 .. 3
]
--- error_code eval
[(201) x 6]
--- response_headers eval
[map { "Location: /CS-$_" } 1 .. 6]
