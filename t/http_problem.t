# What is answered when something is wrong: one block for each row of the contract,
# or for each of its cases.

use Stockcert::Blocks;
use Test::Nginx::Socket 'no_plan';

use IO::Socket::INET;

our $dir = default_sections();

my %problems = (
    not_json               => [400, 'The body is not JSON'],
    member_twice           => [400, 'A member is there twice'],
    body_missing           => [400, 'The request has no body'],
    bad_parameter          => [400, 'A parameter is not valid'],
    insufficient_shares    => [403, 'Not enough shares are left in the class'],
    not_found              => [404, 'There is no such certificate or class'],
    method_not_allowed     => [405, 'The method is not allowed here'],
    body_too_large         => [413, 'The body is too large'],
    unsupported_media_type => [415, 'The body is not declared as JSON'],
    invalid_grant          => [422, 'The body is not a grant'],
    ledger_full            => [503, 'The ledger has no room'],
    ledger_unavailable     => [503, 'The ledger cannot be used now'],
);

my %details = (
    body_missing => 'the request must have a body such as '
                    . '{"name":"Salt Bae","amount":10,"class":"CS"}',
    bad_parameter => 'only lists have parameters: "after" must be a number or 0, "limit" must be '
                     . '1 to 1000, "status" of certificates must be "outstanding", '
                     . '"surrendered" or "cancelled", each once',
    not_found => q(a path is the inventory's (/), a class's (/CS) or a certificate's (/CS-17) )
                 . 'of this ledger',
    method_not_allowed     => 'see the Allow header for the methods that are',
    body_too_large         => 'the body must have at most 16384 bytes',
    unsupported_media_type => 'the request must have "Content-Type: application/json"',
    ledger_full => 'the disk is full or the ledger has reached its size; nothing was issued, '
                   . 'ask again when the operator has made room',
    ledger_unavailable => q(the server's error log says why; nothing was issued, ask again later),
);

# The body of a problem; $members are the further ones, as JSON.

sub problem {
    my ($error, $detail, $members) = @_;
    my ($status, $title) = @{ $problems{$error} };

    (my $type = $error) =~ tr/_/-/;
    $detail = $details{$error} if !defined $detail;
    $detail =~ s/(["\\])/\\$1/g;

    return qq({"type":"urn:stockcert:$type","title":"$title","status":$status,)
           . qq("detail":"$detail","error":"$error") . ($members ? ",$members" : '') . "}\n";
}

# The same of a GET, which could not have issued anything.

sub unreadable {
    return problem('ledger_unavailable', q(the server's error log says why; ask again later));
}

sub headers {
    my ($body, @more) = @_;

    return join "\n", 'Content-Type: application/problem+json', 'Cache-Control: no-store',
                'X-Content-Type-Options: nosniff',
                'Content-Length: ' . length $body, '!ETag', '!Location', @more;
}

# What says where a body ceases to be JSON.

our $not_json = qr/\A\Q${\problem('not_json', 'the body is not JSON: AT')}\E\z/;
$not_json =~ s/AT/line \\d+, column \\d+/;

sub invalid {
    my ($member, $words) = @_;

    return problem('invalid_grant', qq("$member" $words), qq("member":"$member"));
}

sub no_class {
    my ($class) = @_;

    return problem('invalid_grant', qq("class" must be one of the ledger's, "$class" is not),
                   '"member":"class"');
}

sub post {
    my ($class, $amount) = @_;

    return qq(POST /\n{"name":"Salt Bae","amount":$amount,"class":"$class"});
}

# A grant of $size bytes.

sub padded {
    my ($size) = @_;
    my ($start, $end) = ('{"name":"Salt Bae",', '"amount":10,"class":"CS"}');

    return $start . ' ' x ($size - length "$start$end") . $end;
}

sub chunked {
    return join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @_, '';
}

# For "init": asks for certificates until none is issued any more.

sub fill {
    my $body = '{"name":"' . 'x' x 255 . '","amount":1,"class":"CS"}';
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => server_port())
        or die "connect: $!";

    while (1) {
        print $socket "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                      . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
        $socket->flush;

        my ($status, $length) = (readline($socket) // die 'no answer') =~ / (\d+) /;
        while (readline($socket) =~ /^([^:]+): (.*)\r$/) {
            $length = $2 if $1 eq 'Content-Length';
        }
        my $answer;
        read $socket, $answer, $length;

        return if $status == 503;
    }
}

no_root_location();
no_long_string();
log_level('info');
run_tests();

__DATA__

=== 400: not JSON
--- request eval
my $grant = '{"name":"Salt Bae","amount":10,"class":"CS"}';
[
    (map { "POST /\n$_" }
        'x', '{', '"', '{"name":"Salt Bae","amount":10,"class":"CS"', 'name=Salt+Bae',
        '{"name":"Salt Bae","amount":10,"class":"CS",}', "$grant$grant", "$grant x",
        q({'name':'Salt Bae','amount':10,'class':'CS'}),
        '{"name":"Salt Bae","amount":010,"class":"CS"}',
        '{"name":"Salt Bae","amount":+1,"class":"CS"}',
        '{"name":"Salt Bae","amount":NaN,"class":"CS"}',
        qq({"name":"Salt\nBae","amount":10,"class":"CS"}),
        '{"name":"\x","amount":10,"class":"CS"}', "$grant // comment", "\0"),
    ::post('CS', 1)
]
--- error_code eval
[(400) x 16, 201]
--- response_headers eval
[(::headers(::problem('not_json', 'the body is not JSON: line 1, column 1'))) x 2,
 ('Content-Type: application/problem+json') x 14, 'Location: /CS-1']
--- response_body_like eval
[($::not_json) x 16, '']



=== 400: not UTF-8, and so not JSON
--- request eval
[
    (map { qq(POST /\n{"name":"$_","amount":10,"class":"CS"}) }
        "\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", '\ud800'),
    ::post('CS', 1)
]
--- error_code eval
[(400) x 7, 201]
--- response_headers eval
[('Content-Type: application/problem+json') x 7, 'Location: /CS-1']
--- response_body_like eval
[($::not_json) x 7, '']



=== 400: a member twice
--- request eval
[
    (map { "POST /\n$_" }
        '{"name":"Salt Bae","amount":10,"class":"CS","amount":10}',
        '{"name":"Salt Bae","name":"Pepper Bae","amount":10,"class":"CS"}',
        '{"name":"Salt Bae","n\u0061me":"Salt Bae","amount":10,"class":"CS"}',
        '{"class":"CS","class":"PS","name":"Salt Bae","amount":10}'),
    ::post('CS', 1)
]
--- error_code eval
[(400) x 4, 201]
--- response_headers eval
[(::headers(::problem('member_twice', 'the body has a member twice'))) x 4, 'Location: /CS-1']
--- response_body_like eval
[(quotemeta ::problem('member_twice', 'the body has a member twice')) x 4, '']



=== 400: body missing, of no length, chunked and empty
--- request eval
['POST /', 'POST /', "POST /\n" . ::chunked(), ::post('CS', 1)]
--- more_headers eval
my $type = "Content-Type: application/json\n";
[$type, "${type}Content-Length: 0", "${type}Transfer-Encoding: chunked", $type]
--- error_code eval
[400, 400, 400, 201]
--- response_headers eval
[(::headers(::problem('body_missing'))) x 3, 'Location: /CS-1']
--- response_body_like eval
[(quotemeta ::problem('body_missing')) x 3, '']



=== 400: after and limit out of bounds, and not numbers
--- request eval
[
    map { "GET /CS?$_" }
        'limit=0', 'limit=1001', 'limit=', 'limit=x', 'limit=-1', 'limit=1x',
        'limit=1.0', 'limit=%31', 'limit=18446744073709551617', 'after=', 'after=x', 'after=-1',
        'after=CS-1', 'after=9007199254740992', 'after=99999999999999999999',
        'after=1&limit=0', 'after=x&limit=1'
]
--- error_code eval
[(400) x 17]
--- response_headers eval
[(::headers(::problem('bad_parameter'), '!Link')) x 17]
--- response_body eval
[(::problem('bad_parameter')) x 17]



=== 403: not enough shares; a refusal uses no number and no shares
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER;
        size     16m;
        company  "Impossible Cuts Inc.";
        class    CS 10 "Common Stock";
        class    PS 1 "Preferred Stock";
    }
--- request eval
[
    ::post('CS', 11), ::post('CS', 9007199254740991), ::post('CS', 4), ::post('CS', 7),
    ::post('PS', 1), ::post('PS', 1), ::post('CS', 6), ::post('CS', 1), 'GET /'
]
--- error_code eval
[403, 403, 201, 403, 201, 403, 201, 403, 200]
--- response_headers eval
my $detail = 'class "CS" has 10 shares left, 11 are requested';
my $members = '"class":"CS","requested":11,"remaining":10';
[
    ::headers(::problem('insufficient_shares', $detail, $members)), '', 'Location: /CS-1',
    'Content-Type: application/problem+json', 'Location: /PS-1', '', 'Location: /CS-2', '', ''
]
--- response_body_like eval
sub refused {
    my ($class, $requested, $remaining) = @_;

    return quotemeta ::problem('insufficient_shares',
        qq(class "$class" has $remaining shares left, $requested are requested),
        qq("class":"$class","requested":$requested,"remaining":$remaining));
}
[
    refused('CS', 11, 10), refused('CS', 9007199254740991, 10), '"number":1,.*"entry":3,',
    refused('CS', 7, 6), '"number":1,.*"entry":4,', refused('PS', 1, 0), '"number":2,.*"entry":5,',
    refused('CS', 1, 0),
    '"entries":5,.*"issued":10,"remaining":0,"certificates":2.*"issued":1,"remaining":0,'
    . '"certificates":1'
]



=== 404: no such certificate
--- request eval
[
    ::post('CS', 1),
    map { "GET /$_" }
        'CS-2', 'PS-1', 'CS-0', 'CS-01', 'CS-', 'CS--1', 'CS-1x', 'CS-x', 'CS-%201', 'CS-1.0',
        'CS-+1', 'CS-0x1', 'CS-1-1', 'CS-9007199254740991', 'CS-9007199254740992',
        'CS-18446744073709551617', 'CS-99999999999999999999999999', 'CS-1/', 'CS-1/x', '-1',
        'CS1', 'cs-1', 'CS%2F1'
]
--- error_code eval
[201, (404) x 23]
--- response_headers eval
['', (::headers(::problem('not_found'))) x 23]
--- response_body_like eval
['', (quotemeta ::problem('not_found')) x 23]



=== 404: no such class, or not one at all
--- request eval
[
    map { "GET /$_" }
        'XX', 'C', 'CSX', 'cs', 'CS/', 'CS/CS', 'CS%20', '1', 'ABCDEFGHI', 'CS_A', 'favicon.ico',
        'XX-1', '%C3%9C', 'XX?limit=1'
]
--- error_code eval
[(404) x 14]
--- response_headers eval
[(::headers(::problem('not_found'), '!Link')) x 14]
--- response_body eval
[(::problem('not_found')) x 14]



=== 404: whatever the method
--- request eval
[
    'HEAD /XX', 'HEAD /CS-1', 'HEAD /cs', "POST /cs\n{}", "POST /CS/\n{}", "POST /CS-0\n{}",
    'DELETE /cs', "PUT /x\nx"
]
--- error_code eval
[(404) x 8]
--- response_headers eval
[(::headers(::problem('not_found'), '!Allow')) x 8]
--- response_body eval
[('') x 3, (::problem('not_found')) x 5]



=== 405: the methods of each kind of path
--- request eval
[
    (map { "$_ /" } qw(PUT DELETE PATCH OPTIONS MKCOL BREW)),
    (map { ("$_ /CS", "$_ /CS-1") } qw(POST PUT DELETE PATCH OPTIONS BREW)),
    "POST /CS\n{}", "PUT /\n{}", ::post('CS', 1)
]
--- error_code eval
[(405) x 20, 201]
--- response_headers eval
my $body = ::problem('method_not_allowed');
[
    (::headers($body, 'Allow: GET, HEAD, POST')) x 6, (::headers($body, 'Allow: GET, HEAD')) x 13,
    ::headers($body, 'Allow: GET, HEAD, POST'), 'Location: /CS-1'
]
--- response_body_like eval
[(quotemeta ::problem('method_not_allowed')) x 20, '']



=== 413: a body of 16384 bytes is taken, one of 16385 is not
--- request eval
["POST /\n" . ::padded(16384), "POST /\n" . ::padded(16385), "POST /\n" . ::padded(16384)]
--- error_code eval
[201, 413, 201]
--- response_headers eval
['Location: /CS-1', ::headers(::problem('body_too_large')), 'Location: /CS-2']
--- response_body_like eval
['', quotemeta ::problem('body_too_large'), '']



=== 413: chunked
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- request eval
[
    map { "POST /\n$_" }
        ::chunked(::padded(16384)), ::chunked(::padded(16385)),
        ::chunked(unpack '(a4097)*', ::padded(16385)), ::chunked(::padded(200000)),
        ::chunked(split //, ::padded(16384))
]
--- error_code eval
[201, 413, 413, 413, 201]
--- response_headers eval
['Location: /CS-1', (::headers(::problem('body_too_large'))) x 3, 'Location: /CS-2']
--- response_body_like eval
['', (quotemeta ::problem('body_too_large')) x 3, '']



=== 413: a body that is announced too large is not asked for
--- config
    location / {
        stockcert;
        lingering_timeout 100ms;
    }
--- raw_request eval
"POST / HTTP/1.1\r
Host: localhost\r
Content-Type: application/json\r
Content-Length: 16385\r
Expect: 100-continue\r
\r
"
--- error_code: 413
--- response_headers eval
::headers(::problem('body_too_large'), 'Connection: close')
--- response_body eval
::problem('body_too_large')



=== 413: the connection ends where the body is announced too large
--- raw_request eval
"POST / HTTP/1.1\r
Host: localhost\r
Content-Type: application/json\r
Content-Length: 16385\r
\r
" . ::padded(16385) . "GET / HTTP/1.1\r
Host: localhost\r
\r
"
--- error_code: 413
--- response_headers eval
::headers(::problem('body_too_large'), 'Connection: close')
--- response_body eval
::problem('body_too_large')



=== 413: the connection stays where the body was chunked
--- more_headers eval
[
    ("Content-Type: application/json\nTransfer-Encoding: chunked") x 2,
    'Content-Type: application/json'
]
--- pipelined_requests eval
[
    "POST /\n" . ::chunked(::padded(16385)), "POST /\n" . ::chunked(::padded(16384)),
    ::post('CS', 1)
]
--- error_code eval
[413, 201, 201]
--- response_headers eval
['', 'Location: /CS-1', 'Location: /CS-2']



=== 415: another content type, or none
--- request eval
[(::post('CS', 1)) x 12]
--- more_headers eval
[
    '', map { "Content-Type: $_" }
        'text/plain', 'application/jsonx', 'application/json-patch+json', 'application/jso',
        'json', 'application/x-www-form-urlencoded', 'application/problem+json', '',
        'application/json charset=utf-8', 'application/json, text/plain',
        'text/plain; charset=utf-8'
]
--- error_code eval
[(415) x 12]
--- response_headers eval
[(::headers(::problem('unsupported_media_type'), 'Accept-Post: application/json')) x 12]
--- response_body eval
[(::problem('unsupported_media_type')) x 12]



=== 415: JSON with another charset, or another parameter
--- request eval
[(::post('CS', 1)) x 5]
--- more_headers eval
[
    map { "Content-Type: application/json; $_" }
        'charset=iso-8859-1', 'charset=utf-16', 'charset="utf-8', 'charset=utf-88', 'version=2'
]
--- error_code eval
[(415) x 5]
--- response_headers eval
my $detail = '"Content-Type: application/json" may have no parameter but charset=utf-8, as JSON is always in UTF-8';
[(::headers(::problem('unsupported_media_type', $detail), 'Accept-Post: application/json')) x 5]
--- response_body eval
my $detail = '"Content-Type: application/json" may have no parameter but charset=utf-8, as JSON is always in UTF-8';
[(::problem('unsupported_media_type', $detail)) x 5]



=== 415: the content types that are taken
--- request eval
[(::post('CS', 1)) x 9]
--- more_headers eval
[
    map { "Content-Type: $_" }
        'application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8',
        'Application/JSON', 'APPLICATION/JSON; CHARSET=UTF-8',
        'application/json; charset="utf-8"', 'application/json ; charset=utf-8',
        "application/json;\tcharset=utf-8", 'application/json  '
]
--- error_code eval
[(201) x 9]
--- response_headers eval
[map { "Location: /CS-$_" } 1 .. 9]



=== 422: not an object
--- request eval
[map { "POST /\n$_" } '[]', 'null', 'true', '1', '1.5', '"name"', '[{"name":"Salt Bae"}]']
--- error_code eval
[(422) x 7]
--- response_headers eval
[(::headers(::problem('invalid_grant', 'the body must be a JSON object'))) x 7]
--- raw_response_headers_like eval
[('\AHTTP/1.1 422 Unprocessable Content\r\n') x 7]
--- response_body eval
[(::problem('invalid_grant', 'the body must be a JSON object')) x 7]



=== 422: name missing, or not a string
--- request eval
[
    map { "POST /\n{$_\"amount\":10,\"class\":\"CS\"}" }
        '', map { qq("name":$_,) } 'null', '1', 'true', '["Salt Bae"]', '{"first":"Salt"}'
]
--- error_code eval
[(422) x 6]
--- response_headers eval
[(::headers(::invalid('name', 'must be there, as a string'))) x 6]
--- response_body eval
[(::invalid('name', 'must be there, as a string')) x 6]



=== 422: name empty
--- request
POST /
{"name":"","amount":10,"class":"CS"}
--- error_code: 422
--- response_body eval
::invalid('name', 'must not be empty')



=== 422: name too long
--- request eval
[
    map { qq(POST /\n{"name":"$_","amount":10,"class":"CS"}) }
        'x' x 256, "\xc3\xbc" x 128, '\u00fc' x 128, "\xf0\x9f\xa5\xa9" x 64, 'x' x 10000
]
--- error_code eval
[(422) x 5]
--- response_body eval
[(::invalid('name', 'must have at most 255 bytes in UTF-8')) x 5]



=== 422: control characters in name
--- request eval
[
    map { qq(POST /\n{"name":"$_","amount":10,"class":"CS"}) }
        'Salt\nBae', '\u0000', 'Salt Bae\u0000', '\t', '\u001f', '\u007f', "\x7f", '\u0080',
        '\u009f', "\xc2\x85"
]
--- error_code eval
[(422) x 10]
--- response_body eval
[(::invalid('name', 'must not contain control characters')) x 10]



=== 422: name blank
--- request eval
[
    map { qq(POST /\n{"name":"$_","amount":10,"class":"CS"}) }
        ' ', '   ', '\u00a0', '\u3000', '\u2003 \u2028\u2029', "\xe2\x80\x89", '\u1680\u202f\u205f'
]
--- error_code eval
[(422) x 7]
--- response_body eval
[(::invalid('name', 'must not be only white space')) x 7]



=== 422: name of nothing that can be seen
--- request eval
[
    map { qq(POST /\n{"name":"$_","amount":10,"class":"CS"}) }
        '\u200b', "\xe2\x80\x8b", '\u200d\u200c', '\u00ad', '\u3164', '\u2800', '\ufeff', ' \u2060 ', '\u180e\ufe0f',
        '\udb40\udc41', '\u0301', "\xcc\x81", '\u093e\u094d', '\ue000', '\ufffc', '\ufffe', '\ud80d\udc41', '\ud81b\udfe4', '\udb80\udc00'
]
--- error_code eval
[(422) x 19]
--- response_body eval
[(::invalid('name', 'must have a character that can be seen')) x 19]



=== 422: name that turns the line around
--- request eval
[
    map { qq(POST /\n{"name":"$_","amount":10,"class":"CS"}) }
        'abc \u202etxt.exe', "\xe2\x80\xaeSalt Bae\xe2\x80\xac", (map { "Salt\\u$_" } qw(202a 202b 202c 202d 2066 2067 2068 2069)), '\u202e'
]
--- error_code eval
[(422) x 11]
--- response_body eval
[(::invalid('name', 'must not contain characters that turn the line around (U+202A to U+202E, U+2066 to U+2069)')) x 11]



=== 422: amount missing, not an integer, out of bounds
--- request eval
[
    map { "POST /\n{\"name\":\"Salt Bae\",$_\"class\":\"CS\"}" }
        '', map { qq("amount":$_,) }
            'null', '"10"', 'true', '[10]', '10.0', '1e1', '0.5', '0', '-0', '-1', '-10',
            '9007199254740992', '9223372036854775807', '-9223372036854775808'
]
--- error_code eval
[(422) x 15]
--- response_headers eval
[(::headers(::invalid('amount', 'must be an integer from 1 to 9007199254740991'))) x 15]
--- response_body eval
[(::invalid('amount', 'must be an integer from 1 to 9007199254740991')) x 15]



=== 422: amount beyond any number that a machine has
--- request eval
[
    map { qq(POST /\n{"name":"Salt Bae","amount":$_,"class":"CS"}) }
        '9223372036854775808', '18446744073709551617', '-9223372036854775809', '1e400', '9' x 1000
]
--- error_code eval
[(422) x 5]
--- response_body eval
[(::invalid('amount', 'must be an integer from 1 to 9007199254740991')) x 5]



=== 422: class missing, or not a string
--- request eval
[
    map { "POST /\n{\"name\":\"Salt Bae\",\"amount\":10$_}" }
        '', map { qq(,"class":$_) } 'null', '1', 'false', '["CS"]', '{}'
]
--- error_code eval
[(422) x 6]
--- response_body eval
[(::invalid('class', 'must be there, as a string')) x 6]



=== 422: class not a code
--- request eval
[
    map { ::post($_, 10) }
        '', 'cs', 'Cs', ' CS', 'CS ', '1A', 'C-S', 'CS-1', 'ABCDEFGHI', 'CS\u0000', 'C\u00dc', 'CS\n',
        'CS%00', 'X' x 300
]
--- error_code eval
[(422) x 14]
--- response_body eval
[(::invalid('class', 'must be 1 to 8 of A-Z and 0-9, a letter first')) x 14]



=== 422: class not one of the ledger's
--- request eval
[map { ::post($_, 10) } qw(XX C CSX CS1 ABCDEFGH)]
--- error_code eval
[(422) x 5]
--- response_headers eval
[map { ::headers(::no_class($_)) } qw(XX C CSX CS1 ABCDEFGH)]
--- response_body eval
[map { ::no_class($_) } qw(XX C CSX CS1 ABCDEFGH)]



=== 422: an unknown member, wherever it is
--- request eval
[
    map { "POST /\n$_" }
        '{"name":"Salt Bae","amount":10,"class":"CS","colour":1}',
        '{"colour":null,"name":"Salt Bae","amount":10,"class":"CS"}',
        '{"colour":{"a":[]}}'
]
--- error_code eval
[(422) x 3]
--- response_headers eval
my $body = ::invalid('colour', 'is unknown; a grant has "name", "amount" and "class"');
[(::headers($body)) x 3]
--- response_body eval
[(::invalid('colour', 'is unknown; a grant has "name", "amount" and "class"')) x 3]



=== 422: an unknown member with an odd name
--- request eval
[
    map { qq(POST /\n{"name":"Salt Bae","amount":10,"class":"CS","$_":1}) }
        'Name', '\"', '\u0001', "\xc3\xbc", '', ' name', 'name\\\\', '%s%V'
]
--- error_code eval
[(422) x 8]
--- response_body eval
[
    map { qq({"type":"urn:stockcert:invalid-grant","title":"The body is not a grant","status":422,)
          . qq("detail":"\\"$_\\" is unknown; a grant has \\"name\\", \\"amount\\" and \\"class\\"",)
          . qq("error":"invalid_grant","member":"$_"}\n) }
        'Name', '\"', '\u0001', "\xc3\xbc", '', ' name', 'name\\\\', '%s%V'
]



=== 422: an unknown member with a long name, which is cut between characters
--- request eval
qq(POST /\n{") . "\xc3\xbc" x 4000 . qq(":1})
--- error_code: 422
--- response_body_like eval
my $cut = qr/(?:\xc3\xbc){100,4000}/;
qr/"detail":"\\"$cut\\" is unknown; .*"member":"$cut"\}\n\z/



=== 422: an unknown member with a NUL in its name
--- request
POST /
{"name":"Salt Bae","amount":10,"class":"CS","name\u0000":1}
--- error_code: 422
--- response_body eval
::problem('invalid_grant', 'the body has a member with a NUL character in its name')



=== 422: nested as deep as a body can be
--- request eval
['POST /' . "\n" . '[' x 8192 . ']' x 8192, qq(POST /\n{"name":) . '[' x 3000 . ']' x 3000 . '}']
--- error_code eval
[422, 422]
--- response_body eval
[(::problem('invalid_grant', 'the body is nested too deep')) x 2]



=== after all these refusals the first number is still the next
--- request eval
[
    "POST /\n{}", "POST /\n[", ::post('XX', 1), ::post('CS', 0), ::post('CS', 2600001), 'PUT /',
    "POST /\n" . ::padded(16385), ::post('CS', 2600000), 'GET /'
]
--- error_code eval
[422, 400, 422, 422, 403, 405, 413, 201, 200]
--- response_headers eval
[('') x 7, 'Location: /CS-1', '']
--- response_body_like eval
[('') x 7, '"number":1,.*"entry":3,', '"entries":3,']



=== the order of checks: path, method, content type, size, JSON, grant, class, shares
--- request eval
[
    "PUT /cs\n[", "PUT /CS\n[", "POST /\n" . '[' x 16385, "POST /\n" . '[' x 16385, "POST /\n[",
    "POST /\n" . '{"name":"","amount":9007199254740991,"class":"XX"}',
    ::post('XX', 9007199254740991), ::post('CS', 9007199254740991)
]
--- more_headers eval
[('Content-Type: text/plain') x 3, ('Content-Type: application/json') x 5]
--- error_code eval
[404, 405, 415, 413, 400, 422, 422, 403]



=== 503: what is in the directory is no ledger
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/alien;
        size     16m;
        company  "Impossible Cuts Inc.";
        class    CS 10 "Common Stock";
    }
--- config
    location /      { stockcert; }
    location = /t   { return 200 "well\n"; }
    location = /mdb { alias $TEST_NGINX_LEDGERS/alien/data.mdb; }
--- user_files eval
[["$::dir/alien/data.mdb" => "This is no ledger.\n" x 1000]]
--- request eval
[
    ::post('CS', 1), 'GET /', 'GET /CS', 'GET /CS-1', 'HEAD /', 'HEAD /CS-1', 'GET /t',
    ::post('CS', 1), "POST /\n[", 'GET /x', 'PUT /', 'GET /mdb'
]
--- error_code eval
[(503) x 6, 200, 503, 400, 404, 405, 200]
--- response_headers eval
my ($posted, $read) = map { ::headers($_) . "\nRetry-After: 1" } ::problem('ledger_unavailable'), ::unreadable();
[$posted, ($read) x 5, '!Retry-After', $posted, ('!Retry-After') x 4]
--- response_body_like eval
[
    quotemeta ::problem('ledger_unavailable'), (quotemeta ::unreadable()) x 3, ('\A\z') x 2, '\Awell\n\z',
    quotemeta ::problem('ledger_unavailable'), '"error":"not_json"', '"error":"not_found"',
    '"error":"method_not_allowed"', '\A(?:This is no ledger\.\n){1000}\z'
]
--- no_error_log eval
['[alert]', '[emerg]', qr/\[crit\] (?!.*stockcert ledger "acme" in )/]



=== 503: the log says why
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/strange;
        size     16m;
        company  "Impossible Cuts Inc.";
        class    CS 10 "Common Stock";
    }
--- user_files eval
[["$::dir/strange/data.mdb" => "This is no ledger.\n" x 1000]]
--- request eval
::post('CS', 1)
--- error_code: 503
--- error_log eval
[
    qr{\[crit\] .*stockcert ledger "acme" in "\Q$::dir\E/strange": .*MDB_INVALID},
    qr{\[info\] .*stockcert answers 503 ledger_unavailable: .*client: 127\.0\.0\.1, .*request: "POST /}
]



=== 503: a new ledger of a company that shows nothing
--- http_config eval
qq(stockcert_ledger acme {
       path     \$TEST_NGINX_LEDGER;
       size     16m;
       company  "\xe2\x80\x8b";
       class    CS 10 "Common Stock";
   })
--- request eval
::post('CS', 1)
--- error_code: 503
--- error_log eval
qr{\[crit\] .*stockcert ledger "acme" in ".*": the company's name must have a character that can be seen}



=== 503: the directory cannot be made
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/file/acme;
        size     16m;
        company  "Impossible Cuts Inc.";
        class    CS 10 "Common Stock";
    }
--- user_files eval
[["$::dir/file" => "not a directory\n"]]
--- request eval
::post('CS', 1)
--- error_code: 503
--- response_headers
Retry-After: 1
--- response_body eval
::problem('ledger_unavailable')
--- error_log eval
[
    qr{\[emerg\] .*mkdir\(\) "\Q$::dir\E/file/acme" failed \(20: Not a directory\)},
    qr{\[crit\] .*stockcert ledger "acme" in "\Q$::dir\E/file/acme": .*Not a directory}
]



=== 503: the ledger has reached its size; what was issued can be read
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER;
        size     1m;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
--- config
    location / {
        stockcert;
        keepalive_requests 1000000;
    }
--- init
main::fill();
--- request eval
[
    qq(POST /\n{"name":") . 'x' x 255 . '","amount":1,"class":"CS"}', 'GET /', 'GET /CS-1',
    'GET /CS?after=100&limit=1'
]
--- error_code eval
[503, 200, 200, 200]
--- response_headers eval
[::headers(::problem('ledger_full')) . "\nRetry-After: 1", '', '', '']
--- response_body_like eval
[
    quotemeta ::problem('ledger_full'),
    '"issued":(\d+),"remaining":\d+,"certificates":\1\}', '"cert_id":"CS-1"',
    '"cert_id":"CS-101".*"next":'
]
--- no_error_log eval
['[alert]', '[emerg]', qr/\[crit\] (?!.*stockcert ledger "acme" in )/]
