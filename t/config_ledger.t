# Configuration that is right, and what becomes of it once there is a ledger.

use Stockcert::Blocks;
use Test::Nginx::Socket 'no_plan';

# Blocks that follow one another on the same ledger have it below $TEST_NGINX_LEDGERS.

our $dir = default_sections(
    http_config  => undef,
    no_error_log => "authorized shares\nhas the title\n[error]\n[alert]\n[crit]\n[emerg]\n",
);

sub post {
    my ($class, $amount, $path) = @_;

    $path ||= '/';
    return qq(POST $path\n{"name":"Salt Bae","amount":$amount,"class":"$class"});
}

no_shuffle();
no_root_location();
no_long_string();
log_level('info');
run_tests();

__DATA__

=== a location before its ledger
--- http_config
    server {
        listen       $TEST_NGINX_SERVER_PORT;
        server_name  early;

        location / { stockcert acme; }
    }

    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
--- config
    location / { return 200 "late\n"; }
--- more_headers eval
["Host: early\nContent-Type: application/json", 'Host: early', 'Host: localhost']
--- request eval
[::post('CS', 1), 'GET /CS-1', 'GET /']
--- error_code eval
[201, 200, 200]
--- response_body_like eval
['"cert_id":"CS-1"', '"cert_id":"CS-1"', '\Alate\n\z']



=== stockcert without a name before its ledger
--- http_config
    server {
        listen       $TEST_NGINX_SERVER_PORT;
        server_name  early;

        location / { stockcert; }
    }

    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
--- more_headers
Host: early
--- request
GET /
--- response_body_like: "company":"Impossible Cuts Inc\."



=== a location in a location
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
--- config
    location /a/ {
        location /a/b/ { stockcert acme; }
        return 200 "outer\n";
    }

    location /c/ {
        stockcert acme;

        location /c/d/ { return 200 "inner\n"; }
        location ~ \.txt$ { return 200 "text\n"; }
    }
--- request eval
[
    ::post('CS', 1, '/a/b/'), 'GET /a/b/CS-1', 'GET /a/', ::post('CS', 1, '/c/'), 'GET /c/CS-1',
    'GET /c/d/', 'GET /c/x.txt'
]
--- error_code eval
[201, 200, 200, 201, 200, 200, 200]
--- response_headers eval
['Location: /a/b/CS-1', '', '', 'Location: /c/CS-2', '', '', '']
--- response_body_like eval
[
    '"number":1,', '"number":1,', '\Aouter\n\z', '"number":2,', '"number":1,', '\Ainner\n\z',
    '\Atext\n\z'
]



=== a location in a location, on the same ledger, and one with another directive that answers
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
--- config
    location /c/ {
        stockcert acme;

        location /c/d/ { stockcert; }
        location = /c/e { empty_gif; }
    }
--- request eval
['GET /c/d/CS', 'GET /c/e']
--- error_code eval
[200, 200]



=== a path relative to the prefix
--- http_config
    stockcert_ledger acme {
        path     some_temp/acme;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
--- config
    location /           { stockcert; }
    location /some_temp/ { root $TEST_NGINX_SERVER_ROOT; }
--- request eval
[::post('CS', 1), 'HEAD /some_temp/acme/data.mdb']
--- error_code eval
[201, 200]



=== a path that is not clean
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER//x/./y/;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
--- config
    location /       { stockcert; }
    location = /here { alias $TEST_NGINX_LEDGER/x/y/data.mdb; }
--- request eval
[::post('CS', 1), 'HEAD /here']
--- error_code eval
[201, 200]



=== a path with spaces and UTF-8
--- http_config eval
qq(stockcert_ledger acme {
       path     "\$TEST_NGINX_LEDGER/Impossible Cuts \xc3\xbc";
       company  "Impossible Cuts Inc.";
       class    CS 2600000 "Common Stock";
   })
--- request eval
::post('CS', 1)
--- error_code: 201



=== a ledger that no location has
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
--- config
    location = /here { alias $TEST_NGINX_LEDGER/data.mdb; }
--- request
HEAD /here



=== directives in another order, by include
--- http_config
    stockcert_ledger "Impossible Cuts" { class PS 1 x; size 2m; class CS 2 y; company z; path $TEST_NGINX_LEDGER; }
--- config
    location / { stockcert "Impossible Cuts"; }
--- request
GET /
--- response_body_like eval
'\A\{"company":"z","entries":2,"seal":"[0-9a-f]{64}","classes":\[\n'
. '\{"class":"CS","title":"y","authorized":2,"issued":0,"remaining":2,"certificates":0\},\n'
. '\{"class":"PS","title":"x","authorized":1,"issued":0,"remaining":1,"certificates":0\}\]\}\n\z'



=== parts of a ledger by include, one with a mask
--- user_files
>>> classes/1.conf
class CS 2 y;
>>> classes/2.conf
class PS 1 x;
>>> company.conf
company z;
--- http_config
    stockcert_ledger acme {
        include  $TEST_NGINX_SERVER_ROOT/html/classes/*.conf;
        path     $TEST_NGINX_LEDGER;
        include  $TEST_NGINX_SERVER_ROOT/html/company.conf;
    }
--- request
GET /
--- response_body_like: (?s)\A\{"company":"z","entries":2,.*"title":"y".*"title":"x"



=== the least and the most of everything
--- http_config eval
qq(stockcert_ledger a {
       path     \$TEST_NGINX_LEDGER/a;
       size     1m;
       company  "x";
       class    A 1 "x";
   }
   stockcert_ledger b {
       path     \$TEST_NGINX_LEDGER/b;
       size     1g;
       company  "@{['x' x 255]}";
       class    ABCDEFG8 9007199254740991 "@{["\xc3\xbc" x 127]}";
   }
   stockcert_ledger c {
       path     \$TEST_NGINX_LEDGER/c;
       size     1048577;
       company  " x ";
       class    A1 00001 " ";
   }) =~ s/" "/"\xc3\xbc "/r
--- config
    location /a/ { stockcert a; }
    location /b/ { stockcert b; }
    location /c/ { stockcert c; }
--- request eval
[::post('A', 1, '/a/'), ::post('ABCDEFG8', 9007199254740991, '/b/'), ::post('A1', 1, '/c/'),
 'GET /b/ABCDEFG8-1']
--- error_code eval
[201, 201, 201, 200]
--- response_headers eval
['Location: /a/A-1', 'Location: /b/ABCDEFG8-1', 'Location: /c/A1-1', '']



=== 64 classes
--- http_config eval
"stockcert_ledger acme {
     path     \$TEST_NGINX_LEDGERS/many;
     company  x;
     " . CORE::join("\n", map { "class C$_ $_ \"Class $_\";" } 1 .. 64) . "
 }"
--- request eval
[(map { ::post("C$_", $_) } 1, 32, 64), 'GET /', 'GET /C64', 'GET /C64-1']
--- error_code eval
[201, 201, 201, 200, 200, 200]
--- response_body_like eval
[('"number":1,') x 3, '"entries":67,.*(?:\{"class":"C\d+",[^}]*\},?\n?){64}\]\}\n\z', '"C64-1"', '"C64-1"']



=== 64 classes and another one: the ledger has no room for it, and is left as it is
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/many;
        company  x;
        class    D1 1 "Class D1";
    }
--- request eval
::post('C1', 1)
--- error_code: 503
--- error_log eval
qr/\[crit\] .*stockcert ledger "acme" in "\Q$::dir\E\/many": .*at most 64 classes/



=== 64 classes, one of which is configured
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/many;
        company  x;
        class    C2 2 "Class 2";
    }
--- request
GET /
--- response_body_like: "entries":67,.*(?:\{"class":"C\d+",[^}]*\},?\n?){64}\]\}\n\z



=== a class is opened the first time
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    CS 100 "Common Stock";
    }
--- request eval
[::post('CS', 60), 'GET /']
--- error_code eval
[201, 200]
--- response_body_like eval
['"cert_id":"CS-1"', '"entries":2,.*"title":"Common Stock","authorized":100,"issued":60,']



=== a total that is changed in the configuration is not applied, but told
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    CS 200 "Common Stock";
    }
--- request
GET /
--- response_body_like: "entries":2,.*"title":"Common Stock","authorized":100,"issued":60,"remaining":40,
--- error_log eval
qr/\[warn\] .*stockcert ledger "acme" has 100 authorized shares of class CS, not 200 as configured; to amend it: stockcert authorize \Q$::dir\E\/truth CS 200 --reference "\.\.\."/



=== nor at the next try, when shares run out
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    CS 200 "Common Stock";
    }
--- request eval
::post('CS', 41)
--- error_code: 403
--- response_body_like: "requested":41,"remaining":40\}
--- error_log
to amend it: stockcert authorize



=== a total that is less than what is issued
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    CS 1 "Common Stock";
    }
--- request eval
::post('CS', 1)
--- error_code: 201
--- response_headers
Location: /CS-2
--- error_log
has 100 authorized shares of class CS, not 1 as configured, and 60 are out, so that no fewer can be authorized: change the configuration



=== a title that is changed stays as it was, and this is told
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    CS 100 "Ordinary Shares";
    }
--- request
GET /
--- response_body_like: "entries":3,.*"title":"Common Stock","authorized":100,"issued":61,
--- error_log eval
qr/\[warn\] .*stockcert ledger "acme" has the title "Common Stock" for class CS/



=== a title that has more at its end
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    CS 100 "Common Stock ";
    }
--- request
GET /
--- response_body_like: "title":"Common Stock",
--- error_log
has the title "Common Stock" for class CS



=== another company is refused
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Possible Cuts Inc.";
        class    CS 100 "Common Stock";
    }
--- request eval
::post('CS', 1)
--- error_code: 503
--- response_headers
Content-Type: application/problem+json
Retry-After: 1
--- response_body_like: "error":"ledger_unavailable"
--- error_log eval
qr/\[crit\] .*stockcert ledger "acme" in "\Q$::dir\E\/truth": the ledger belongs to "Impossible Cuts Inc\.", the configuration says "Possible Cuts Inc\."/



=== another company: nothing is read, either
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc. ";
        class    XX 100 "Not to be opened";
    }
--- request
GET /CS-1
--- error_code: 503
--- error_log
[crit]
the ledger belongs to "Impossible Cuts Inc.", the configuration says "Impossible Cuts Inc. "



=== the company that it belongs to: all is as it was
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    CS 100 "Common Stock";
    }
--- request eval
['GET /', ::post('CS', 39), ::post('CS', 1), ::post('XX', 1)]
--- error_code eval
[200, 201, 403, 422]
--- response_body_like eval
[
    '"entries":3,[^\n]*\n\{"class":"CS","title":"Common Stock","authorized":100,"issued":61,'
    . '"remaining":39,"certificates":2\}\]\}\n\z', '"cert_id":"CS-3",.*"entry":4,',
    '"remaining":0\}', '"error":"invalid_grant"'
]



=== a class that is new in the configuration is opened
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    CS 100 "Common Stock";
        class    PS 10 "Preferred Stock";
    }
--- request eval
['GET /', ::post('PS', 1)]
--- error_code eval
[200, 201]
--- response_body_like eval
['"entries":5,.*"class":"PS","title":"Preferred Stock","authorized":10,', '"PS-1".*"entry":6,']



=== a class that is not configured any more stays in the ledger
--- http_config
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/truth;
        company  "Impossible Cuts Inc.";
        class    PS 10 "Preferred Stock";
    }
--- request eval
['GET /', 'GET /CS-3', ::post('CS', 1), ::post('PS', 1)]
--- error_code eval
[200, 200, 403, 201]
--- response_body_like eval
['"entries":6,.*"class":"CS".*"class":"PS"', '"cert_id":"CS-3"', '"remaining":0\}', '"PS-2"']
