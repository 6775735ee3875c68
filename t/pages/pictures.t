# The pictures in docs/, of a certificate and of a stock book, from a running nginx: see
# scripts/test-pages.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $out = $ENV{STOCKCERT_PAGES} or die "run scripts/test-pages\n";

my $server = Stockcert->new(
    http => <<'END',
stockcert_ledger acme {
    path ledgers/acme; size 64m; company "Impossible Cuts Inc."; incorporated "the State of Delaware";
    class CS 2600000 "Common Stock"; par CS "par value $0.0001 each"; class PS 750000 "Preferred Stock"; par PS "par value $0.0001 each";
    officer "Ann Smith" "President"; officer "Robert Jones" "Secretary";
    legend "The securities represented hereby have not been registered under the Securities Act of 1933 and may not be sold, transferred or assigned in the absence of an effective registration statement for these securities or an opinion of counsel that registration is not required.";
}
END
    location => 'location / { stockcert; stockcert_url https://stock.example.com/acme/; }',
)->start;
my $client = $server->client;

for (['CS', 'Ann Smith', 1000000], ['CS', 'Robert Jones', 500000], ['PS', 'Cleaver Ventures II, L.P.', 300000], ['CS', 'Salt Bae', 25000], ['CS', 'Jane Doe', 12500],
    ['PS', 'Chuck Roast Family Trust', 50000], ['CS', "Filet O'Brien", 4000], ['CS', 'Rosa Porterhouse', 4000])
{
    my ($class, $name, $amount) = @$_;
    my $r = $client->ask('POST', '/', encode_json({ name => $name, amount => $amount, class => $class }));
    is($r->{status}, 201, "$name has a certificate") or diag($r->{body});
}
my ($status) = tool('transfer', "$server->{dir}/ledgers/acme", 'CS-2', '--to', 'Tenderloin Partners LLC:200000', '--reference', 'Stock transfer agreement');
is($status, 0, 'one is transferred');

my @pages = (
    { name => 'certificate', url => "http://127.0.0.1:$server->{port}/CS-3.html", picture => [1060, 772] },
    { name => 'stock-book', url => "http://127.0.0.1:$server->{port}/", picture => [1060, 790] },
);
spew("$out/job.json", encode_json({ chromium => '/usr/bin/chromium', out => $out, pages => \@pages }));
is(system("node $out/pages.js <$out/job.json"), 0, 'Chromium opens the pages') or BAIL_OUT('no results');
my $results = decode_json(slurp("$out/results.json"));

for my $name (map { $_->{name} } @pages) {
    is($results->{$name}{status}, 200, "$name is there");
    is(system('pngquant', '--force', '--strip', '--output', "docs/$name.png", 64, "$out/$name.png"), 0, "$name.png has few colours");
    cmp_ok(-s "docs/$name.png", '<', 60000, "$name.png is small");
}

done_testing;
