package Stockcert::Load;

# Arguments: clients, count (requests of each; without it, until stop()), uri,
# grants (called with the numbers of client and request, returns class and
# amount), ask (called with a Stockcert::Client and what issue() wants, to ask for
# something else), tag (what the names begin with), fresh (1: the client of each request has a new connection).
# On a connection to keep, a client asks first which worker it has got. Each
# request has a name of its own; an answer that was lost is not asked for again.
#
# With crowd (a number), each client has so many connections, sends a request on
# each, and then waits for all the answers.

use strict;
use warnings;

use File::Temp;
use IO::Select;
use POSIX ();
use Time::HiRes ();

my $loads = 0;

sub new {
    my ($class, $server, %arg) = @_;
    my $self = bless {
        clients => 20, count => 0, uri => '/', answers => [],
        grants => sub { return ($_[1] % 3 ? 'CS' : 'PS', 1 + $_[1] % 7) },
        ask => sub { my ($http, @arg) = @_; return $http->issue(@arg) },
        tag => 'load' . ++$loads . ' client', %arg,
    }, $class;
    my $parent = $$;
    # a client can be told to stop as soon as it is there
    local $SIG{TERM} = sub { $$ == $parent ? exit 1 : ($self->{stop} = 1) };
    for my $client (1 .. $self->{clients}) {
        my $file = File::Temp->new;
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            my $run = $self->{crowd} ? 'come' : 'run';
            my $ok = eval { $file->autoflush(1); $self->$run($server, $client, $file); 1 };
            print STDERR $@ if !$ok;
            POSIX::_exit($ok ? 0 : 1);
        }
        $Stockcert::clients{$pid} = 1;
        push @{$self->{running}}, $pid;
        push @{$self->{files}}, { path => $file, offset => 0 };
    }
    return $self;
}

sub run {
    my ($self, $server, $client, $file) = @_;
    my $http = $server->client;

    for (my $n = 1; !$self->{count} || $n <= $self->{count}; $n++) {
        my $end = Stockcert::now() + 120;
        while (!$self->{stop} && $http->stale) {
            $http->connect;
            last if $self->{fresh};
            my $r = $http->ask('GET', '/static');
            $http->{worker} = $r->{worker};
            next if $r->{status};
            print $file join("\t", 0, "not served: $r->{error}", ('') x 8), "\n";
            Time::HiRes::sleep(0.01);
            die "client $client can do nothing\n" if Stockcert::now() > $end;
        }
        last if $self->{stop};
        my ($class, $amount) = $self->{grants}->($client, $n);
        my $name = "$self->{tag} $client request $n";
        my $sent = Stockcert::now();
        my $r = $self->{ask}->($http, $class, $amount, $name, $self->{uri});
        $self->note($file, $r, $http->{worker} // $r->{worker} // '', $sent, $class, $amount, $name);
        $http->close if $self->{fresh};
        Time::HiRes::sleep(!$r->{status} && $self->{fresh} ? 0.01 : 0.005) if !$self->{count};
    }
}

sub come {
    my ($self, $server, $client, $file) = @_;
    my %of;
    my ($class, $amount) = $self->{grants}->($client, 1);
    my $name = sub { return "$self->{tag} $client connection $_[0]" };
    for my $n (1 .. $self->{crowd}) {
        my $http = $server->client;
        $http->connect or die "connect: $!\n";
        $of{$http->{socket}} = [$n, $http, Stockcert::now()];
        $http->send('POST', $self->{uri}, Stockcert::grant($class, $amount, $name->($n)));
    }
    my $waiting = IO::Select->new(map { $_->[1]{socket} } values %of);
    # some are not answered before others, of other clients, are
    my $end = Stockcert::now() + 10 * $Stockcert::TIMEOUT;
    while ($waiting->count) {
        my @ready = $waiting->can_read($end - Stockcert::now()) or die "no answer to " . $waiting->count . " requests\n";
        for my $socket (@ready) {
            my ($n, $http, $sent) = @{$of{$socket}};
            $self->note($file, $http->receive, '', $sent, $class, $amount, $name->($n));
            $waiting->remove($socket);
        }
    }
}

sub note {
    my ($self, $file, $r, $worker, $sent, $class, $amount, $name) = @_;
    (my $body = $r->{body}) =~ tr/\n//d;
    print $file join("\t", $r->{status}, $r->{error}, $worker, $sent, Stockcert::now(), $class, $amount,
        $name, $r->{headers}{'retry-after'} // '', $body), "\n";
}

# all answers up to now

sub answers {
    my ($self) = @_;
    for my $file (@{$self->{files}}) {
        open my $in, '<', "$file->{path}" or die "$file->{path}: $!\n";
        seek $in, $file->{offset}, 0;
        while (my $line = <$in>) {
            last if $line !~ s/\n$//;
            $file->{offset} += length($line) + 1;
            my %answer;
            @answer{qw(status error worker sent answered class amount name retry_after body)} = split /\t/, $line, 10;
            push @{$self->{answers}}, \%answer;
        }
    }
    return @{$self->{answers}};
}

# waits for n more answers

sub progress {
    my ($self, $n) = @_;
    my $answered = sub { return scalar grep { $_->{status} } $self->answers };
    my $enough = $answered->() + $n;
    Stockcert::wait_for("$n more answers", sub { $answered->() >= $enough });
}

# waits until all clients are done, and returns all answers

sub finish {
    my ($self) = @_;
    my $failed = 0;
    local $Stockcert::TIMEOUT = 10 * $Stockcert::TIMEOUT;    # as long as clients wait for answers
    for my $pid (@{$self->{running}}) {
        Stockcert::reap($pid);
        $failed++ if $?;
    }
    $self->{running} = [];
    die "$failed clients failed\n" if $failed;
    return $self->answers;
}

sub stop {
    my ($self) = @_;
    kill TERM => @{$self->{running}};
    return $self->finish;
}

1;
