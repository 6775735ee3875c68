# All certificates of a class as one page, which is read and sent part by part: it is
# whole, of one moment, and the server has time for others meanwhile.

use strict;
use warnings;
use Compress::Zlib qw(memGunzip);
use IO::Socket::INET;
use Test::More;
use Stockcert;
use Stockcert::Checks;
use Stockcert::Tool;

my $n = 650;        # several parts of 200
my @locations = ('location / { stockcert; }', 'location /slow/ { limit_rate 40k; stockcert; }', 'location /zip/ { gzip on; gzip_min_length 0; stockcert; }',
    'location /sub/ { sub_filter John Jane; sub_filter_once off; stockcert; }');
my $server = Stockcert->new(workers => 1, location => join "\n", @locations)->start;
my $client = $server->client;
my $ledger = "$server->{dir}/ledgers/acme";

$client->send('POST', '/', grant('CS', 1, "John $_")) for 1 .. $n;
is(scalar(grep { $client->receive('POST')->{status} == 201 } 1 .. $n), $n, 'issued');
is((tool('cancel', $ledger, "CS-$_", '--reason', 'lost'))[0], 0, "CS-$_ is cancelled") for 1, 300;


# sends a request; the answer is read to the connection's end

sub begin {
    my ($method, $uri, $version, @headers) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->{port}) or die "connect: $!\n";
    print $socket join "\r\n", "$method $uri HTTP/$version", 'Host: localhost', 'Connection: close', @headers, '', '';
    return $socket;
}

sub end {
    my ($socket, $text) = @_;
    local $/;
    $text .= <$socket>;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    return ($head, $body) if $head !~ /^Transfer-Encoding: chunked/mi;
    my $whole = '';
    while ($body =~ s/\A([0-9a-f]+)\r\n//) {
        my $length = hex $1;
        return ($head, $whole) if $length == 0;
        $whole .= substr $body, 0, $length, '';
        $body =~ s/\A\r\n// or last;
    }
    return ($head, undef);
}

sub numbers { return join ' ', $_[0] =~ /\.html">CS-(\d+)<\/a>/g }

my $entries = $client->ask('GET', '/')->{json}{entries};
my ($head, $page) = end(begin('GET', '/CS.html', '1.1'));
like($head, qr/\AHTTP\/1\.1 200.*^Content-Type: text\/html; charset=utf-8\r\n.*^Content-Security-Policy: /ms, 'the page');
is(numbers($page), join(' ', 1 .. $n), 'it has all certificates, in order');
like($page, qr/<h2><bdi>Title of CS.*@{[ $n - 2 ]} of 2,600,000 authorized.*<footer><p>$entries entries.*<\/html>\n\z/s, 'and a beginning and an end');
is(scalar(() = $page =~ /<td class="void">\d/g), 2, 'and says which are cancelled');
is((end(begin('GET', '/CS.html', '1.0')))[1], $page, 'the same for HTTP/1.0');
($head, my $body) = end(begin('HEAD', '/CS.html', '1.1'));
is("$body " . $head =~ s/\r.*//sr, ' HTTP/1.1 200 OK', 'HEAD');
is(numbers((end(begin('GET', '/PS.html', '1.1')))[1]), '', 'a class without certificates');
like((end(begin('GET', '/XX.html', '1.1')))[0], qr/\AHTTP\/1\.1 404/, 'no such class');
like((end(begin('GET', '/CS', '1.1', 'Accept: text/html')))[1], qr/<a href="\/CS\.html">All certificates, to be printed</, 'a list has a link to it');


# filters that keep what they get

($head, $body) = end(begin('GET', '/zip/CS.html', '1.1', 'Accept-Encoding: gzip'));
like($head, qr/^Content-Encoding: gzip\b/mi, 'compressed');
is(memGunzip($body) =~ s/\/zip\//\//gr, $page, 'and the same');
is((end(begin('GET', '/sub/CS.html', '1.1')))[1] =~ s/\/sub\//\//gr, $page =~ s/John/Jane/gr, 'with another text in it');


# of one moment, for a client that is slow

my $slow = begin('GET', '/slow/CS.html', '1.1');
sysread $slow, my $first, 1024 or die "nothing came: $!\n";
is((tool('cancel', $ledger, "CS-$_", '--reason', 'lost'))[0], 0, "CS-$_ is cancelled meanwhile") for 2, $n;
is($client->issue('CS', 1, 'late')->{status}, 201, 'and others are served');
like((end(begin('GET', '/CS', '1.1')))[1], qr/"cert_id":"CS-2",.*"cancelled"/, 'who read it later');
is((end($slow, $first))[1] =~ s/\/slow\//\//gr, $page, 'the page does not know of it');
is(scalar(() = (end(begin('GET', '/CS.html', '1.1')))[1] =~ /<td class="void">\d/g), 4, 'the next one does');


# clients that go away

for (1 .. 20) {
    my $socket = begin('GET', $_ % 2 ? '/slow/CS.html' : '/CS.html', '1.1');
    sysread $socket, my $some, 100 if $_ % 3;
    close $socket;
}
is(numbers((end(begin('GET', '/CS.html', '1.1')))[1]), join(' ', 1 .. $n + 1), 'all is well after clients that went away');
$server->stop;
quiet($server);

done_testing;
