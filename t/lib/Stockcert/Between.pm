package Stockcert::Between;

# What stands between a client and the gateway of an etcd, and loses transactions that
# put something:
#
#     my $between = Stockcert::Between->new(($etcd->endpoints)[0]);
#     $between->lose(3, 'answer');    # the third from now on, and all after it, are done,
#                                     # and their answers are lost
#     $between->lose(1, 'request');   # the next, and all after it, are lost
#     $between->lose(0);              # no more
#
# Whoever sent what is lost waits until it gives up.

use strict;
use warnings;

use File::Temp;
use IO::Select;
use IO::Socket::INET;
use Stockcert;

my %running;
END { kill KILL => keys %running }

sub new {
    my ($class, $url) = @_;
    my $self = bless { dir => File::Temp->newdir('stockcert-between-XXXXXX', TMPDIR => 1) }, $class;
    my ($host) = $url =~ m{^http://(.+)$} or die "not http: $url\n";
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16) or die "listen: $!\n";
    $self->{url} = 'http://127.0.0.1:' . $listen->sockport;
    $self->lose(0);
    Stockcert::spew("$self->{dir}/lost", '');
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $SIG{PIPE} = 'IGNORE';
        eval { serve("$self->{dir}", $listen, $host) };
        POSIX::_exit(0);
    }
    $running{$self->{pid} = $pid} = 1;
    return $self;
}

sub url { return $_[0]{url} }

# the file is replaced whole, so that it is read whole

sub lose {
    my ($self, $from, $what) = @_;
    $self->{turn}++;
    Stockcert::spew("$self->{dir}/new", join ' ', $self->{turn}, $from, $what // '');
    rename "$self->{dir}/new", "$self->{dir}/lose" or die "rename: $!\n";
    Stockcert::spew("$self->{dir}/lost", '');
}

# whether something was lost since then

sub has_lost { return -s "$_[0]{dir}/lost" }

sub serve {
    my ($dir, $listen, $host) = @_;
    my $select = IO::Select->new($listen);
    my ($turn, $count) = (0, 0);
    while (my @ready = $select->can_read) {
        for my $socket (@ready) {
            if ($socket == $listen) {
                $select->add($listen->accept);
                next;
            }
            my $request = message($socket);
            if (!defined $request) {
                $select->remove($socket);
                next;
            }
            my ($now, $from, $what) = split / /, Stockcert::slurp("$dir/lose");
            ($turn, $count) = ($now, 0) if $turn != $now;
            $count++ if $request =~ m{^POST /v3/kv/txn } && $request =~ /"request_put"/;
            my $lost = $from && $count >= $from;
            if (!$lost || $what eq 'answer') {
                my $etcd = IO::Socket::INET->new(PeerAddr => $host) or next;
                print $etcd $request;
                my $answer = message($etcd) // next;
                print $socket $answer if !$lost;
            }
            Stockcert::spew("$dir/lost", 'yes') if $lost;
        }
    }
}

# all of a request or an answer, or undef

sub message {
    my ($socket) = @_;
    my $message = '';
    while ($message !~ /\r\n\r\n/) {
        $socket->sysread($message, 65536, length $message) or return;
    }
    my ($head) = $message =~ /^(.*?\r\n\r\n)/s;
    my ($length) = $head =~ /^content-length: *(\d+)/im;
    while (length $message < length($head) + ($length // 0)) {
        $socket->sysread($message, 1048576, length $message) or return;
    }
    return $message;
}

1;
