package Stockcert::Load;

# Arguments: clients, count (requests of each; without it, until stop()), uri,
# grants (called with the numbers of client and request, returns class and
# amount). On each new connection a client asks which worker it has got. Each
# request has a name of its own; an answer that was lost is not asked for again.

use strict;
use warnings;

use File::Temp;
use POSIX ();
use Time::HiRes ();

my $loads = 0;

sub new {
    my ($class, $server, %arg) = @_;
    my $self = bless {
        clients => 20, count => 0, uri => '/', answers => [],
        grants => sub { return ($_[1] % 3 ? 'CS' : 'PS', 1 + $_[1] % 7) }, %arg,
        tag => 'load' . ++$loads . ' client',
    }, $class;
    for my $client (1 .. $self->{clients}) {
        my $file = File::Temp->new;
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            my $ok = eval { $self->run($server, $client, $file); 1 };
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
    my $stop = 0;
    local $SIG{TERM} = sub { $stop = 1 };
    my $http = $server->client;
    my $worker;
    $file->autoflush(1);
    my $end = Stockcert::now() + 120;

    for (my $n = 1; !$self->{count} || $n <= $self->{count}; $n++) {
        while (!$stop && $http->stale) {
            $http->connect;
            my $r = $http->ask('GET', '/static');
            $worker = $r->{worker} // '';
            next if $r->{status};
            print $file join("\t", 0, "not served: $r->{error}", ('') x 7), "\n";
            Time::HiRes::sleep(0.01);
            die "client $client can do nothing\n" if Stockcert::now() > $end;
        }
        last if $stop;
        my ($class, $amount) = $self->{grants}->($client, $n);
        my $name = "$self->{tag} $client request $n";
        my $sent = Stockcert::now();
        my $r = $http->issue($class, $amount, $name, $self->{uri});
        my $body = $r->{body};
        $body =~ s/\s+$//;
        print $file join("\t", $r->{status}, $r->{error}, $worker, $sent, Stockcert::now(), $class, $amount,
            $name, $body), "\n";
    }
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
            @answer{qw(status error worker sent answered class amount name body)} = split /\t/, $line, 9;
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
    for my $pid (@{$self->{running}}) {
        Stockcert::wait_for('a client ends', sub { waitpid($pid, POSIX::WNOHANG) == $pid });
        $failed++ if $?;
        delete $Stockcert::clients{$pid};
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
