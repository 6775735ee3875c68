# conf/alerts.yml and conf/grafana.json: Prometheus takes each expression, each alert
# fires where it must, and each metric is one that "stockcert_status" tells.

use strict;
use warnings;
use Cpanel::JSON::XS;
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


# each metric is there, and all are shown

my $server = Stockcert->new(http => ledger('acme', CS => 1000), location => 'location / { stockcert; } location = /metrics { stockcert_status; }')->start;
is($server->client->issue('CS', 1)->{status}, 201, 'issued');
my $metrics = $server->client->ask('GET', '/metrics');
is($metrics->{status}, 200, 'stockcert_status');
my (%told, %base);
$told{$_} = 1 for $metrics->{body} =~ /^(stockcert_\w+)\{/mg;
$base{$_} = 1 for $metrics->{body} =~ /^# TYPE (\w+) /mg;
# the samples of these are only there where a ledger is on several machines
my @several = grep { /^stockcert_(?:replica|append)/ } keys %base;
$told{$_} = 1 for @several;
my %used;
for (['alerts', $alerts], ['dashboard', join "\n", @exprs]) {
    my ($what, $text) = @$_;
    my %here = map { $_ => 1 } $text =~ /\b(stockcert_\w+)(?=\{|\[|\)| [<>]| ==)/g;
    ok(scalar keys %here, "$what: there are some") or next;
    $used{$_} = 1 for keys %here;
    is_deeply([grep { !$told{$_} } sort keys %here], [], "$what: each metric is told");
}
my %shown = map { s/_(?:bucket|sum|count)$//r => 1 } keys %used;
is_deeply([grep { !$shown{$_} } sort keys %base], [], 'each metric that is told is used');
is(scalar @several, 4, 'so are those of several machines');

# labels and their values, too

my %values;
while ($metrics->{body} =~ /^\w+\{(.*)\} /mg) {
    my $labels = $1;
    $values{$1}{$2} = 1 while $labels =~ /(\w+)="([^"]*)"/g;
}
my @asked = join("\n", $alerts =~ /^ *(?:expr: .*|[<>a(]?.*stockcert_\w+\{.*)$/mg, @exprs) =~ /\b(state|kind|error)="(\w+)"/g;
cmp_ok(scalar @asked, '>', 8, 'labels are asked for');
while (my ($label, $value) = splice @asked, 0, 2) {
    ok($values{$label}{$value}, "$label=\"$value\" is told");
}
$server->stop;

done_testing();
