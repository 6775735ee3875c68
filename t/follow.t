# stockcert log -f goes on after lock.mdb was made anew, and after "size" was raised. It
# ends when its reader is gone, or the journal that it follows.

use strict;
use warnings;
use File::Copy qw(copy);
use POSIX qw(mkfifo WNOHANG);
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $server = Stockcert->new(http => ledger('acme') =~ s/size 1g/size 1m/r, workers => 1)->start;
my ($dir, $ledger) = ($server->{dir}, "$server->{dir}/ledgers/acme");
my $client = $server->client;

sub issue {
    my ($name) = @_;
    wait_for("$name is issued", sub { $client->issue('CS', 1, $name)->{status} == 201 });
}

sub follow {
    my ($pid, $out, $err) = tool_start('log', '-f', @_);
    my $follower = { pid => $pid, out => $out, err => $err };
    wait_for('it follows', sub { slurp($out->filename) =~ /\n\z/ });
    return $follower;
}

sub shows {
    my ($follower, $name) = @_;
    wait_for("it shows $name", sub {
        die "it ended\n", slurp($follower->{err}->filename) if waitpid($follower->{pid}, WNOHANG) == $follower->{pid};
        return slurp($follower->{out}->filename) =~ /\Q$name\E(?:  actor uid:\d+)?\n\z/;
    });
}

sub ended {
    my ($follower) = @_;
    reap($follower->{pid});
    return join ' ', ($? & 127), ($? >> 8), slurp($follower->{err}->filename);
}


# lock.mdb is removed, and the workers make another one

issue('first');
my $follower = follow($ledger);
for my $n (1 .. 3) {
    unlink "$ledger/lock.mdb" or die "lock.mdb: $!\n";
    issue("with lock.mdb $n");
    shows($follower, "with lock.mdb $n");
}
wait_for('no lock.mdb that was removed is open', sub {
    return join(' ', grep { m{/lock\.mdb} } map { readlink // '' } glob "/proc/$follower->{pid}/fd/*") eq "$ledger/lock.mdb $ledger/lock.mdb";
});
pass('no lock.mdb that was removed is open');


# more than the size that it was opened with

$server->{http} =~ s/size 1m/size 1g/;
$server->configure->reload;
$client = $server->client;
while (-s "$ledger/data.mdb" <= 1 << 20) {
    $client->send('POST', '/', grant('CS', 1, 'x' x 240 . $_)) for 1 .. 100;
    $client->receive->{status} == 201 or die 'not issued' for 1 .. 100;
}
issue('behind it');
shows($follower, 'behind it');
is(slurp($follower->{out}->filename), tool_out('log', $ledger), 'it wrote what log writes');


# its reader is gone, and nothing more is issued

for my $how ('DEFAULT', 'IGNORE') {
    my $fifo = "$dir/fifo";
    mkfifo($fifo, 0600);
    my ($pid, undef, $err) = do {
        local $SIG{PIPE} = $how;
        tool_start({ out => $fifo }, 'log', '-f', $ledger, '--since', 3);
    };
    open my $in, '<', $fifo or die "$fifo: $!\n";
    my $line = <$in>;
    # it waits: all of the rest is read
    my $bytes = 0;
    until ($bytes and ($line // '') =~ / behind it\n\z/) {
        $line = <$in>;
        $bytes += length $line;
    }
    close $in;
    my $end = ended({ pid => $pid, err => $err });
    like($end, $how eq 'DEFAULT' ? qr/\A13 0 \z/ : qr/\A0 3 stockcert: cannot write the output: Broken pipe\n\z/, "its reader is gone, SIGPIPE $how");
    unlink $fifo;
}


# another journal, or none

$server->stop;
kill TERM => $follower->{pid};
ended($follower);

my $gone = qr/\A0 3 stockcert: the ledger in \S+ was removed or replaced, what was shown is of the one before: [^\n]*\n\z/;
my %ways = (
    'data.mdb is removed' => sub { unlink "$_[0]/data.mdb" },
    'data.mdb is another file' => sub { copy("$ledger/data.mdb", "$_[0]/new"); rename "$_[0]/new", "$_[0]/data.mdb" },
    'the directory is another one' => sub { rename $_[0], "$_[0].old"; mkdir $_[0], 0700 },
    'the directory is away' => sub { rename $_[0], "$_[0].old" },
);
for my $way (sort keys %ways) {
    my $at = "$dir/at";
    system('cp', '-a', $ledger, $at) == 0 or die;
    $follower = follow($at);
    $ways{$way}->($at);
    like(ended($follower), $gone, "$way: it ends, and says why");
    system 'rm', '-rf', $at, "$at.old";
}

# an older one is written over it, in place, and grows

my $older = "$dir/older";
system('cp', '-a', $ledger, $older) == 0 or die;
my $at = "$dir/at";
system('cp', '-a', $ledger, $at) == 0 or die;
tool_out('authorize', $at, 'CS', 3000000, '--reference', 'in the newer one');
$follower = follow($at);
shows($follower, 'in the newer one');
my $bytes = slurp("$older/data.mdb");
open my $data, '+<:raw', "$at/data.mdb" or die "data.mdb: $!\n";      # never shorter than what is mapped
syswrite $data, $bytes;
truncate $data, length $bytes;
close $data;
like(ended($follower), $gone, 'an older one in place: it ends, and says why');

done_testing;
