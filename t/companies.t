# Several companies in one nginx. Their ledgers have nothing to do with each other,
# however many locations and servers each has.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Port;

my $port = free_port();
my %arg = (
    workers => 3,
    listen => 'reuseport',
    http => ledger('acme', CS => 9e9, PS => 500) . ledger('umbrella', CS => 70, PS => 500),
    location => <<'END',
location /acme/ { stockcert acme; }
location /also/acme { stockcert acme; }
location /umbrella/ { stockcert umbrella; }
location = /issue { stockcert acme; }
END
    server => <<"END",
server {
    listen 127.0.0.1:$port;
    location / { stockcert umbrella; }
}
END
);
my $server = Stockcert->new(%arg)->start;
my $client = $server->client;
my $second = Stockcert::Client->new($port);

my $n = 0;
my %told = (acme => [], umbrella => []);

sub issue {
    my ($client, $company, $uri, $class, $id, $location) = @_;
    my $name = 'alone ' . $n++;
    my $r = $client->issue($class, 2, $name, $uri);
    push @{$told{$company}}, { %$r, name => $name, class => $class, amount => 2 };
    is("$r->{status} $r->{json}{cert_id} $r->{json}{company} $r->{headers}{location}",
        "201 $id \u$company Inc. $location", "POST $uri: $id of $company");
}

sub kept {
    my ($when) = @_;
    for my $uri (qw(/acme/ /also/acme/)) {
        is_deeply([check_ledger($server, $told{acme}, uri => $uri)], [], "acme's ledger at $uri $when");
    }
    is_deeply([check_ledger($server, $told{umbrella}, uri => '/umbrella/')], [], "umbrella's ledger $when");
}


issue($client, acme => '/acme/', CS => 'CS-1', '/acme/CS-1');
issue($client, umbrella => '/umbrella/', CS => 'CS-1', '/umbrella/CS-1');
issue($second, umbrella => '/', CS => 'CS-2', '/CS-2');
issue($client, acme => '/also/acme', CS => 'CS-2', '/also/acme/CS-2');
issue($client, acme => '/also/acme/', PS => 'PS-1', '/also/acme/PS-1');
issue($second, umbrella => '/', PS => 'PS-1', '/PS-1');

my $r = $client->issue('CS', 2, 'alone at an exact location', '/issue');
push @{$told{acme}}, { %$r, name => 'alone at an exact location', class => 'CS', amount => 2 };
is("$r->{status} $r->{json}{cert_id}", '201 CS-3', 'POST /issue: CS-3 of acme');
is($client->ask('GET', '/issue/CS-3')->{status}, 404, 'an exact location has its root only');
kept('after some');

# the same certificate by every way to it, and not by others

my @ways = map { $client->ask('GET', $_) } qw(/acme/CS-3 /also/acme/CS-3);
is($ways[0]{body}, $ways[1]{body}, 'one certificate in two locations');
is($ways[0]{headers}{etag}, $ways[1]{headers}{etag}, 'with one ETag');
is($client->ask('GET', '/umbrella/CS-3')->{status}, 404, 'but not in the other company');
is($second->ask('GET', '/CS-2')->{body}, $client->ask('GET', '/umbrella/CS-2')->{body}, 'one certificate in two servers');
isnt($client->ask('GET', '/acme/CS-1')->{json}{seal}, $second->ask('GET', '/CS-1')->{json}{seal}, 'each company has seals of its own');


# both under load, while workers are killed and nginx is reloaded

my %load = (
    acme => Stockcert::Load->new($server, clients => 5, uri => '/acme/', grants => sub { return ($_[1] % 3 ? 'CS' : 'PS', 1) }),
    umbrella => Stockcert::Load->new($server, clients => 5, uri => '/umbrella/', grants => sub { return ('PS', 1) }),
);
$load{$_}->progress(60) for keys %load;
$server->kill_worker(($server->workers)[0]);
$load{$_}->progress(60) for keys %load;
$server->reload;
$load{$_}->progress(60) for keys %load;
push @{$told{$_}}, $load{$_}->stop for keys %load;
kept('after a load on both');

# one has nothing left, the other goes on

$r = $client->issue('CS', 67, 'too much', '/umbrella/');
is("$r->{status} $r->{json}{remaining}", '403 66', 'umbrella has not enough shares');
$r = $client->issue('CS', 66, 'the rest', '/umbrella/');
push @{$told{umbrella}}, { %$r, name => 'the rest', class => 'CS', amount => 66 };
is("$r->{status} $r->{json}{cert_id}", '201 CS-3', 'until they are out');
is($second->issue('CS', 1)->{status}, 403, 'at the other server, too');
$client->ask('GET', '/acme/')->{json}{classes}[0]{certificates} =~ /(\d+)/;
issue($client, acme => '/acme/', CS => 'CS-' . ($1 + 1), '/acme/CS-' . ($1 + 1));

$server->stop('KILL');
$server->start;
kept('after kill -9 and start');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
$server->stop;


# one company's ledger alone, where the other was: the directories are apart

$server->configure(http => ledger('umbrella', CS => 70, PS => 500), location => 'location /umbrella/ { stockcert; }',
    server => '')->start;
is_deeply([check_ledger($server, $told{umbrella}, uri => '/umbrella/')], [], 'umbrella without acme');
$server->stop;


# a slow disk of one company does not hold up the other

$server = Stockcert->new(%arg, workers => 1, flushes => 1)->start;
SKIP: {
    skip 'TEST_NGINX_BINARY takes the LD_PRELOAD away', 4 if !$server->has_gate;

    my ($slow, $fast) = ($server->client, $server->client);
    $server->hold('fdatasync', '/ledgers/acme/');
    $slow->send('POST', '/acme/', grant('CS', 1));
    $server->held('fdatasync');
    my @status = map { $fast->issue('CS', 1, "fast $_", '/umbrella/')->{status} } 1 .. 5;
    is_deeply(\@status, [(201) x 5], 'umbrella issues while a commit of acme is held');
    is($fast->ask('GET', '/acme/')->{json}{classes}[0]{certificates}, 0, 'of which nothing is to be seen');
    ok(!$slow->has_answer, 'nor told');
    $server->release('fdatasync');
    is($slow->receive->{status}, 201, 'until it is done');
}
$server->stop;

done_testing();
