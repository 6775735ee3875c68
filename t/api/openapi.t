# docs/openapi.yaml: it is linted, the suites' answers are as it has them, and a client that
# is generated from it issues. See scripts/test-api.

use strict;
use warnings;
use Test::More;
use Stockcert;

my $out = $ENV{STOCKCERT_API} or die "run scripts/test-api\n";
my $spec = 'docs/openapi.yaml';
my $bin = "$out/node_modules/.bin";
local $ENV{REDOCLY_TELEMETRY} = 'off';
local $ENV{REDOCLY_SUPPRESS_UPDATE_NOTICE} = 'true';

sub runs {
    my ($what, $command) = @_;
    my $text = `$command 2>&1`;
    is($?, 0, $what) or diag($text);
    return $text;
}

runs('redocly finds nothing', "$bin/redocly lint --config $out/redocly.yaml $spec");
diag(runs('the answers are as it has them, and all of it was met', "node $out/exchanges.js $spec $out/exchanges") =~ s/.*\n(?=.)//sr);

runs('types are generated', "$bin/openapi-typescript $spec -o $out/api.d.ts");
runs('a client is compiled', "$bin/tsc -p $out");
my $server = Stockcert->new(location => 'location / { stockcert; stockcert_transactions on; }')->start;
is(runs('and runs', "node $out/client.js http://127.0.0.1:$server->{port}"), "CS-1 2599990 CS-3\n", 'it issues, reads, is refused, and transfers');
is($server->client->ask('GET', '/CS-1')->{json}{stakeholder}, 'Salt Bae', 'the certificate is there');
$server->stop;

done_testing;
