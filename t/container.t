# Who has a lock cannot be seen from another container. Nor, in a container, if it was
# taken by a process that has died and left it to a child. Then the log and the tool say so.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Root;
use Stockcert::Tool;

alone() or plan skip_all => 'only root has a namespace of its own';

my $server = Stockcert->new->start;
my $client = $server->client;
my $ledger = "$server->{dir}/ledgers/acme";
is($client->issue('CS', 1, 'before')->{status}, 201, 'issued');

# Has the file locked by a process that is not there. Returns what lets it go.

sub locked {
    open my $file, '<', $_[0] or die "$_[0]: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        flock $file, 2 or die "flock: $!\n";
        POSIX::_exit(0);
    }
    waitpid $pid, 0;
    is($?, 0, "$_[0] is locked");
    return $file;
}

my $lock = locked("$ledger/data.mdb");
$client->send('POST', '/', grant('CS', 1, 'locked'));
wait_for('the log says that it cannot be seen', sub { $server->log =~ /\[error\] .* and no process that can be seen from here has the lock of data\.mdb/ });
tool_is('locked: cancel', 3, qr/a process that cannot be seen from here has the ledger locked/, 'cancel', $ledger, 'CS-1', '--reason', 'x');
close $lock;
is($client->receive->{json}{number}, 2, 'it goes on as it is let go');
is($server->stop, 0, 'nginx ends in order');

$lock = locked($ledger);
$server->start;
wait_for('directory locked: the log says so, too', sub { $server->log =~ /\[crit\] .* a process that cannot be seen from here has it locked/ });
close $lock;
wait_for('it goes on as it is let go', sub { $server->client->issue('CS', 1, 'x')->{status} == 201 });
is($server->stop, 0, 'nginx ends in order');

done_testing();
