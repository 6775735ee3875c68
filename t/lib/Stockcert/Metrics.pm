package Stockcert::Metrics;

# What "stockcert_status" tells, at /status:
#
#     metrics($client)      { 'stockcert_entries{ledger="acme"}' => 3, ... }
#     counted($client, $name, $labels)    one of them, of the ledger acme
#     health($client)       status and body of /health

use strict;
use warnings;

use Exporter 'import';
use Cpanel::JSON::XS;

our @EXPORT = qw(metrics counted health watched);

# locations for a server, beside those of its own

sub watched {
    return 'location = /status { stockcert_status; } location = /health { stockcert_health; }' . join '', map { "\n$_" } @_;
}

sub metrics {
    my ($client) = @_;
    my $r = $client->ask('GET', '/status');
    die "status: $r->{status} $r->{error}\n" if $r->{status} != 200;
    return { map { /^(\S+\{.*\}) (\S+)$/ ? ($1 => $2) : () } grep { !/^#/ } split /\n/, $r->{body} };
}

sub counted {
    my ($client, $name, $labels) = @_;
    return metrics($client)->{"stockcert_$name\{ledger=\"acme\"" . ($labels ? ",$labels" : '') . '}'};
}

sub health {
    my ($client) = @_;
    my $r = $client->ask('GET', '/health');
    return ($r->{status}, decode_json($r->{body} || '{}'), $r);
}

1;
