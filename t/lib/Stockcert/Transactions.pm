package Stockcert::Transactions;

# For the tests of POST /transactions: a transfer's body, and what must hold of all
# transactions of a ledger, whatever was answered.

use strict;
use warnings;

use Exporter 'import';
use File::Spec;
use Cpanel::JSON::XS;
use Stockcert;
use Stockcert::Tool;

our @EXPORT = qw(transfer check_transactions);

my $json = Cpanel::JSON::XS->new->canonical;

# transfer('CS-1', 'a reference', Bob => 10, Cy => 5); the first may be a list
sub transfer {
    my ($from, $reference, @to) = @_;
    my @parties;
    while (my ($name, $amount) = splice @to, 0, 2) {
        push @parties, { name => $name, amount => $amount };
    }
    return $json->encode({ type => 'transfer', from => ref $from ? $from : [$from], to => \@parties, reference => $reference });
}

sub read_transactions {
    my ($client) = @_;
    my @all;
    for (my $next = '/transactions?limit=100'; defined $next;) {
        my $r = $client->ask('GET', $next);
        die "GET $next: $r->{status} $r->{body}\n" if $r->{status} != 200;
        push @all, @{$r->{json}{transactions}};
        $next = $r->{json}{next};
    }
    return @all;
}

# what "stockcert holders" has for each name, and what the certificates say
sub check_holders {
    my ($server, $certificates) = @_;
    my ($path) = $server->{http} =~ /\bpath\s+"?([^"\s;]+)"?;/;
    my ($status, $out, $err) = tool('holders', File::Spec->rel2abs($path, $server->{dir}), '--format', 'jsonl');
    return "holders: $status $err" if $status ne '0' or $err ne '';
    my (%told, %held);
    for my $holder (grep { exists $_->{name} } map { decode_json($_) } split /\n/, $out) {
        $told{"$holder->{name} $_->{class}"} = "$_->{shares} @{$_->{certificates}}" for @{$holder->{classes}};
    }
    for my $c (grep { $_->{status} eq 'outstanding' } @$certificates) {
        my $held = $held{"$c->{stakeholder} $c->{class}"} ||= [0];
        $held->[0] += $c->{amount};
        push @$held, $c->{cert_id};
    }
    my %both = (%told, %held);
    return map { "holders: $_: " . ($told{$_} // 'none') . ', not ' . join ' ', @{$held{$_} || ['none']} }
        grep { ($told{$_} // '') ne join ' ', @{$held{$_} || []} } sort keys %both;
}

# each transfer moves what it says from one holder to others, and no share goes anywhere else
sub check_shares {
    my ($certificates, @transactions) = @_;
    my (%left, @faults);
    my %by_id = map { $_->{cert_id} => $_ } @$certificates;
    my %resulted = map { $_->{cert_id} => 1 } map { @{$_->{issued}} } @transactions;
    $left{$_->{stakeholder}} += $_->{amount} for grep { !$resulted{$_->{cert_id}} } @$certificates;
    for my $t (@transactions) {
        my $sum = 0;
        for my $c (map { $by_id{$_} } @{$t->{surrendered}}) {
            $left{$c->{stakeholder}} -= $c->{amount};
            $sum += $c->{amount};
        }
        for my $c (@{$t->{issued}}) {
            $left{$c->{stakeholder}} += $c->{amount};
            $sum -= $c->{amount};
        }
        push @faults, "transaction $t->{transaction}: $sum shares are gone" if $sum;
    }
    $left{$_->{stakeholder}} -= $_->{amount} for grep { $_->{status} eq 'outstanding' } @$certificates;
    return @faults, map { "$_ lost $left{$_} shares" } grep { $left{$_} } sort keys %left;
}

# Returns what is wrong: all that check_ledger() finds; a transaction is not there
# whole; a certificate was surrendered by none, or by two; an answer is not as the
# ledger has it. @$told are answers to transactions, with the "reference", which no
# two requests share. With status 0 or 500, the transaction may be there.
sub check_transactions {
    my ($server, $grants, $told, %arg) = @_;
    my $client = $server->client;
    my (undef, $certificates) = Stockcert::read_ledger($server);
    my @transactions = read_transactions($client);
    my (%by_reference, %by, %resulted, @faults);
    my %by_id = map { $_->{cert_id} => $_ } @$certificates;

    for my $t (@transactions) {
        my $number = $t->{transaction};
        push @faults, "$t->{reference}: transactions $by_reference{$t->{reference}}{transaction} and $number"
            if $by_reference{$t->{reference}};
        $by_reference{$t->{reference}} = $t;
        push @faults, "transaction $number ends at $t->{entry}"
            if $t->{entry} != $number + @{$t->{surrendered}} + @{$t->{issued}} - 1;
        for my $id (@{$t->{surrendered}}) {
            push @faults, "$id by $by{$id} and $number" if $by{$id};
            $by{$id} = $number;
        }
        for my $c (@{$t->{issued}}) {
            $resulted{$c->{cert_id}} = 1;
            push @faults, "$c->{cert_id} is otherwise in transaction $number"
                if Stockcert::flat($c) ne Stockcert::flat(Stockcert::as_issued($by_id{$c->{cert_id}} || {}));
        }
    }
    for my $c (@$certificates) {
        push @faults, "$c->{cert_id}: by another transaction" if ($c->{transaction} // '') ne ($by{$c->{cert_id}} // '');
    }
    for my $answer (@$told) {
        my $t = $by_reference{$answer->{reference}};
        my $what = "$answer->{reference}: $answer->{status}";
        if ($answer->{status} == 201) {
            push @faults, "$what, and is not there" if !$t;
            next if !$t;
            my $r = $client->ask('GET', "/transactions/$t->{transaction}");
            ($r->{body} =~ s/\n//gr) eq ($answer->{body} =~ s/\n//gr) or push @faults, "$what, told otherwise";
        } elsif ($answer->{status} and $answer->{status} != 500 and $t) {
            push @faults, "$what, and is there";
        }
    }
    push @faults, check_shares($certificates, @transactions), check_holders($server, $certificates),
        check_ledger($server, $grants, resulted => \%resulted, %arg);
    return @faults > 10 ? (@faults[0 .. 9], 'and so on') : @faults;
}

1;
