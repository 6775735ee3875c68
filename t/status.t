# "stockcert_status": what all workers have counted, in Prometheus' format and as JSON.
# It outlives workers and reloads, and a certificate is counted once, whoever is killed.
# It waits for no commit. promtool has nothing to say against it, and Prometheus reads it.

use strict;
use warnings;
use HTTP::Tiny;
use Cpanel::JSON::XS;
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;
use Stockcert::Load;
use Stockcert::Metrics;
use Stockcert::Port;

sub found { my ($name) = @_; return grep { -x "$_/$name" } split /:/, $ENV{PATH} }

my $json = 'Content-Type: application/json';
my $server = Stockcert->new(flushes => 1, listen => 'reuseport', http => ledger('acme', CS => 100000, PS => 50) . ledger('a\\"b'),
    location => watched('location / { stockcert acme; stockcert_transactions on; }', 'location /other/ { stockcert a\\"b; }'))->start;
my %of = $server->clients_of_workers(2);
my ($one, $two) = values %of;

# every number, but those of histograms, of gauges, and of commits, which end a little
# after their answers

sub counters {
    my $metrics = metrics(@_);
    return { map { $_ => $metrics->{$_} } grep { /_total\{ledger="acme"/ && !/commits/ } keys %$metrics };
}

# what has become more

sub grown {
    my ($before, $after) = @_;
    return { map { my $n = $after->{$_} - ($before->{$_} // 0); /_total\{ledger="acme",?(.*)\}$/; my $labels = $1;
        /^stockcert_(\w+?)_total/; $n ? ("$1 $labels" => $n) : () } keys %$after };
}

my $r = $one->ask('GET', '/status');
is($r->{headers}{'content-type'}, 'text/plain; version=0.0.4; charset=utf-8', 'it is Prometheus\' text format');
is($r->{headers}{'cache-control'}, 'no-store', 'no cache keeps it');
my %n = %{metrics($one)};
is_deeply([grep { $n{$_} } grep { /_total\{/ } keys %n], [], 'all begins at 0');
is($n{'stockcert_up{ledger="acme"}'}, 1, 'a ledger is up');
is($n{'stockcert_up{ledger="a\\"b"}'}, 1, 'its name is escaped');
is($n{'stockcert_shares{ledger="acme",class="PS",state="remaining"}'}, 50, 'shares of a class that nobody has any of');
is($n{'stockcert_file_bytes{ledger="acme",kind="limit"}'}, 1 << 30, 'the size');
is($n{'stockcert_readers{ledger="acme"}'}, 2, 'each worker reads');
ok(!(grep { /append|replica/ } keys %n), 'nothing of other machines');

$r = $one->ask('HEAD', '/status');
is("$r->{status} $r->{body}", '200 ', 'HEAD');
$r = $one->ask('POST', '/status', '{}');
is("$r->{status} $r->{headers}{allow}", '405 GET, HEAD', 'POST');

SKIP: {
    skip 'no promtool here', 1 if !found('promtool');
    my $text = "$server->{dir}/metrics";
    spew($text, $one->ask('GET', '/status')->{body});
    is(`promtool check metrics < $text 2>&1`, '', 'promtool check metrics');
}


# what is counted

my $before = counters($one);
my $commits = counted($one, 'commits_total');
$two->issue('CS', 1, 'Ann');
$one->ask('POST', '/', grant('PS', 1, 'Bob'), 'Idempotency-Key: a');
is_deeply(grown($before, counters($two)), { 'certificates_issued class="CS"' => 1, 'certificates_issued class="PS"' => 1 },
    'certificates of two workers, as the one tells');
is_deeply(counters($one), counters($two), 'and as the other does');
wait_for('two commits more', sub { counted($one, 'commits_total') == $commits + 2 });

$before = counters($one);
$two->ask('POST', '/', grant('PS', 1, 'Bob'), 'Idempotency-Key: a');
is_deeply(grown($before, counters($one)), { 'replays ' => 1 }, 'a replay');

my $order = '{"type":"transfer","from":["CS-1"],"to":[{"name":"Eve","amount":1}],"reference":"x"}';
for (['entered', { 'transactions type="transfer"' => 1, 'certificates_issued class="CS"' => 1 }], ['replayed', { 'replays ' => 1 }]) {
    $before = counters($one);
    is($two->ask('POST', '/transactions', $order, 'Idempotency-Key: b')->{status}, 201, "a transaction is $_->[0]");
    is_deeply(grown($before, counters($one)), $_->[1], '... and counted');
}

my @refused = (
    [not_json => 400, 'POST', '/', '{'],
    [member_twice => 400, 'POST', '/', '{"name":"x","name":"x"}'],
    [body_missing => 400, 'POST', '/', ''],
    [bad_parameter => 400, 'GET', '/?x=1'],
    [bad_idempotency_key => 400, 'POST', '/', grant('CS', 1), 'Idempotency-Key: ' . 'x' x 256],
    [insufficient_shares => 403, 'POST', '/', grant('PS', 1000)],
    [not_found => 404, 'GET', '/CS-999'],
    [method_not_allowed => 405, 'DELETE', '/'],
    [not_outstanding => 409, 'POST', '/transactions', $order],
    [precondition_failed => 412, 'GET', '/CS-1', undef, 'If-Match: "x"'],
    [body_too_large => 413, 'POST', '/', ' ' x 20000],
    [unsupported_encoding => 415, 'POST', '/', grant('CS', 1), 'Content-Encoding: gzip'],
    [invalid_grant => 422, 'POST', '/', '{"amount":1}'],
    [invalid_transaction => 422, 'POST', '/transactions', '{"type":"x"}'],
    [idempotency_key_reused => 422, 'POST', '/', grant('CS', 1, 'Ann'), 'Idempotency-Key: a'],
);
for (@refused) {
    my ($error, $status, @ask) = @$_;
    $before = counters($one);
    is($two->ask(@ask)->{status}, $status, "$error: $status");
    is_deeply(grown($before, counters($one)), { "requests_refused error=\"$error\"" => 1 }, '... and counted');
}

my @bodies = (grant('CS', 1, 'other'), '{');
$two->ask('POST', '/other/', $_) for @bodies;
my %other = %{metrics($one)};
is($other{'stockcert_certificates_issued_total{ledger="a\\"b",class="CS"}'}, 1, 'of another ledger: certificates');
is($other{'stockcert_requests_refused_total{ledger="a\\"b",error="not_json"}'}, 1, 'of another ledger: refusals');


# JSON, and histograms; a commit is counted after its answer

sub flat_json {
    my ($json) = @_;
    my %flat;
    for my $name (keys %$json) {
        for my $sample (@{$json->{$name}}) {
            (my $ledger = delete $sample->{ledger}) =~ s/"/\\"/g;
            if (my $buckets = $sample->{buckets}) {
                $flat{qq(${name}_bucket{ledger="$ledger",le="$_"})} = $buckets->{$_} for keys %$buckets;
                $flat{qq(${name}_$_\{ledger="$ledger"})} = $sample->{$_} for qw(sum count);
            } else {
                my $value = delete $sample->{value};
                $flat{qq($name\{ledger="$ledger") . join('', map { qq(,$_="$sample->{$_}") } sort keys %$sample) . '}'} = $value;
            }
        }
    }
    return %flat;
}

my ($metrics, %flat);
my $differ = sub { return join ' ', grep { $flat{$_} != $metrics->{$_} } keys %flat };
eval { wait_for('the last commit is counted', sub {
    $metrics = metrics($one);
    $r = $one->ask('GET', '/status', undef, 'Accept: application/json');
    %flat = flat_json($r->{json});
    return $differ->() eq '';
}) };
is($r->{headers}{'content-type'}, 'application/json', 'JSON for who asks for it');
is_deeply([sort keys %flat], [sort keys %$metrics], 'it has the same names and labels');
is($differ->(), '', 'and the same values');

my $accept = 'Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
like($one->ask('GET', '/status', undef, $accept)->{headers}{'content-type'}, qr/^text\/plain/, 'text for Prometheus');

for my $name (qw(commit_seconds wait_seconds batch_grants)) {
    my @buckets = map { $metrics->{"stockcert_${name}_bucket{ledger=\"acme\",le=\"$_\"}"} // () }
        sort { ($a =~ /Inf/ ? 9e9 : $a) <=> ($b =~ /Inf/ ? 9e9 : $b) }
        map { /^stockcert_${name}_bucket\{ledger="acme",le="(.*)"\}/ ? $1 : () } keys %$metrics;
    is_deeply(\@buckets, [sort { $a <=> $b } @buckets], "$name: each bucket has those below it");
    is($buckets[-1], $metrics->{"stockcert_${name}_count{ledger=\"acme\"}"}, "$name: the last has all");
    cmp_ok($metrics->{"stockcert_${name}_sum{ledger=\"acme\"}"}, '>', 0, "$name: the sum");
}


# a commit that does not end

SKIP: {
    skip 'TEST_NGINX_BINARY takes the LD_PRELOAD away', 3 if !$server->has_gate;
    $server->hold('fdatasync', 'acme');
    my $client = $server->client;
    $client->send('POST', '/', grant('CS', 1, 'held'));
    $server->held('fdatasync');
    is(counted($one, 'waiting_grants'), 1, 'while a commit does not end: one waits');
    is(counted($two, 'entries'), counted($one, 'entries'), '... and both workers tell what there is');
    $server->release('fdatasync');
    is($client->receive('POST')->{status}, 201, 'then it ends');
    is(counted($one, 'waiting_grants'), 0, '... and none waits');
}


# workers that die, and reloads

sub certificates {
    my ($client) = @_;
    my $m = metrics($client);
    return { map { /^stockcert_certificates_issued_total\{ledger="acme",class="(.*)"/ ? ($1 => $m->{$_}) : () } keys %$m };
}

sub in_ledger {
    my ($client) = @_;
    return { map { $_->{class} => $_->{certificates} } @{$client->ask('GET', '/')->{json}{classes}} };
}

$before = counters($one);
$_->close for $one, $two;
$server->kill_worker($_) for $server->workers;
$one = $server->client;
is_deeply(counters($one), $before, 'killed workers: nothing is forgotten');

my $load = Stockcert::Load->new($server, clients => 8, fresh => 1, grants => sub { return ('CS', 1) });
for my $kill (1 .. 20) {
    $load->progress(20);
    $server->kill_worker(($server->workers)[$kill % 2]);
    next if $kill % 7;
    $load->progress(20);        # its last batch is counted before there are other lanes
    $server->reload;
}
$load->stop;
$one = $server->client;
wait_for('nothing waits', sub { return counted($one, 'waiting_grants') == 0 });
$one->issue('CS', 1, 'last');
is_deeply(certificates($one), in_ledger($one), 'killed under load, and reloaded: each certificate is counted once');

my $issued = certificates($one);
$one->close;
$server->reload;
is_deeply(certificates($server->client), $issued, 'a reload: all is as it was');


# Prometheus

SKIP: {
    skip 'no prometheus here', 2 if !found('prometheus');
    my ($dir, $port) = ("$server->{dir}/prometheus", free_port());
    mkdir $dir;
    spew("$dir/prometheus.yml", <<"END");
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: stockcert
    metrics_path: /status
    static_configs: [{ targets: ['127.0.0.1:$server->{port}'] }]
END
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', "$dir/log";
        open STDERR, '>&', \*STDOUT;
        exec 'prometheus', "--config.file=$dir/prometheus.yml", "--storage.tsdb.path=$dir/data", "--web.listen-address=127.0.0.1:$port"
            or POSIX::_exit(127);
    }
    $Stockcert::clients{$pid} = 1;
    my $ask = sub {
        my ($query) = @_;
        my $r = HTTP::Tiny->new(timeout => 5)->get("http://127.0.0.1:$port/api/v1/query?query=$query");
        return $r->{success} ? decode_json($r->{content})->{data}{result} : [];
    };
    my $query = 'stockcert_certificates_issued_total{ledger="acme",class="CS"}' =~ s/([{}"=])/sprintf '%%%02x', ord $1/ger;
    my $result = wait_for('Prometheus has it', sub { my $r = $ask->($query); return @$r && $r });
    is($result->[0]{value}[1], $issued->{CS}, 'Prometheus has what was counted');
    wait_for('nothing against it', sub { return ($ask->('up')->[0]{value}[1] // 0) == 1 });
    kill TERM => $pid;
    reap($pid);
}

$server->stop;
$server->start;
is_deeply([grep { $_ } values %{counters($server->client)}], [], 'nginx begins anew: all begins at 0');
$server->stop;


# a ledger that is not open

(my $block = ledger('acme')) =~ s/size 1g;/size 1g; create off;/;
$server = Stockcert->new(http => $block, location => watched('location / { stockcert; }'))->start;
$metrics = metrics($server->client);
is($metrics->{'stockcert_up{ledger="acme"}'}, 0, 'a ledger that is not there is not up');
is_deeply([grep { /_(?:entries|shares|file_bytes|readers)\{/ } keys %$metrics], [], '... and has nothing');
is(counted($server->client, 'requests_refused_total', 'error="ledger_unavailable"'), 0, 'nobody is refused');
$server->client->issue('CS', 1, 'x');
is(counted($server->client, 'requests_refused_total', 'error="ledger_unavailable"'), 1, 'one is');

done_testing;
