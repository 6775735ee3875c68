# Variables: in the log, in headers and maps; of what was issued, refused, replayed; empty
# where they do not apply, in other locations, after redirects and in subrequests.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::HTTP2;
use Stockcert::Port;

my $format = join ' ', map { "$_=\$stockcert_$_" } qw(cert_id entry error wait_time replayed ledger);

my $h2_port = free_port();
my $server = Stockcert->new(workers => 1, flushes => 1, http => ledger('acme') . <<"END", location => <<'END', server => <<"END")->start;
    log_format vars '\$request_method \$uri \$status $format';
    map \$stockcert_error \$kind { volatile; default other; '' fine; not_found missing; }
END
    access_log vars.log vars;
    log_subrequest on;
    set $before "$stockcert_ledger$stockcert_cert_id$stockcert_error";
    location / {
        stockcert acme;
        stockcert_transactions on;
        add_header X-Id "<$stockcert_cert_id>" always;
        add_header X-Kind $kind always;
        add_header X-Wait "$stockcert_wait_time" always;
    }
    location /moved/ { rewrite ^/moved/(.*)$ /$1 last; }
    location /else { return 200 "<$stockcert_ledger$stockcert_error>\n"; }
    location /file { root nowhere; error_page 404 /else; }
    location /named/ { stockcert acme; deny all; error_page 403 = @named; }
    location @named { return 200 "<$stockcert_ledger>\n"; }
    location = /sub/CS-1 { auth_request /CS-1; auth_request_set $sub $stockcert_ledger; empty_gif; add_header X-Sub $sub; }
    location = /sub/CS-99 { auth_request /CS-99; error_page 500 =404 /else; empty_gif; }
    location /after/ { stockcert acme; auth_request /else/; }
END
    server {
        listen 127.0.0.1:$h2_port http2;
        access_log vars.log vars;
        location / { stockcert acme; stockcert_transactions on; }
    }
END

# asks, and returns the answer and the lines of the log, of which there are so many

our $lines = 1;
my $read = 0;

sub logged {
    my $log;
    wait_for('it is logged', sub { $log = substr slurp("$server->{dir}/vars.log"), $read; return ($log =~ tr/\n//) == $lines });
    $read += length $log;
    return $log =~ s/wait_time=\d+\.\d{3}(?= )/wait_time=T/gr;
}

sub ask {
    my (@ask) = @_;
    my $r = $server->client->ask(@ask);
    return ($r, logged());
}

my $none = 'cert_id=- entry=- error=- wait_time=- replayed=-';

my ($r, $line) = ask('POST', '/', grant('CS', 1, 'Ann'), 'Idempotency-Key: a');
is($line, "POST / 201 cert_id=CS-1 entry=3 error=- wait_time=T replayed=- ledger=acme\n", 'issued');
is($r->{headers}{'x-id'}, '<CS-1>', 'a header');
is($r->{headers}{'x-kind'}, 'fine', 'a map');
like($r->{headers}{'x-wait'}, qr/^\d+\.\d{3}$/, 'a time, in seconds');

($r, $line) = ask('POST', '/', grant('CS', 1, 'Ann'), 'Idempotency-Key: a');
is($line, "POST / 201 cert_id=CS-1 entry=3 error=- wait_time=T replayed=true ledger=acme\n", 'replayed');

($r, $line) = ask('POST', '/', grant('CS', 9000000, 'Ann'));
is($line, "POST / 403 cert_id=- entry=- error=insufficient_shares wait_time=T replayed=- ledger=acme\n", 'refused by the ledger');
is("$r->{headers}{'x-id'} $r->{headers}{'x-kind'}", '<> other', '... in headers');

($r, $line) = ask('POST', '/', '{"class":"CS-7\u0000\r\n"}');
is($line, "POST / 422 cert_id=- entry=- error=invalid_grant wait_time=- replayed=- ledger=acme\n", 'refused at once');

($r, $line) = ask('GET', '/CS-99');
is($line, "GET /CS-99 404 cert_id=- entry=- error=not_found wait_time=- replayed=- ledger=acme\n", 'not there');
is($r->{headers}{'x-kind'}, 'missing', '... in a map');
is_deeply([exists $r->{headers}{'x-wait'}], [''], '... a header that would be empty');

($r, $line) = ask('GET', '/CS-1');
is($line, "GET /CS-1 200 $none ledger=acme\n", 'read');

my $order = '{"type":"transfer","from":["CS-1"],"to":[{"name":"Eve","amount":1}],"reference":"x"}';
($r, $line) = ask('POST', '/transactions', $order, 'Idempotency-Key: b');
is($line, "POST /transactions 201 cert_id=- entry=4 error=- wait_time=T replayed=- ledger=acme\n", 'a transaction');
($r, $line) = ask('POST', '/transactions', $order, 'Idempotency-Key: b');
is($line, "POST /transactions 201 cert_id=- entry=4 error=- wait_time=T replayed=true ledger=acme\n", '... replayed');
($r, $line) = ask('POST', '/transactions', $order);
is($line, "POST /transactions 409 cert_id=- entry=- error=not_outstanding wait_time=T replayed=- ledger=acme\n", '... refused');

# elsewhere

($r, $line) = ask('GET', '/else');
is("$r->{body}$line", "<>\nGET /else 200 $none ledger=-\n", 'another location');
($r, $line) = ask('POST', '/moved/', grant('CS', 1, 'Bob'));
is($line, "POST / 201 cert_id=CS-3 entry=6 error=- wait_time=T replayed=- ledger=acme\n", 'an internal redirect to the ledger');
($r, $line) = ask('GET', '/file');
is("$r->{body}$line", "<>\nGET /else 404 $none ledger=-\n", 'an internal redirect elsewhere');
($r, $line) = ask('GET', '/named/');
is("$r->{body}$line", "<>\nGET /named/ 200 $none ledger=-\n", 'a named location');
$lines = 2;
($r, $line) = ask('GET', '/sub/CS-1');
is("$r->{status} $r->{headers}{'x-sub'}", '200 acme', 'a subrequest that finds something');
is($line, "GET /CS-1 200 $none ledger=acme\nGET /sub/CS-1 200 $none ledger=-\n", '... is logged by itself');
($r, $line) = ask('GET', '/sub/CS-99');
is($line, "GET /CS-99 404 cert_id=- entry=- error=not_found wait_time=- replayed=- ledger=acme\nGET /else 404 $none ledger=-\n",
    'a subrequest that does not');
($r, $line) = ask('POST', '/after/', grant('CS', 1, 'Joe'));
is($line, "POST /else/ 200 $none ledger=-\nPOST /after/ 201 cert_id=CS-4 entry=7 error=- wait_time=T replayed=- ledger=acme\n",
    'a subrequest that comes first');
($r, $line) = ask('GET', '/after/CS-1');
is($line, "GET /else/ 200 $none ledger=-\nGET /after/CS-1 200 $none ledger=acme\n", '... than a read');

# a client that leaves while it is waited for, as nginx sees it

sub gone {
    my ($path, $body, @fields) = @_;
    my $h2 = Stockcert::HTTP2->new($h2_port)->connect;
    my ($stream, @frames) = $h2->request('POST', $path, $body, 999, @fields);
    $server->hold('fdatasync', 'acme');
    $h2->write(@frames);
    $server->held('fdatasync');
    $h2->write($h2->reset($stream), Stockcert::HTTP2::frame('PING', 0, 0, 'pingping'));
    $h2->answer(0);
    $server->release('fdatasync');
    return logged();
}

SKIP: {
    skip 'TEST_NGINX_BINARY takes the LD_PRELOAD away', 2 if !$server->has_gate;
    $lines = 1;
    is(gone('/', grant('CS', 1, 'Kim'), 'idempotency-key' => 'c'),
        "POST / 499 cert_id=CS-5 entry=8 error=- wait_time=T replayed=- ledger=acme\n", 'a client that has gone: its certificate is logged');
    is(gone('/transactions', $order =~ s/CS-1/CS-5/r),
        "POST /transactions 499 cert_id=- entry=9 error=- wait_time=T replayed=- ledger=acme\n", '... a transaction');
}

is_deeply([$server->complaints], [], 'nothing to complain of in the log');
$server->stop;

# the module is there, and nobody uses it

$server = Stockcert->new(http => '', location => qq(location / { return 200 "<$format>\\n"; }))->start;
is($server->client->ask('GET', '/')->{body}, '<cert_id= entry= error= wait_time= replayed= ledger=>' . "\n", 'no ledger at all');
$server->stop;

done_testing;
