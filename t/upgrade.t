# A binary upgrade that is rolled back, under load, as nginx's documentation says:
# USR2, then HUP to the old master (with or without WINCH before), QUIT to the new
# one. Then nginx has more workers in one cycle than it was told, with the same
# worker numbers. And a new master that is killed after WINCH.

use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;
use Stockcert::Checks;

my $soak = 60 * ($ENV{STOCKCERT_SOAK} || 0);
alarm 2 * $soak + 600;

my $server = Stockcert->new(http => ledger('acme', CS => '9000000000000000', PS => '9000000000000000'));
my ($binary) = grep { m{/} && -x } map { ($_, map { "$_/$ENV{TEST_NGINX_BINARY}" } split /:/, $ENV{PATH}) } $ENV{TEST_NGINX_BINARY};
$ENV{TEST_NGINX_BINARY} = $binary;

# A master that can be upgraded is no child of who started it.

$server->start_daemon;

sub pid { return slurp("$server->{dir}/nginx.pid" . ($_[0] // '')) =~ /^(\d+)/ ? $1 : 0 }

sub children {
    my ($master) = @_;
    my %title = $server->processes;
    return grep { $title{$_} =~ /worker process$/ && slurp("/proc/$_/stat") =~ /\) \S $master / } keys %title;
}

sub gone { my ($pid) = @_; my %title = $server->processes; return !$title{$pid} }

sub upgrade {
    my ($old) = @_;
    kill USR2 => $old;
    my $new;
    wait_for('a new master with its workers', sub {
        $new = pid();
        return pid('.oldbin') == $old && $new && $new != $old && children($new) == 2;
    });
    return $new;
}

my %rollback = (
    'HUP' => sub {
        my ($old, $new) = @_;
        kill HUP => $old;
        wait_for('more workers of the old master', sub { children($old) == 4 });
        sleep 0.2;
        kill QUIT => $new;
    },
    'WINCH and HUP' => sub {
        my ($old, $new) = @_;
        kill WINCH => $old;
        wait_for('its workers leave', sub { children($old) == 0 });
        kill HUP => $old;
        wait_for('workers of the old master', sub { children($old) >= 2 });
        sleep 0.2;
        kill QUIT => $new;
    },
    'WINCH, and the new master dies' => sub {
        my ($old, $new) = @_;
        kill WINCH => $old;
        wait_for('the old workers end', sub { !children($old) });
        my @workers = children($new);
        kill KILL => $new, @workers;
    },
);

my $end = now() + $soak;
do {
    for my $how (sort keys %rollback) {
        my $old = pid();
        my $kept = Stockcert::Load->new($server, clients => 4);
        my $fresh = Stockcert::Load->new($server, clients => 4, fresh => 1);
        $_->progress(20) for $kept, $fresh;
        my $new = upgrade($old);
        $_->progress(20) for $kept, $fresh;
        $rollback{$how}->($old, $new);
        wait_for('the new master is gone', sub { gone($new) });
        wait_for('the old master has its name back', sub { pid() == $old && children($old) >= 2 });
        $_->progress(20) for $kept, $fresh;
        my @answers = map { $_->stop } $kept, $fresh;
        my %status;
        $status{$_->{status}}++ for @answers;
        is_deeply([grep { $_->{status} && $_->{status} != 201 } @answers], [],
            "$how: nothing but 201 was answered, or the connection closed: " . join ', ', map { "$status{$_} x $_" } sort keys %status);
        is_deeply([check_ledger($server, \@answers)], [], "$how: the ledger");

        # back to two workers, for the next

        my @surplus = children($old);
        kill HUP => $old;
        wait_for('two new workers', sub {
            my %was = map { $_ => 1 } @surplus;
            my @now = children($old);
            return @now == 2 && !grep { $was{$_} } @now;
        });
    }
} while now() < $end;

ok($server->log !~ /exited on signal (?!9\b)/, 'no worker crashed');
is_deeply([$server->complaints], [], 'nothing to complain of in the log');
kill QUIT => pid();
wait_for('all end', sub { !$server->processes });

done_testing();
