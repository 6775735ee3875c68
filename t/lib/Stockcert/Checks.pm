package Stockcert::Checks;

# What many tests look at in the end.

use strict;
use warnings;

use Exporter 'import';
use Test::More;

our @EXPORT = qw(told well quiet early);

# request and answer as check_ledger() wants them

sub told {
    my ($r, $name, $class, $amount) = @_;
    return { %$r, name => $name, class => $class, amount => $amount };
}

sub well {
    my ($server, $answers, $what, @arg) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my %status;
    $status{$_->{status} || $_->{error}}++ for @$answers;
    is_deeply([keys %status], [201], "$what: all are issued");
    is_deeply([Stockcert::check_ledger($server, $answers, lost => 'never', @arg)], [], "$what: the ledger");
}

sub quiet {
    my ($server) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply([$server->complaints], [], 'nothing to complain of in the log');
    ok($server->log !~ /exited on signal/, 'no worker crashed');
}

# Answers that have no whole commit behind them. A whole commit is a flush that began
# after the request was sent, and then LMDB's last step, done before the answer came.

sub early {
    my ($server, @answers) = @_;
    my @commits = $server->commits;
    return grep {
        my $r = $_;
        $r->{status} == 201 && !grep { $_->[0] > $r->{sent} && $_->[1] < $r->{answered} } @commits;
    } @answers;
}

1;
