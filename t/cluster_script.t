# scripts/cluster: it starts, each machine issues, and it ends with all that it started;
# started again, it goes on.

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Spec;
use POSIX qw(WNOHANG);
use Test::More;
use Stockcert;
use Stockcert::Disk qw(in_memory);
use Stockcert::Port;
use Stockcert::Tool;

my $root = dirname(dirname(File::Spec->rel2abs(__FILE__)));
my $script = "$root/scripts/cluster";
plan(skip_all => 'what is tested is not in build') if dirname($ENV{TEST_NGINX_LOAD_MODULES}) ne "$root/build";

my $tmp = File::Temp->newdir('stockcert-XXXXXX', DIR => in_memory);
chmod 0755, "$tmp";

# nine ports: three, and those that are 100 and 200 more

my $port = free_port(1, 2, 100 .. 102, 200 .. 202);
my $pid;
END { my $status = $?; kill TERM => $pid if $pid; waitpid $pid, 0 if $pid; $? = $status }

sub start {
    unlink "$tmp/out";
    $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $ENV{PORT} = $port;
        $ENV{DIR} = "$tmp/cluster";
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$tmp/out";
        open STDERR, '>', "$tmp/err";
        { exec $script }
        POSIX::_exit(127);
    }
    wait_for('scripts/cluster says what to try', sub {
        if (waitpid($pid, WNOHANG) == $pid) {
            undef $pid;
            die "it ended: ", slurp("$tmp/out"), slurp("$tmp/err");
        }
        return slurp("$tmp/out") =~ /Ctrl-C ends all/;
    });
}

sub started { return slurp("$tmp/out") =~ /kill one:  nginx ([\d ]+), etcd ([\d ]+)$/m ? (split(' ', $1), split(' ', $2)) : () }

my $key = 0;

sub issued {
    return map {
        my $client = Stockcert::Client->new($port + $_);
        my @request = ('POST', '/', grant('CS', 1, "of $_"), 'Idempotency-Key: ' . ++$key);
        my $r;
        wait_for('it issues', sub { ($r = $client->ask(@request))->{status} == 201 });
        $r->{json}{cert_id};
    } 0 .. 2;
}

sub ended {
    my ($signal) = @_;
    my @pids = started();
    is(@pids, 6, 'three nginx and three etcd');
    is(scalar(grep { kill 0 => $_ } @pids), 6, 'they run');
    kill $signal => $pid;
    wait_for('it ends', sub { waitpid($pid, WNOHANG) == $pid });
    is($?, 0, "it ends after $signal");
    undef $pid;
    is(scalar(grep { kill 0 => $_ } @pids), 0, 'and so did they');
    unlike(slurp("$tmp/err"), qr/\[(?:alert|emerg)\]/, 'nothing to complain of, but maybe of a slow etcd');
}

start();
is_deeply([issued()], ['CS-1', 'CS-2', 'CS-3'], 'each machine issues');
my $client = Stockcert::Client->new($port + 2);
wait_for("CS-$_ is on the third", sub { $client->ask('GET', "/CS-$_")->{status} == 200 }) for 1 .. 3;
ended('INT');
start();
is_deeply([issued()], ['CS-4', 'CS-5', 'CS-6'], 'started again, it goes on');
for my $machine (0 .. 2) {
    wait_for("machine $machine has all", sub { Stockcert::Client->new($port + $machine)->ask('GET', '/CS-6')->{status} == 200 });
}
ended('TERM');
my @same = map { tool_out('export', "$tmp/cluster/machine$_", '--format', 'jsonl') } 0 .. 2;
is_deeply([@same[1, 2]], [@same[0, 0]], 'and all have the same');

done_testing();
