# nginx's embedded Perl, whose handlers can end a request that waits for its commit,
# and fork. Every client is answered, each grant is issued once, no connection
# stays, and a child of a worker does not keep the ledger's lock.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Checks;

my ($modules) = `$ENV{TEST_NGINX_BINARY} -V 2>&1` =~ /--modules-path=(\S+)/;
my $perl = ($modules // '') . '/ngx_http_perl_module.so';
plan skip_all => 'this nginx has no ngx_http_perl_module.so' if !-e $perl;

# Each returns to nginx after its request was redirected, and nginx ends the request
# with what it returns, however many still work on it.

my $handlers = <<'END';
package Handlers;

use nginx;
use POSIX ();

sub redirect { my ($r) = @_; $r->internal_redirect('/issue/'); return OK; }

sub nothing { my ($r) = @_; $r->has_request_body(\&redirect); return OK; }

sub declined { my ($r) = @_; $r->has_request_body(\&redirect); return DECLINED; }

sub refused { my ($r) = @_; $r->has_request_body(\&redirect); return HTTP_FORBIDDEN; }

sub dies { my ($r) = @_; $r->has_request_body(\&redirect); die "on purpose\n"; }

sub text {
    my ($r, $text) = @_;
    $r->header_out('Content-Length', length $text);
    $r->send_http_header('text/plain');
    $r->print($text);
    return OK;
}

sub answers { my ($r) = @_; $r->has_request_body(\&redirect); return text($r, 'answered'); }

# children that live until they are killed, as what they are or as something else

sub child {
    my ($r, $run) = @_;
    my $pid = fork;
    return HTTP_INTERNAL_SERVER_ERROR if !defined $pid;
    return text($r, $pid) if $pid;
    POSIX::setpgid(0, 0);
    $run->();
    POSIX::_exit(1);
}

sub forks { my ($r) = @_; return child($r, sub { sleep 600 while 1 }); }

sub executes { my ($r) = @_; return child($r, sub { exec 'sleep', 'infinity' }); }

1;
END

# what a handler's client is told before the commit, if anything

my %early = (nothing => 0, declined => 404, refused => 403, dies => 500, answers => 200);

my $server = Stockcert->new(workers => 1, flushes => 1, module => "$ENV{TEST_NGINX_LOAD_MODULES} $perl");
spew("$server->{dir}/Handlers.pm", $handlers);
$server->configure(http => ledger('acme') . "perl_modules $server->{dir}; perl_require Handlers.pm;",
    location => join ' ', 'location /issue/ { stockcert; }',
        map { "location = /$_ { perl Handlers::$_; }" } keys %early, qw(forks executes))->start;
plan skip_all => 'TEST_NGINX_BINARY takes the LD_PRELOAD away' if !$server->has_gate;

my (@all, @names);

# a request that the handler ends while its commit is held

sub held {
    my ($handler, $name) = @_;
    my $client = $server->client;
    push @names, $name;
    $server->hold('fdatasync');
    $client->send('POST', "/$handler", grant('CS', 1, $name));
    $server->held('fdatasync');
    return $client;
}

for my $handler (sort keys %early) {
    my $early = $early{$handler};
    my $client = held($handler, $handler);
    if ($early) {
        is($client->receive->{status}, $early, "$handler: nginx answers at once");
    } else {
        ok(!$client->has_answer, "$handler: it waits");
    }

    # on a connection that may be kept

    $client->send('GET', '/static');
    $server->release('fdatasync');
    if (!$early) {
        push @all, told($client->receive, $handler, 'CS', 1);
        is($all[-1]{status}, 201, "$handler: it is answered, once there is a certificate");
    }
    my $r = $client->receive;
    ok($r->{status} == 200 || $r->{error} eq 'closed', "$handler: so is the next request, or the connection is closed");
    $client->close;

    $client = held($handler, "$handler, and leaves");
    $client->close;
    $server->release('fdatasync');
    $server->settle;
    pass("$handler: no connection stays");

    # the body comes after the handler has returned

    next if $early;
    push @names, "$handler, late";
    my $body = grant('CS', 1, $names[-1]);
    $client->send('POST', "/$handler", undef, 'Content-Type: application/json', 'Content-Length: ' . length $body);
    $server->client->ask('GET', '/static');
    syswrite $client->{socket}, $body;
    push @all, told($client->receive, $names[-1], 'CS', 1);
    is($all[-1]{status}, 201, "$handler: it is answered if its body comes late");
}

is_deeply([check_ledger($server, \@all, uri => '/issue/')], [], 'the ledger');
is_deeply([sort map { $_->{stakeholder} } @{(Stockcert::read_ledger($server, '/issue/'))[1]}], [sort @names], 'all are issued, once');
$server->reload;
is_deeply([$server->complaints], [], 'no connection was left open');


# A worker has a child while its thread is in a commit, and is killed.

for my $handler (qw(forks executes)) {
    my $killed = $server->client;
    $server->hold('fdatasync');
    $killed->send('POST', '/issue/', grant('CS', 1, "$handler, killed"));
    my $worker = $server->held('fdatasync');
    my $child = $server->client->ask('GET', "/$handler")->{body};
    like($child, qr/^[1-9]\d*$/, "$handler: a child");
    $Stockcert::clients{$child} = 1 if $child;
    kill KILL => $worker;
    wait_for('the worker is gone', sub { my %title = $server->processes; !exists $title{$worker} });
    $server->release('fdatasync');
    wait_for('a new worker', sub { $server->ready($worker) });
    my $name = "$handler, the next";
    push @all, told($server->client->issue('CS', 1, $name, '/issue/'), $name, 'CS', 1);
    is($all[-1]{status}, 201, "$handler: the next worker issues");
    is(kill(0, $child), 1, "$handler: while the child is there");
    kill KILL => $child;
    delete $Stockcert::clients{$child};
}

is_deeply([check_ledger($server, \@all, uri => '/issue/')], [], 'the ledger');
is($server->stop, 0, 'nginx ends in order');
ok($server->log !~ /exited on signal (?!9\b)/, 'no worker crashed');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');

done_testing();
