# What a grant may say besides, who asked for it, and the certificates of a status.

use strict;
use warnings;
use Cpanel::JSON::XS;
use POSIX qw(strftime);
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $server = Stockcert->new(http => ledger('acme', CS => 1000000, PS => 1000), location => <<'EOT')->start;
location / { stockcert; stockcert_actor $http_x_who; }
EOT
my $ledger = "$server->{dir}/ledgers/acme";
my $client = $server->client;
my $seal = qr/[0-9a-f]{64}/;

sub get { return $client->ask('GET', @_) }
sub post { return $client->ask('POST', '/', @_) }
sub with { my ($more, $class) = @_; return qq({"name":"Ann","amount":1,"class":"@{[$class // 'CS']}"$more}) }
sub day { return strftime('%Y-%m-%d', gmtime(time + 14 * 3600 + 86400 * $_[0])) }
sub entries { return get('/')->{json}{entries} }

sub problem_is {
    my ($r, $status, $error, $what, %more) = @_;
    $more{$_} //= $r->{json}{$_} for qw(type title status);
    is("$r->{status} $r->{headers}{'content-type'}", "$status application/problem+json", "$what: $status");
    is_deeply($r->{json}, { error => $error, %more }, "$what: $error");
}


# each alone, and all at once: in the answer as they were sent, in one order, and
# so in what is read

my %long = (holder_id => 64, address => 255, capacity => 255, reference => 255);
my @more = (
    (map { [$_, '"' . 'x' x $long{$_} . '"'] } sort keys %long),
    ['holder_id', '"~ !\"\\\\"'], ['holder_id', '"7"'],
    ['address', "\"1 M\xc3\xbchlweg, \\\"Haus\\\", 10115 Berlin\""],
    ['capacity', '"custodian for Bob Jr. under the UTMA"'], ['capacity', '"pledgee, collateral security only"'],
    (map { ['price', "\"$_\""] } '0 USD', '0.01 USD', '0.0 EUR', '10 JPY', '999999999999999.9999999999 XTS'),
    (map { ['effective', "\"$_\""] } '0001-01-01', '1899-12-31', '2000-02-29', '2024-02-29', day(0)),
    ['reference', '"Board consent of 2026-11-20"'],
);
for my $more (@more, [join ',', 'holder_id', qw(address capacity price effective reference)]) {
    my ($name, $value) = @$more;
    my $members = defined $value ? qq(,"$name":$value)
        : ',"holder_id":"7","address":"1 Main Street","capacity":"trustee","price":"1.50 USD","effective":"2026-01-31","reference":"Consent"';
    my $what = length $members < 60 ? $members : substr($members, 0, 60) . '...';
    my $r = post(with($members));
    is($r->{status}, 201, "$what: issued");
    my ($plain, $rest) = $r->{body} =~ /\A(\{"cert_id":"CS-\d+","stakeholder":"Ann",.*,"seal":"$seal")(.*)\}\n\z/;
    is($rest, $members, "$what: in the answer, after all others");
    my $id = $r->{json}{cert_id};
    is(get("/$id")->{body}, qq($plain$members,"status":"outstanding"}\n), "$what: read");
    is(get('/CS?limit=1&after=' . ($r->{json}{number} - 1))->{json}{certificates}[0]{(split /,/, $name)[-1]},
        $r->{json}{(split /,/, $name)[-1]}, "$what: in a list");
}
my $r = post('{"reference":"R","effective":"2026-01-31","price":"2 USD","class":"CS","capacity":"C","amount":1,"address":"A","name":"Ann","holder_id":"H"}');
like($r->{body}, qr/"seal":"$seal","holder_id":"H","address":"A","capacity":"C","price":"2 USD","effective":"2026-01-31","reference":"R"\}\n\z/, 'in any order');
like(post(with(''))->{body}, qr/"seal":"$seal"\}\n\z/, 'none of them');


# what is wrong with them

my %faults = (
    holder_id => [['must be 1 to 64 printable ASCII characters', '""', '"' . 'x' x 65 . '"', '"a\nb"', '"\u007f"', '"\u00fc"', '"\u0000"']],
    price => [['must be such as "0.01 USD": up to 15 digits, up to 10 after a point, and a currency',
        map { "\"$_\"" } '', '1', 'USD', '1USD', '1  USD', ' 1 USD', '1 USD ', '01 USD', '00 USD', '-1 USD', '+1 USD', '.5 USD', '1. USD', '1.00000000000 USD',
        '1000000000000000 USD', '1 US', '1 USDX', '1 usd', '1,5 USD', '1e3 USD', '1 USD\u0000']],
    effective => [['must be a date such as "2026-11-20"', map { "\"$_\"" } '', '2026-02-29', '1900-02-29', '2026-02-30', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00',
        '2026-01-32', '0000-01-01', '2026-1-1', '20260101', '2026/01/01', '2026-01-01T00:00:00Z', ' 2026-01-01', '2026-01-0a', '+026-01-01']],
);
for my $name (qw(address capacity reference)) {
    $faults{$name} = [
        ['must not be empty', '""'], ['must have at most 255 bytes in UTF-8', '"' . 'x' x 256 . '"', '"' . '\u00fc' x 128 . '"'],
        ['must not contain control characters', '"a\nb"', '"\u0000"', '"\u0085"'], ['must not be only white space', '" "', '"\u3000"'],
        ['must have a character that can be seen', '"\u200b"'],
        ['must not contain characters that turn the line around (U+202A to U+202E, U+2066 to U+2069)', '"a\u202eb"'],
    ];
}
my $before = entries();
for my $name (sort keys %faults) {
    for my $fault (@{$faults{$name}}, ['must be a string', 'null', '1', 'true', '[]', '{}']) {
        my ($words, @values) = @$fault;
        problem_is(post(with(qq(,"$name":$_))), 422, 'invalid_grant', "$name " . substr($_, 0, 30), detail => qq("$name" $words), member => $name) for @values;
    }
    problem_is(post(with(qq(,"$name":"2026-01-01","$name":"2026-01-01"))), 400, 'member_twice', "$name twice", detail => 'the body has a member twice');
}
problem_is(post(with(',"reference":"","holder_id":""')), 422, 'invalid_grant', 'two faults', member => 'holder_id', detail => '"holder_id" must be 1 to 64 printable ASCII characters');
problem_is(post('{"name":"","amount":1,"class":"CS","price":1}'), 422, 'invalid_grant', 'a fault of another member', member => 'name', detail => '"name" must not be empty');
problem_is(post(with(',"actor":"Eve"')), 422, 'invalid_grant', 'who asked is not asked', member => 'actor', detail => '"actor" is unknown; a grant has "name", "amount" and "class"');
problem_is(post(with(',"effective":"9999-12-31"')), 422, 'invalid_grant', 'far too late', member => 'effective', detail => '"effective" must not be later than today');
problem_is(post(with(',"effective":"9999-12-31"', 'XX')), 422, 'invalid_grant', 'too late, in no class', member => 'class', detail => '"class" must be one of the ledger\'s, "XX" is not');
is(entries(), $before, 'nothing was issued');

# the first date that is too late; if midnight is between, it is asked again

my $day;
do { $day = day(1); $r = post(with(qq(,"effective":"$day"))) } while $day ne day(1);
problem_is($r, 422, 'invalid_grant', 'tomorrow, wherever on earth', member => 'effective', detail => '"effective" must not be later than today');


# replays

my @key = ('Idempotency-Key: k');
my $all = ',"holder_id":"7","address":"1 Main Street","capacity":"trustee","price":"1.50 USD","effective":"2026-01-31","reference":"Consent"';
my $first = post(with($all), @key);
is("$first->{status} " . ($first->{headers}{'idempotent-replayed'} // 'new'), '201 new', 'with a key: issued');
for my $again (with($all), with($all) =~ s/("capacity":"trustee"),("price":"1\.50 USD")/ $2 , $1 /r, with($all) =~ s/Main/M\\u0061in/r) {
    $r = post($again, @key);
    is("$r->{status} $r->{headers}{'idempotent-replayed'} $r->{body}", "201 true $first->{body}", 'with a key: replayed');
}
my %other = (holder_id => 8, address => '1 main Street', capacity => 'trustees', price => '1.5 USD', effective => '2026-01-30', reference => 'consent');
for my $name (sort keys %other) {
    problem_is(post(with($_), @key), 422, 'idempotency_key_reused', "the key with another $name, or none", detail =>
        'a certificate was issued, or a transaction entered, for this Idempotency-Key and another body; what is new needs a new key')
        for $all =~ s/,"$name":"[^"]*"//r, $all =~ s/("$name":)"[^"]*"/$1"$other{$name}"/r;
}
is(post(with(''), 'Idempotency-Key: plain')->{status}, 201, 'a plain grant with a key');
is(post(with(',"price":"1 USD"'), 'Idempotency-Key: plain')->{json}{error}, 'idempotency_key_reused', 'the key of a plain grant, with more members');

# what is no longer outstanding is not answered as if it were

tool_out('transfer', $ledger, $first->{json}{cert_id}, '--to', 'Bob:1', '--reference', 'x');
$r = post(with($all), @key);
my $read = get("/$first->{json}{cert_id}")->{json};
is("$r->{status} $r->{headers}{'idempotent-replayed'}", '201 true', 'surrendered: replayed');
is($r->{body}, $first->{body} =~ s/\}\n\z//r . qq(,"status":"surrendered","surrendered_at":"$read->{surrendered_at}","transaction":$read->{transaction}}\n), 'surrendered: with what came of it');


# who asked: in the log, not in answers

sub logged { return decode_json((split /^/, tool_out('log', $ledger, '--json'))[-1]) }

for (
    ['CN=Ann,O=Acme', 'CN=Ann,O=Acme'], ["J\xc3\xbcrgen", "J\xc3\xbcrgen"], ["a\xffb\xc3", 'a?b?'], ["a\tb", 'a?b'], ["\xed\xa0\x80", '???'],
    ['x' x 255, 'x' x 255], ['x' x 256, 'x' x 252 . "\xe2\x80\xa6"], ["\xc3\xbc" x 200, "\xc3\xbc" x 126 . "\xe2\x80\xa6"],
) {
    my ($who, $told) = @$_;
    my $what = substr($told, 0, 20) . (length $told > 20 ? '...' : '');
    $r = post(with(''), "X-Who: $who");
    like($r->{body}, qr/"seal":"$seal"\}\n\z/, "$what asked: not in the answer");
    like(get("/$r->{json}{cert_id}")->{body}, qr/"seal":"$seal","status":"outstanding"\}\n\z/, "$what asked: not in what is read");
    my $line = (split /^/, tool_out('log', $ledger))[-1];
    like($line, qr/^ *\d+  \S+Z  issued +$r->{json}{cert_id} .* actor \Q$told\E\n\z/, "$what asked: the log");
    utf8::decode($told);
    is(logged()->{actor}, $told, "$what asked: the journal");
}
for my $headers ([], ['X-Who: ']) {
    post(with(''), @$headers);
    ok(!exists logged()->{actor}, 'nobody asked');
    unlike((split /^/, tool_out('log', $ledger))[-1], qr/actor/, 'nobody asked: the log');
}
$r = post(with($all), 'X-Who: Ann');
is(logged()->{actor}, 'Ann', 'asked with all members');
is_deeply([@{logged()}{qw(holder_id reference)}], ['7', 'Consent'], 'and these are there, too');
$first = post(with($all), 'X-Who: Ann', 'Idempotency-Key: who');
$before = entries();
is(post(with($all), 'X-Who: Bob', 'Idempotency-Key: who')->{body}, $first->{body}, 'a replay for another is the same request');
is(entries(), $before, 'and enters nothing');
is(logged()->{actor}, 'Ann', 'who asked first stays');


# the certificates of a status; PS-1 to PS-6 are issued, then some are no more

is(post(with('', 'PS'))->{status}, 201, 'issued') for 1 .. 6;
tool_out('transfer', $ledger, $_, '--to', 'Bob:1', '--reference', 'x') for qw(PS-1 PS-2);    # PS-7, PS-8
tool_out('cancel', $ledger, 'PS-5', '--reference', 'an error');

sub page {
    my ($query) = @_;
    $r = get("/PS?$query");
    is($r->{status}, 200, "?$query: 200");
    my ($json, $next) = ($r->{json}, $r->{json}{next} // '');
    is($r->{headers}{link} // '', $next && "<$next>; rel=\"next\"", "?$query: Link");
    my ($status) = $query =~ /status=(\w+)/;
    is(scalar(grep { $_->{status} ne $status } @{$json->{certificates}}), 0, "?$query: no other status") if $status;
    is_deeply([sort keys %$json], [sort qw(class certificates), $next ? 'next' : ()], "?$query: its members");
    return join ' ', map({ $_->{number} } @{$json->{certificates}}), $next =~ s/^\/PS\?//r || 'end';
}

is(page('status=outstanding'), '3 4 6 7 8 end', 'outstanding');
is(page('status=surrendered'), '1 2 end', 'surrendered');
is(page('status=cancelled'), '5 end', 'cancelled');
is(page('limit=8'), '1 2 3 4 5 6 7 8 end', 'all');
is(page('status=outstanding&limit=3'), '3 after=3&limit=3&status=outstanding', 'the limit counts what is looked at');
is(page('after=3&limit=3&status=outstanding'), '4 6 after=6&limit=3&status=outstanding', 'next keeps the status');
is(page('after=6&limit=3&status=outstanding'), '7 8 end', 'to the end');
is(page('STATUS=outstanding&limit=2'), 'after=2&limit=2&status=outstanding', 'an empty page with next');
is(page('status=cancelled&limit=1'), 'after=1&limit=1&status=cancelled', 'and so at every step');
is(page('status=cancelled&after=5'), 'end', 'an empty page at the end');
is(page('status=cancelled&after=99'), 'end', 'beyond the end');
is(get('/PS?status=cancelled&after=5')->{body}, qq({"class":"PS","certificates":[]}\n), 'what an empty page is');
is(get('/PS?status=outstanding&limit=2')->{body}, qq({"class":"PS","certificates":[],"next":"/PS?after=2&limit=2&status=outstanding"}\n), 'and one with next');
for my $status (qw(outstanding surrendered cancelled)) {
    my ($next, @numbers) = ("/PS?status=$status&limit=1");
    for (1 .. 8) {
        my $json = get($next)->{json};
        push @numbers, map { $_->{number} } @{$json->{certificates}};
        $next = $json->{next} // last;
    }
    is(join(' ', @numbers, 'end'), page("status=$status"), "$status: one at a time");
}
my %life = map { $_->{cert_id} => $_ } @{get('/PS')->{json}{certificates}};
my ($cancelled, $surrendered) = @life{qw(PS-5 PS-1)};
is_deeply([@$cancelled{qw(status reason)}], ['cancelled', 'an error'], 'cancelled: why');
is($cancelled->{cancelled_at}, $cancelled->{surrendered_at}, 'cancelled: when');
ok(!grep({ exists $surrendered->{$_} } qw(cancelled_at reason)), 'surrendered is not cancelled');
ok(!grep({ exists $_->{became} or exists $_->{came_from} } values %life), 'a list does not have what certificates became');
is_deeply(get('/PS-1')->{json}, { %$surrendered, became => ['PS-7'] }, 'one alone does');
is_deeply(get('/PS-7')->{json}, { %{$life{'PS-7'}}, came_from => { transaction => $surrendered->{transaction}, certificates => ['PS-1'] } }, 'and where it came from');
is_deeply(get('/PS-5')->{json}, $cancelled, 'nothing came of what was cancelled');
$r = get('/PS?status=outstanding&limit=3', undef, 'Accept: text/html');
like($r->{body}, qr/<a rel="next" href="PS\?after=3&amp;limit=3&amp;status=outstanding">/, 'on a page, next keeps the status');
is($client->ask('HEAD', '/PS?status=outstanding&limit=2')->{headers}{link}, '</PS?after=2&limit=2&status=outstanding>; rel="next"', 'HEAD');

is(get("/PS?$_")->{json}{error}, 'bad_parameter', "?$_") for 'status', 'status=', 'status=x', 'status=Outstanding', 'status=outstanding%20', 'status=outstandin', 'status=outstandingx',
    'status=%6futstanding', 'status=outstanding,cancelled', 'status=outstanding&status=outstanding', 'status=outstanding&Status=cancelled', 'status=all', 'statu=outstanding', 'status=outstanding&x=1';
is(get("$_?status=outstanding")->{json}{error}, 'bad_parameter', "$_ has no status to ask for") for '/', '/PS-1';
is(get('/XX?status=outstanding')->{status}, 404, 'of no class');

is_deeply([$server->complaints], [], 'nothing to complain of in the log');
$server->stop;
my ($status, $out, $err) = tool('verify', $ledger);
is($status, 0, "the ledger is whole: $err");

done_testing();
