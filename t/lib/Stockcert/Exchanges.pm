package Stockcert::Exchanges;

# Requests and their answers, for scripts/test-api: with STOCKCERT_EXCHANGES, each
# process writes those that it sees into a file of its own in that directory, one in a
# line of JSON, whose characters are bytes.

use strict;
use warnings;

use Exporter 'import';
use Fcntl qw(O_APPEND O_CREAT O_WRONLY);
use Cpanel::JSON::XS;

our @EXPORT = qw(exchanged);

my $json = Cpanel::JSON::XS->new->ascii->canonical;

# $request is all that was sent of it, undef if that is not known; $head has the answer's
# headers, with or without the line of the status

sub exchanged {
    my ($request, $status, $head, $body) = @_;
    my $dir = $ENV{STOCKCERT_EXCHANGES};
    return if !$dir or !defined $request;
    my %exchange = (request => $request, status => 0 + $status, head => $head, body => $body, test => $0);
    sysopen my $file, "$dir/$$.jsonl", O_WRONLY | O_APPEND | O_CREAT or die "$dir: $!\n";
    syswrite $file, $json->encode(\%exchange) . "\n" or die "$dir: $!\n";
}

1;
