# conf/grafana.json is what Grafana's types say: see scripts/test-pages.

use strict;
use warnings;
use Test::More;
use Cpanel::JSON::XS;
use Stockcert;

my $out = $ENV{STOCKCERT_PAGES} or die "run scripts/test-pages\n";

sub checked {
    my ($dashboard) = @_;
    spew("$out/grafana.json", $dashboard);
    my $said = `node $out/dashboard.js $out/grafana.json 2>&1`;
    return ($?, $said);
}

my $dashboard = slurp('conf/grafana.json');
my ($status, $said) = checked($dashboard);
is($status, 0, 'the dashboard has the right types') or diag($said);

# and the check sees faults

for (
    [qr/"gridPos"/, '"gridPosition"'], [qr/"placement": "bottom"/, '"placement": "below"'],
    [qr/"schemaVersion": 38/, '"schemaVersion": "38"'], [qr/"drawStyle": "line"/, '"drawStyle": "lines"'],
) {
    my ($from, $to) = @$_;
    my $wrong = $dashboard =~ s/$from/$to/r;
    isnt($wrong, $dashboard, "$to, which is wrong");
    ok((checked($wrong))[0] != 0, 'is seen');
}

done_testing();
