# Ways by which nginx itself brings a request to the location: error pages, mirrors,
# subrequests, other locations. While the commit is held, some clients wait and some
# leave. Everybody is answered, each grant is issued once, no connection stays.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Checks;

my $auth = `$ENV{TEST_NGINX_BINARY} -V 2>&1` =~ /--with-http_auth_request_module/;
my $locations = <<'END';
location /issue/ { stockcert acme; }
location /other/ { stockcert beta; }

location = /named { error_page 405 = @issue; return 405; }
location @issue { rewrite ^ /issue/ last; }
location = /rewritten { rewrite ^ /issue/ last; }
location = /tried { try_files /nothing /issue/; }
location = /after { post_action /issue/; stockcert beta; }
location = /mirrored { mirror /issue/; stockcert beta; }

location = /page { error_page 405 = /issue/; return 405; }
END
$locations .= <<'END' if $auth;
location = /allowed { return 204; }
location = /guarded/ { auth_request /allowed; stockcert acme; }
location = /asked { auth_request /issue/; try_files /page.txt =404; }
location = /asked_nothing { auth_request /issue/CS-0; try_files /page.txt =404; }
END

my $server = Stockcert->new(workers => 1, flushes => 1, http => ledger('acme') . ledger('beta'), location => "root pages; $locations");
mkdir "$server->{dir}/pages";
spew("$server->{dir}/pages/page.txt", "here\n");
$server->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;

my (@all, @names);

# a grant whose commit will be held; waits until it is, and no other is under way

sub begin {
    my ($uri, $name) = @_;
    my $client = $server->client;
    push @names, $name;
    $server->hold('fdatasync', 'ledgers/acme');
    $client->send('POST', $uri, grant('CS', 1, $name));
    return $client;
}

sub held {
    wait_for('a flush is held', sub {
        my %n = ('at fdatasync' => 0, 'done fdatasync' => 0);
        $n{"@$_[0, 1]"}++ for $server->gate_log;
        return $n{'at fdatasync'} == $n{'done fdatasync'} + 1;
    });
}

for my $uri (qw(/issue/ /named /rewritten /tried), $auth ? '/guarded/' : ()) {
    my $client = begin($uri, $uri);
    held();
    ok(!$client->has_answer, "$uri: it waits");
    $server->release('fdatasync');
    push @all, told($client->receive, $uri, 'CS', 1);
    is($all[-1]{status}, 201, "$uri: it is answered");
    $client->close;

    $client = begin($uri, "$uri, and leaves");
    held();
    $client->close;
    $server->release('fdatasync');
    $server->settle;
    pass("$uri: no connection stays");
}

# Two grants of one request: the other ledger's is answered, before or meanwhile

my @other;
for my $uri (qw(/after /mirrored)) {
    for my $leaves (0, 1) {
        my $name = $leaves ? "$uri, and leaves" : $uri;
        my $client = begin($uri, $name);
        push @other, told($client->receive, $name, 'CS', 1);
        held();
        is($other[-1]{status}, 201, "$uri: it is answered before");
        if ($leaves) {
            $client->close;
        } else {
            $client->send('GET', '/static');
        }
        $server->release('fdatasync');
        if (!$leaves) {
            my $r = $client->receive;
            ok($r->{status} == 200 || $r->{error} eq 'closed', "$uri: so is the next request, or the connection is closed");
            $client->close;
        }
        $server->settle;
        pass("$uri: no connection stays");
    }
}

# reading, for an error page, or for somebody who wants the status only

my $client = $server->client;
my %read = ('/page' => [POST => 200, qr/^\{"company":"Acme Inc\."/]);
@read{'/asked', '/asked_nothing'} = ([GET => 200, qr/^here$/], [GET => 500, qr/./]) if $auth;
for my $uri (sort keys %read) {
    my ($method, $status, $like) = @{$read{$uri}};
    my $r = $client->ask($method, $uri, $method eq 'POST' ? grant('CS', 1, $uri) : undef, 'Connection: close');
    is($r->{status}, $status, "$method $uri");
    like($r->{body}, $like, "$method $uri: the body");
}
$client->close;
$server->settle;

for my $ledger (['/issue/', \@all, \@names], ['/other/', \@other, [map { $_->{name} } @other]]) {
    my ($uri, $told, $names) = @$ledger;
    is_deeply([check_ledger($server, $told, uri => $uri)], [], "$uri: the ledger");
    is_deeply([sort map { $_->{stakeholder} } @{(Stockcert::read_ledger($server, $uri))[1]}], [sort @$names], "$uri: all are issued, once");
}
is($server->stop, 0, 'nginx ends in order');
quiet($server);

done_testing();
