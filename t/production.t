# conf/production.conf: who may not, cannot.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Production;
use Stockcert::Tool;

my $server = Stockcert::Production->new->start;
my $issuer = 'CN=issuer,O=Impossible Cuts Inc.';
my $registrar = 'CN=registrar,O=Impossible Cuts Inc.';
my @actors;     # of all that the journal must have, in its order

my %who = (
    nobody           => [],
    inside           => [from => '127.0.0.2'],
    rita             => [user => 'rita'],
    anna             => [user => 'anna'],
    paul             => [user => 'paul'],
    'no password'    => [user => 'anna', password => ''],
    'wrong password' => [user => 'anna', password => "paul's password"],
    'no such user'   => [user => 'eve', password => "anna's password"],
    issuer           => [cert => 'issuer'],
    registrar        => [cert => 'registrar'],
    auditor          => [cert => 'auditor'],
    stranger         => [cert => 'stranger'],
    expired          => [cert => 'expired'],
    alike            => [cert => 'alike'],
    'issuer in another case'    => [cert => 'Issuer'],
    'registrar in another case' => [cert => 'Registrar'],
    'issuer as paul'    => [cert => 'issuer', user => 'paul', password => 'x'],
    'auditor as anna'   => [cert => 'auditor', user => 'anna'],
    'auditor as x'      => [cert => 'auditor', user => 'anna', password => 'x'],
    'registrar as anna' => [cert => 'registrar', user => 'anna', password => 'x'],
);

sub ask { my ($who, @arg) = @_; return $server->https(@arg, @{$who{$who} || die $who}) }

# our own problem, and not nginx's page

sub problem_is {
    my ($r, $status, $error, $what) = @_;
    my ($type) = map { tr/_/-/r } $error;
    is("$r->{status} $r->{headers}{'content-type'} $r->{headers}{'cache-control'}", "$status application/problem+json no-store", "$what: $status");
    my $p = $r->{json} || {};
    is_deeply([$p->{error}, $p->{status}, $p->{type}, sort keys %$p], [$error, $status, "urn:stockcert:$type", qw(detail error status title type)], "$what: $error");
}

# a certificate that is not valid is refused whatever is asked

sub refused {
    my ($r, $what) = @_;
    problem_is($r, @{$what =~ /^(?:stranger|expired)\b/ ? [400, 'bad_request'] : [401, 'unauthorized']}, $what);
}

sub entered { my ($r, $actor, $what) = @_; is($r->{status}, 201, "$what: 201") and push @actors, $actor }


# who has not our name gets nothing

sub nothing_is {
    my ($what, @arg) = @_;
    my $r = $server->https('GET', '/', cert => 'issuer', @arg);
    is($r->{status}, 0, "nothing: $what");
    return $r->{exit};
}

my $no_handshake = 35;
is(nothing_is('another name', host => 'rebind.example', curl => ['-k']), $no_handshake, 'another name: no certificate');
is(nothing_is('an address', host => '127.0.0.1', curl => ['-k']), $no_handshake, 'an address: no certificate');
nothing_is('another Host below our name', headers => ['Host: rebind.example'], curl => ["--http$_"]) for '1.1', '2';
nothing_is('no Host', curl => ['--http1.1', '-H', 'Host:']);
nothing_is('another Host in clear text', scheme => 'http', headers => ['Host: rebind.example']);
nothing_is('an old TLS', curl => ['--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0']);


# reading

is(ask('inside', 'GET', '/')->{status}, 200, 'the ledger is there');
is(ask($_, 'GET', '/')->{status}, 200, "$_ reads") for qw(rita issuer registrar auditor alike), 'issuer in another case', 'registrar in another case';
is(ask($_, 'HEAD', '/')->{status}, 200, "$_ reads a head") for qw(inside rita auditor);
for my $who (qw(nobody anna paul stranger expired), 'no password', 'wrong password', 'no such user') {
    refused(ask($who, 'GET', $_), "$who: GET $_") for '/', '/CS.html', '/book/transactions';
}


# issuing

my $n = 0;
sub issue { my ($who, $path, @arg) = @_; $n++; return ask($who, 'POST', $path // '/', body => grant('CS', 1, "holder $n"), @arg) }

for my $who (qw(nobody inside rita paul registrar auditor stranger expired alike), 'issuer in another case', 'no password', 'wrong password', 'no such user', 'auditor as x', 'registrar as anna') {
    refused(issue($who), "$who issues");
}
entered(issue('issuer'), $issuer, 'a certificate issues');
entered(issue('anna'), 'anna', 'a password issues');
entered(issue('issuer as paul'), $issuer, 'a certificate, with a name that nobody checked');
entered(issue('auditor as anna'), 'anna', 'a password, with a certificate that may not');
my @spoof = map { ('-H', "$_: mallory") } qw(X-Remote-User X-Forwarded-User Remote-User REMOTE_USER X-SSL-Client-S-DN Ssl-Client-S-Dn Actor Stockcert-Actor From);
entered(issue('issuer', '/', curl => \@spoof), $issuer, 'a certificate, with headers that say somebody else');
entered(issue('anna', '/', curl => \@spoof), 'anna', 'a password, with such headers');
refused(issue('nobody', '/', curl => \@spoof), 'such headers alone');
refused(ask('nobody', $_, '/', body => '{}'), $_) for qw(PUT DELETE PATCH OPTIONS);
is(ask('issuer', 'PUT', '/', body => '{}')->{json}{error}, 'method_not_allowed', 'what the module refuses is its own');
is(ask('rita', 'POST', '/', body => grant('CS', 1, 'x'), curl => ['-H', "X-HTTP-Method-Override: GET"])->{status}, 401, 'no header makes another method of it');


# transactions

my $transfer = '{"type":"transfer","from":["CS-%d"],"to":[{"name":"Bob","amount":1}],"reference":"x"}';
sub transfer { my ($who, $number, $path, @arg) = @_; return ask($who, 'POST', $path // '/book/transactions', body => sprintf($transfer, $number), @arg) }

for my $who (qw(nobody inside rita anna issuer auditor stranger expired alike), 'registrar in another case', 'wrong password', 'issuer as paul', 'auditor as anna') {
    refused(transfer($who, 1), "$who transfers");
}
for my $path ('//book/transactions', '/./book/transactions', '/%62ook/transactions', '/x/../book/transactions', '/book/x/../transactions', '/book//transactions') {
    refused(transfer('issuer', 1, $path), "an issuer transfers at $path");
}
for my $path ('/transactions', '/%74ransactions', '/book/../transactions') {
    is(transfer('issuer', 1, $path)->{status}, 404, "an issuer transfers at $path: nothing is there");
    refused(transfer('registrar', 1, $path), "a registrar transfers at $path");
}
refused(issue($_, '/book/'), "$_ issues in the book") for qw(inside anna issuer);
entered(transfer('registrar', 1), $registrar, 'a certificate transfers');
entered(transfer('paul', 2), 'paul', 'a password transfers');
entered(transfer('registrar as anna', 3), $registrar, 'a certificate, with a name that nobody checked');
entered(issue('registrar', '/book/'), $registrar, 'who transfers issues in the book');
is(ask('rita', 'GET', '/book/transactions')->{status}, 200, 'who reads reads transactions');


# what nginx refuses

for (
    ['too large', 413, 'body_too_large', POST => '/', body => ' ' x 40000],
    ['too large in the book', 413, 'body_too_large', POST => '/book/', cert => 'registrar', body => ' ' x 200000],
    ['too large for the module', 413, 'body_too_large', POST => '/', body => ' ' x 20000],
    ['TRACE', 405, 'method_not_allowed', TRACE => '/'],
    ['a long URL', 414, 'uri_too_long', GET => '/' . 'x' x 9000, curl => ['--http1.1']],
    ['a long header', 400, 'bad_request', GET => '/', curl => ['--http1.1', '-H', 'X: ' . 'x' x 9000]],
    ['an unknown encoding', 501, 'not_implemented', POST => '/', curl => ['--http1.1', '-H', 'Transfer-Encoding: gzip', '-d', 'x']],
    ['clear text', 400, 'bad_request', GET => '/', scheme => 'http'],
) {
    my ($what, $status, $error, $method, $path, @arg) = @$_;
    problem_is($server->https($method, $path, cert => 'issuer', @arg), $status, $error, $what);
}
my %detail = map { $_ => ask('registrar', 'POST', '/book/', body => ' ' x $_)->{json}{detail} } 150000, 200000;
$detail{$_} = ask('issuer', 'POST', '/', body => ' ' x $_)->{json}{detail} for 20000, 40000;
like($detail{$_}, qr/^a grant has at most 16 KiB, a transaction 128 KiB$/, "$_ bytes: nginx does not read them") for 40000, 200000;
unlike($detail{$_}, qr/^a grant has/, "$_ bytes: the module refuses them") for 20000, 150000;
my $r = ask('nobody', 'GET', '/');
is($r->{headers}{'www-authenticate'}, 'Basic realm="stock ledger"', '401: how to log in');
is($r->{headers}{'strict-transport-security'}, 'max-age=31536000', 'a problem: TLS from now on');
$r = ask('inside', 'GET', '/');
is("$r->{version} $r->{headers}{'strict-transport-security'}", '2 max-age=31536000', 'an answer by HTTP/2: TLS from now on');
is(ask('issuer', 'POST', '/', body => '{}')->{json}{error}, 'invalid_grant', "the module's problems are left as they are");


# only the inner address tells how it is

sub inner { my ($path, @arg) = @_; return $server->https('GET', $path, scheme => 'http', host => '127.0.0.1', port => $server->{inner}, @arg) }

my $told = inner('/metrics');
is($told->{status}, 200, 'inside, /metrics');
like($told->{body}, qr/^stockcert_up\{ledger="impossible-cuts"\} 1$/m, 'it has metrics');
my $health = inner('/health');
is("$health->{status} $health->{json}{status}", '200 pass', 'inside, /health');
for my $path ('/metrics', '/health') {
    is(inner($path, from => '127.0.0.2')->{status}, 200, "$path, from an address that is named");
    is(inner($path, from => '127.0.0.3')->{status}, 403, "$path, from one that is not");
    is(inner($path, to => '127.0.0.2')->{status}, 0, "$path is on no other address");
    is(inner($path, host => $_)->{status}, 0, "$path, as $_") for 'rebind.example', 'stock.example.com', 'localhost';
    is(inner($path, curl => ['--http1.0', '-H', 'Host:'])->{status}, 0, "$path, without a Host");
    is(ask('issuer', 'GET', $path)->{json}{error}, 'not_found', "$path is not outside");
    refused(ask('nobody', 'GET', $path), "$path, outside, to nobody");
}
is(inner($_)->{status}, 404, "inside, $_: there is no ledger") for '/', '/CS-1';


# the log

my @key = (curl => ['-H', 'Idempotency-Key: log']);
entered(ask('issuer', 'POST', '/?log=1', body => grant('CS', 1, 'once'), @key), $issuer, 'with a key');
is(ask('issuer', 'POST', '/?log=2', body => grant('CS', 1, 'once'), @key)->{status}, 201, 'again');
ask('anna', 'POST', '/?log=3', body => '{}');
ask('wrong password', 'POST', '/?log=4', body => grant('CS', 1, 'x'));
my %log;
wait_for('all is in the log', sub {
    my @log = map { decode_json($_) } slurp("$server->{dir}/stockcert.log") =~ /^(.*)\n/mg;
    %log = map { $_->{request} =~ /log=(\d)/ ? ($1 => $_) : () } @log;
    return keys %log == 4;
});
my ($once, $again, $refused, $wrong) = @log{1 .. 4};
my $entry = ask('rita', 'GET', "/$once->{cert_id}")->{json};
is("$once->{status} $once->{ledger} $once->{entry} $once->{error}|$once->{certificate} $once->{verified}",
    "201 impossible-cuts $entry->{entry} |$issuer SUCCESS", 'the log: what was issued');
like($once->{waited}, qr/^\d+\.\d{3}$/, 'the log: how long it waited');
is("$again->{cert_id} $again->{entry}", "$once->{cert_id} $once->{entry}", 'the log: a replay is of the same');
isnt($again->{replayed}, $once->{replayed}, 'the log: and says so');
is("$refused->{status} $refused->{user} $refused->{error} $refused->{entry}", '422 anna invalid_grant ', 'the log: what is refused');
is("$wrong->{status} $wrong->{user} $wrong->{error}$wrong->{entry}", '401 anna ', 'the log: what nginx refuses');


# what was refused is not in the journal, and what is has the name of who asked

my $ledger = "$server->{dir}/ledgers/impossible-cuts";
my @entries = map { decode_json($_) } split /\n/, tool_out('export', $ledger, '--format', 'jsonl');
is_deeply([map { $_->{actor} } grep { defined $_->{actor} } @entries], \@actors, 'the journal has who asked');
my ($status) = tool('verify', $ledger);
is($status, 0, 'verify');
is_deeply([$server->complaints], [], 'nothing to complain of');
is($server->stop, 0, 'it ends');


# too fast: logins that fail, too

$server = Stockcert::Production->new(rate => '1r/m', burst => 3)->start;
for (['inside', 'GET', '/', 200], ['wrong password', 'GET', '/', 401], ['issuer', 'POST', '/book/', 401]) {
    my ($who, $method, $path, $first) = @$_;
    my @r;
    do { push @r, ask($who, $method, $path) } while @r < 100 && $r[-1]{status} != 503;
    problem_is($r[-1], 503, 'too_many_requests', "$who, $method, too fast");
    is($r[-1]{headers}{'retry-after'}, 1, "$who, $method, too fast: when to ask again");
    is($r[0]{status}, $first, "$who, $method: not too fast") if $who ne 'issuer';
}
is($server->stop, 0, 'it ends');

done_testing();
