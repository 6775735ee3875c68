# scripts/serve: it listens on this machine's own addresses only, and on others where
# LISTEN names them, and says then what that means.

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Spec;
use IO::Socket::IP;
use POSIX qw(WNOHANG);
use Test::More;
use Stockcert;
use Stockcert::Port;

my $root = dirname(dirname(File::Spec->rel2abs(__FILE__)));
my $script = "$root/scripts/serve";
plan(skip_all => 'what is tested is not in build') if dirname($ENV{TEST_NGINX_LOAD_MODULES}) ne "$root/build";

my $tmp = File::Temp->newdir('stockcert-XXXXXX', TMPDIR => 1);
chmod 0755, "$tmp";

my $port = free_port();
my $ipv6 = slurp('/proc/net/if_inet6') =~ /^0{31}1 /m;
my $pid;
END { my $status = $?; kill TERM => $pid if $pid; waitpid $pid, 0 if $pid; $? = $status }

sub run {
    my ($listen) = @_;
    unlink "$tmp/out";
    $pid = fork // die "fork: $!\n";
    if (!$pid) {
        @ENV{qw(PORT LEDGER WORKERS)} = ($port, "$tmp/ledger", 1);
        delete $ENV{LISTEN};
        $ENV{LISTEN} = $listen if defined $listen;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$tmp/out";
        open STDERR, '>', "$tmp/err";
        { exec $script }
        POSIX::_exit(127);
    }
}

sub ended {
    return if waitpid($pid, WNOHANG) != $pid;
    undef $pid;
    return 1;
}

# all of the sockets listen before a worker answers

sub start {
    my ($listen, $first) = @_;
    run($listen);
    wait_for('scripts/serve listens', sub {
        die 'it ended: ', slurp("$tmp/out"), slurp("$tmp/err") if ended();
        return IO::Socket::IP->new(PeerHost => $first, PeerPort => $port);
    });
    return slurp("$tmp/out");
}

sub stop {
    kill TERM => $pid;
    wait_for('it ends', \&ended);
}

sub asked {
    my ($address) = @_;
    my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port) or return 'refused';
    print $socket "GET / HTTP/1.0\r\n\r\n";
    local $/;
    return <$socket> =~ m{^HTTP/1.1 (\d+)} ? $1 : 'closed';
}

my $out = start(undef, '127.0.0.1');
is(asked('127.0.0.1'), 200, '127.0.0.1 answers');
is(asked('127.0.0.2'), 'refused', 'another address of the machine does not');
SKIP: {
    skip 'no IPv6', 1 if !$ipv6;
    is(asked('::1'), 200, '[::1] answers');
}
unlike($out, qr/Open:/, 'there is nothing to warn of');
like($out, qr{http://localhost:$port/$}m, 'what to try');
stop();

$out = start('127.0.0.2 127.0.0.3', '127.0.0.2');
is(asked('127.0.0.1'), 'refused', 'LISTEN: in the place of the loopback addresses');
is(asked("127.0.0.$_"), 200, "LISTEN: 127.0.0.$_ answers") for 2, 3;
like($out, qr/^Open: +whoever reaches 127\.0\.0\.2 127\.0\.0\.3 .*no login and in clear text/m, 'LISTEN: what that means');
like($out, qr{http://127\.0\.0\.2:$port/$}m, 'LISTEN: what to try');
stop();

my @all = $ipv6 ? ('*', '[::]') : '*';
$out = start("@all", '127.0.0.1');
is(asked($_), 200, "LISTEN=@all: $_ answers") for '127.0.0.1', '127.0.0.2', $ipv6 ? '::1' : ();
like($out, qr{http://localhost:$port/$}m, "LISTEN=@all: what to try");
stop();

run('0.0.0.0; autoindex on');
wait_for('it refuses', \&ended);
like(($? >> 8) . slurp("$tmp/err"), qr/^2.*LISTEN has the addresses alone/, 'LISTEN with something else');

done_testing();
