# Which clients get HTML and which get JSON; what the pages have in them; the directives
# for certificates. scripts/test-pages looks at how they look.

use strict;
use warnings;
use Digest::SHA qw(sha256_base64);
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $none = 'stockcert_ledger none { path ledgers/none; create off; company "None Inc."; class CS 1 "Common Stock"; }';
my $block = "$none\n" . 'stockcert_ledger acme { path ledgers/acme; size 64m; company "A & B <Inc.>"; class CS 2600000 "Common Stock"; class PS 750000 "Preferred Stock"; %s }';
my $server = Stockcert->new(http => sprintf($block, 'officer "Ann" "President"; officer "Bob" "Secretary"; par CS "no par value"; incorporated "Delaware"; legend "L1";'),
    location => "location / { stockcert acme; }\nlocation /sub { stockcert acme; }\nlocation /none { stockcert none; }\n")->start;
my $client = $server->client;

sub get {
    my ($uri, $accept, @more) = @_;
    return $client->ask('GET', $uri, undef, map({ "Accept: $_" } ref $accept ? @$accept : $accept // ()), @more);
}

is($client->issue('CS', $_, "holder $_")->{status}, 201, 'issued') for 1 .. 30;
is($client->issue('PS', 5, '<b>\\"&\'')->{status}, 201, 'issued');


# JSON as it was, for all who do not ask for HTML

for my $uri ('/', '/CS', '/CS?after=3&limit=2', '/CS-1') {
    my $json = get($uri);
    is($json->{headers}{'content-type'}, 'application/json', "$uri: JSON");
    is($json->{headers}{vary}, 'Accept', "$uri: it varies");
    ok(!exists $json->{headers}{'content-security-policy'}, "$uri: no policy for JSON");
    for my $accept ('*/*', 'application/json', 'application/*', 'text/*', 'application/json, text/html', 'text/html;q=0.5, application/json',
        'text/html;q=0', 'text/html;q=0.000, */*', 'text/html;q=0.5,*/*', 'text/htmlx', 'xtext/html', '', ',,', ';q=1', 'text/html ; q=0.2,*/*;q=0.8')
    {
        my $r = get($uri, $accept);
        is($r->{body}, $json->{body}, "$uri: $accept: the same JSON");
        is($r->{headers}{etag} // '', $json->{headers}{etag} // '', "$uri: $accept: the same ETag");
    }
    my $html = get($uri, 'text/html');
    for my $accept ('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'TEXT/HTML', 'text/html, */*', 'application/json;q=0.5, text/html;q=0.501',
        'text/html;level=1', "text/plain ,\ttext/html;q=1.0", 'text/html;q=0.001', ['text/plain', 'text/html'])
    {
        my $r = get($uri, $accept);
        is($r->{body}, $html->{body}, "$uri: " . (ref $accept ? 'two headers' : $accept) . ': the same HTML');
    }
    is("$html->{status} $html->{headers}{'content-type'} $html->{headers}{vary}", '200 text/html; charset=utf-8 Accept', "$uri: HTML");
    is($html->{headers}{'x-content-type-options'}, 'nosniff', "$uri: its type is to be believed");
    my ($style) = $html->{body} =~ m{<style>(.*)</style>}s;
    my $digest = sha256_base64($style);
    $digest .= '=' while length($digest) % 4;
    is($html->{headers}{'content-security-policy'}, "default-src 'none'; style-src 'sha256-$digest'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "$uri: the policy has the style sheet's digest");
    unlike($html->{body}, qr/<script|<link|<img| style=|javascript:|\@import/, "$uri: no script and nothing from outside");
    ok(!exists $html->{headers}{etag}, "$uri: no ETag, as it is not the ledger's alone");
    is($client->ask('HEAD', $uri, undef, 'Accept: text/html')->{headers}{'content-length'}, length $html->{body}, "$uri: HEAD");
}

my $named = get('/CS-1.html', 'application/json');
is($named->{body}, get('/CS-1', 'text/html')->{body}, 'CS-1.html is HTML for everybody');
is(get($_, 'text/html')->{status}, 404, "$_ is nothing") for '/XX.html', '/.html', '/CS.html.html', '/CS.htm', '/CS-.html', '/CS-0.html', '/CS-1.htm', '/CS-1.html.html', '/CS-99.html', '/index.html', '/XX';

# errors, for clients that prefer HTML; all others get JSON

my $hostile = '{"name":"x","amount":1,"class":"CS","<b>&":1}';
for (
    ['GET', '/CS-99', undef, 404, 'There is no such certificate or class', 'The stock book has all that there is.'],
    ['GET', '/XX', undef, 404, 'There is no such certificate or class', 'The stock book has all that there is.'],
    ['HEAD', '/CS-99', undef, 404],
    ['GET', '/CS?limit=0', undef, 400, 'A parameter is not valid', '&quot;limit&quot; must be 1 to 1000'],
    ['DELETE', '/CS-1', undef, 405, 'The method is not allowed here', 'see the Allow header'],
    ['POST', '/', '{', 400, 'The body is not JSON', 'Nothing was issued or changed. Correct that, and ask again.'],
    ['POST', '/', '', 400, 'The request has no body', '{&quot;name&quot;:&quot;Salt Bae&quot;'],
    ['POST', '/', ' ' x 20000, 413, 'The body is too large', 'at most 16384 bytes'],
    ['POST', '/', $hostile, 422, 'The body is not a grant', '&lt;b&gt;&amp;'],
    ['POST', '/', '{"name":"x","amount":1,"class":"XX"}', 422, 'The body is not a grant', '&quot;XX&quot; is not'],
    ['POST', '/', '{"name":"x","amount":750000,"class":"PS"}', 403, 'Not enough shares are left in the class', '749995 shares left, 750000 are requested'],
    ['POST', '/none', '{"name":"x","amount":1,"class":"CS"}', 503, 'The ledger cannot be used now', 'ask again later'],
    ['GET', '/none', undef, 503, 'The ledger cannot be used now', 'ask again later'],
) {
    my ($method, $uri, $body, $status, $title, $like) = @$_;
    my $what = "$method $uri, $status";
    my $html = $client->ask($method, $uri, $body, 'Accept: text/html,*/*;q=0.8');
    is("$html->{status} $html->{headers}{'content-type'} $html->{headers}{'cache-control'}", "$status text/html; charset=utf-8 no-store", "$what: a page");
    is($html->{headers}{'x-content-type-options'}, 'nosniff', "$what: its type is to be believed");
    like($html->{headers}{'content-security-policy'}, qr/^default-src 'none'/, "$what: the policy");
    like($html->{body}, qr/<h1>\Q$title\E<.*\Q$like\E.*<a href="\/(?:none)?\/?">Stock book<.*Status $status</s, "$what: what it is and what to do") if $title;
    unlike($html->{body}, qr/<b>/, "$what: escaped");
    unlike($html->{body}, qr/nothing was issued/i, "$what: which is said of what issues") if $method eq 'GET';
    my $json = $client->ask($method, $uri, $body);
    is("$json->{status} $json->{headers}{'content-type'} $json->{headers}{'cache-control'}", "$status application/problem+json no-store", "$what: JSON");
    is($json->{headers}{$_} // '', $html->{headers}{$_} // '', "$what: the same $_") for 'allow', 'retry-after';
}


# what is in a certificate

my $body = $named->{body};
my $json = get('/CS-1')->{json};
like($body, qr/A &amp; B &lt;Inc\.&gt;/, 'the company is escaped');
like($body, qr/Number <b>CS-1<.*<b>1<\/b> Share</s, 'number and shares');
like(get('/PS-1.html')->{body}, qr/ of the above class of stock \(PS\) of this corporation/, 'no comma for what is not said');
like($body, qr/<bdi>holder 1<.*one \(1\)<\/b> share of the above class of stock \(CS\), <bdi>no par value<\/bdi>, of this corporation/s, 'holder, words and figures');
like($body, qr/entry 3 &middot; seal $json->{seal} &middot; <a href="http:\/\/localhost\/CS-1">/, 'the record');
like($body, qr/laws of <bdi>Delaware<.*<bdi>L1<.*Ann.*President.*Bob.*Secretary.*<svg class="qr"/s, 'what was configured, and a QR code');
unlike($body, qr/DRAFT|CANCELLED|SURRENDERED/, 'neither a draft nor cancelled nor surrendered');
unlike(get('/PS-1.html')->{body}, qr/no par value/, 'the par value is of its class');
like(get('/PS-1.html')->{body}, qr/<bdi>&lt;b&gt;&quot;&amp;&#39;<\/bdi>/, 'a hostile name');
my $long = 'h' x (300 - length 'http:///CS-1');
for (['a', 1], [$long, 1], ["h$long", 0], ['h' x 2300, 0]) {
    my ($host, $code) = @$_;
    $client->connect;
    syswrite $client->{socket}, "GET /CS-1.html HTTP/1.1\r\nHost: $host\r\n\r\n";
    my $r = $client->receive;
    is("$r->{status} " . ($r->{body} =~ /<svg class="qr"/ ? 1 : 0), "200 $code", 'a Host of ' . length($host) . ' bytes: ' . ($code ? 'a' : 'no') . ' QR code');
}
$client->close;
like(get('/sub/CS-1.html')->{body}, qr/"http:\/\/localhost\/sub\/CS-1".*<a href="\/sub\/">Stock book/s, 'below a prefix');
is((tool('cancel', "$server->{dir}/ledgers/acme", 'CS-1', '--reason', 'a <reason>'))[0], 0, 'cancelled');
like(get('/CS-1.html')->{body}, qr/Cancelled on \d+ \w+ \d{4}: <bdi>a &lt;reason&gt;<.*>CANCELLED</s, 'a cancelled one says so');


# the stock book, and its pages

my $book = get('/', 'text/html')->{body};
like($book, qr/1,4\d\d|46\d of 2,600,000 authorized shares issued/, 'a class');
is(join(' ', $book =~ /<a href="\/[A-Z]+-\d+\.html">([^<]+)/g), join(' ', 'PS-1', map { "CS-$_" } reverse 12 .. 30), 'the latest certificates');
like($book, qr/<h2><a href="\/CS"><bdi>Common Stock<\/bdi> \(CS\)<\/a>/, 'links to classes');
my ($uri, @seen) = ('/CS?limit=7');
for (1 .. 10) {
    my $page = get($uri, 'text/html')->{body};
    push @seen, $page =~ /<a href="\/CS-(\d+)\.html">/g;
    last if $page !~ /rel="next" href="([^"]+)"/;
    ($uri = "/$1") =~ s/&amp;/&/g;
}
is("@seen", join(' ', 1 .. 30), 'pages of a class, one after the other');
like(get('/CS?after=7&limit=7', 'text/html')->{body}, qr/rel="prev" href="CS\?after=0&amp;limit=7"/, 'and back');
my $date = qr/\d+ \w+ \d{4}/;
like(get('/CS', 'text/html')->{body}, qr/CS-1\.html">CS-1<\/a><\/td><td class="who"><bdi>holder 1<\/bdi><\/td><td class="n"><s>1<\/s><\/td><td>$date<\/td><td class="void">$date<\/td>/,
    'a cancelled one in the list, with its date');
like(get('/CS', 'text/html')->{body}, qr/CS-2<\/a><\/td><td class="who"><bdi>holder 2<\/bdi><\/td><td class="n">2<\/td><td>$date<\/td><td class="void"><\/td>/, 'and one that is not');
like(get('/CS', 'text/html')->{body}, qr/464 of 2,600,000 authorized shares issued/, 'its share does not count');
like(get('/CS', 'text/html')->{body}, qr/<th[^>]*>Outstanding until<\/th>\s*<\/tr>/, 'the last column says until when');


# one that was transferred, and what came of it

is((tool('transfer', "$server->{dir}/ledgers/acme", 'CS-3', '--to', 'new & <b>:1', '--reference', 'a <reference>'))[0], 0, 'transferred');
$body = get('/CS-3.html')->{body};
like($body, qr/>SURRENDERED</, 'a surrendered one says so');
like($body, qr/Surrendered on $date/, 'and when');
unlike($body, qr/cancelled/i, 'and is not cancelled');
unlike(get('/CS-31.html')->{body}, qr/surrendered|cancelled/i, 'what came of it is outstanding');
like(get('/CS-31.html')->{body}, qr/<bdi>new &amp; &lt;b&gt;<.*one \(1\)/s, 'and the new holder\'s');
like(get('/CS', 'text/html')->{body}, qr/CS-3<\/a><\/td><td class="who"><bdi>holder 3<\/bdi><\/td><td class="n"><s>3<\/s><\/td><td>$date<\/td><td class="void">$date<\/td>/,
    'surrendered, in the list');
like(get('/CS', 'text/html')->{body}, qr/464 of 2,600,000 authorized shares issued/, 'as many shares as before');
is(join(' ', get('/CS?status=surrendered', 'text/html')->{body} =~ /\.html">(CS-\d+)/g), 'CS-3', 'a page of a status');
$server->stop;


# directives: wrong ones are told by nginx -t

my $w = 'x' x 256;
my @wrong = (
    ['officer "" "President";', 'invalid officer ""'],
    ['officer "Ann" "";', 'invalid title of an officer ""'],
    ['officer "Ann";', 'invalid number of arguments in "officer" directive'],
    ['officer "A" "B"; officer "A" "B"; officer "A" "B";', 'stockcert ledger "acme" has more than 2 officers'],
    ['incorporated "";', 'invalid state ""'],
    ['incorporated "A"; incorporated "B";', '"incorporated" directive is duplicate'],
    [qq(incorporated "$w";), 'must have at most 255 bytes'],
    ['par XX "$1";', 'invalid class of a par value "XX": must be one of the ledger\'s'],
    ['par CS "$1"; par CS "$2";', 'duplicate par value of class "CS"'],
    ['par CS "";', 'invalid par value ""'],
    ['legend "";', 'invalid legend ""'],
    [qq(legend "abc \xe2\x80\xaetxt";), 'must not contain characters that turn the line around'],
    [qq(officer "\xe2\xa0\x80" "President";), 'must have a character that can be seen'],
    [qq(officer "Ann" "\xe2\x81\xa6President";), 'must not contain characters that turn the line around'],
    [qq(incorporated "\xe2\x80\x8b";), 'must have a character that can be seen'],
    [qq(par CS "\xe2\x80\x8b";), 'must have a character that can be seen'],
    [qq(class A 1 "\xe2\x80\x8b";), 'must have a character that can be seen'],
    ['legend "' . 'x' x 1001 . '";', 'must have at most 1000 bytes'],
    ['legend "x"; ' x 5, 'stockcert ledger "acme" has more than 4 legends'],
);
for (@wrong) {
    my ($text, $like) = @$_;
    $server->{http} = sprintf $block, $text;
    my ($status, $out) = $server->run('-t');
    isnt($status, 0, "$like: refused");
    like($out, qr/\Q$like\E/, "$like: told");
}
$server->{http} = sprintf $block, 'legend "' . 'x' x 1000 . '"; officer "Ann" "President";';
is(($server->run('-t'))[0], 0, 'a long legend and one officer are right');
$server->start;
like(get('/CS-2.html')->{body}, qr/>DRAFT</, 'with one officer it is a draft');
$server->stop;

done_testing;
