# conf/alerts.yml and conf/grafana.json: Prometheus takes each expression, each alert
# fires where it must.

use strict;
use warnings;
use JSON::PP;
use Test::More;
use Stockcert;

plan(skip_all => 'no promtool') if system('promtool --version >/dev/null 2>&1') != 0;

my $alerts = slurp('conf/alerts.yml');
my $dashboard = decode_json(slurp('conf/grafana.json'));

sub promtool_is {
    my ($what, @arg) = @_;
    my $out = `promtool @arg 2>&1`;
    is($?, 0, $what) or diag($out);
}

promtool_is('promtool check rules', 'check rules conf/alerts.yml');
promtool_is('promtool test rules', 'test rules t/alerts.yml');


# each alert must fire somewhere, and be silent somewhere

my @names = $alerts =~ /^ *- alert: (\w+)$/mg;
my $tests = slurp('t/alerts.yml');
my (%fires, %silent);
$fires{$_} = 1 for $tests =~ /alertname: (\w+)\n +exp_alerts:\n +- exp_labels/g;
$silent{$_} = 1 for $tests =~ /alertname: (\w+)\}$/mg;
ok($fires{$_} && $silent{$_}, "$_ is seen to fire, and not to") for @names;
is(scalar keys %fires, scalar @names, 'no test is of an alert that is gone');


# The dashboard: what Grafana needs of its parts

my @panels = map { ($_, @{$_->{panels} || []}) } @{$dashboard->{panels}};
my (%id, %taken, @faults, @exprs);
for my $panel (@panels) {
    my ($id, $at) = @$panel{qw(id gridPos)};
    push @faults, "id $id twice" if $id{$id}++;
    push @faults, "$id: no title" if ($panel->{title} // '') eq '';
    push @faults, "$id: off the grid" if $at->{x} < 0 || $at->{x} + $at->{w} > 24 || $at->{w} < 1 || $at->{h} < 1;
    for my $x ($at->{x} .. $at->{x} + $at->{w} - 1) {
        for my $y ($at->{y} .. $at->{y} + $at->{h} - 1) {
            my $other = $taken{"$x $y"} //= $id;
            push @faults, "$id is over $other" if $other != $id;
        }
    }
    next if $panel->{type} eq 'row';
    push @faults, "$id: type $panel->{type}" if $panel->{type} !~ /^(?:timeseries|stat|bargauge)$/;
    push @faults, "$id: no targets" if !@{$panel->{targets}};
    my %ref;
    for my $target (@{$panel->{targets}}) {
        push @faults, "$id: $target->{refId} twice" if $ref{$target->{refId}}++;
        push @faults, "$id: another data source" if grep { $_->{datasource}{uid} ne '${datasource}' || $_->{datasource}{type} ne 'prometheus' } $panel, $target;
        push @exprs, $target->{expr};
    }
}
is_deeply([sort { $a cmp $b } do { my %f = map { $_ => 1 } @faults; keys %f }], [], 'the panels');
my %variable = map { $_->{name} => $_ } @{$dashboard->{templating}{list}};
is($variable{datasource}{type}, 'datasource', 'the data source is a variable');
my %builtin = map { $_ => 1 } qw(__rate_interval __range);
my %unknown = map { $_ => 1 } grep { !$variable{$_} && !$builtin{$_} } map { /\$\{?(\w+)/g } @exprs, map { ref $_->{query} ? $_->{query}{query} : () } values %variable;
is_deeply([keys %unknown], [], 'its variables are there');


# Prometheus takes its expressions

my $tmp = File::Temp->newdir('stockcert-XXXXXX', TMPDIR => 1);
my $n = 0;
spew("$tmp/rules.yml", encode_json({ groups => [{ name => 'dashboard', rules => [map {
    { record => 'stockcert:panel' . ++$n, expr => s/\$__\w+/5m/gr =~ s/\$\w+/.*/gr }
} @exprs] }] }));
promtool_is('promtool check rules: the dashboard', "check rules $tmp/rules.yml");


done_testing();
