package Stockcert;

# For the tests that start, stop and kill nginx with the module:
#
#     Stockcert           an nginx in a directory of its own, on 127.0.0.1
#     Stockcert::Client   a connection to it
#     Stockcert::Load     clients that issue, each a process, and note all answers
#     Stockcert::Gate     methods of the server: stop the module at a flush, let it
#                         go on call by call, make the disk slow, set the clock
#     Stockcert::Checks   tests that all is well
#     check_ledger()      verifies the ledger, reads it over HTTP, compares it with
#                         the answers
#
# Nothing waits for ever, and nothing stays behind.

use strict;
use warnings;

use Exporter 'import';
use Carp;
use File::Spec;
use File::Temp;
use IO::Select;
use IO::Socket::INET;
use Cpanel::JSON::XS;
use POSIX qw(WNOHANG setuid);
use Time::HiRes qw(clock_gettime sleep CLOCK_MONOTONIC);

use parent 'Stockcert::Gate';
use Stockcert::Client;
use Stockcert::Load;
use Stockcert::Port;

our @EXPORT = qw(now wait_for reap soak become slurp spew ledger grant read_ledger check_ledger);

our $TIMEOUT = 120;     # seconds, for whatever is waited for

my $process = $$;
my %groups;             # process groups of servers
our %clients;           # processes of loads

$ENV{PATH} .= ':/usr/sbin';
$SIG{PIPE} = 'IGNORE';
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
$SIG{ALRM} = sub { die "the whole test takes too long\n" };
alarm 1800;

END {
    if ($$ == $process) {
        kill KILL => map { -$_ } keys %groups;
        kill KILL => keys %clients;
    }
}

sub now { return clock_gettime(CLOCK_MONOTONIC) }

sub wait_for {
    my ($what, $condition) = @_;
    my $start = now();
    my $result;
    until ($result = $condition->()) {
        my $waited = now() - $start;
        Carp::confess("waited in vain: $what") if $waited > $TIMEOUT;
        # who waits long looks less often, and leaves the processor to others
        sleep($waited < 0.4 ? 0.005 + $waited / 10 : 0.05);
    }
    return $result;
}

# waits until a process of %clients has ended: $? is how

sub reap {
    my ($pid) = @_;
    wait_for("process $pid ends", sub { waitpid($pid, WNOHANG) == $pid });
    delete $clients{$pid};
}

# Repeats the whole test for the minutes in STOCKCERT_SOAK. A test that depends on
# chance (times, ports, who comes first) gets other chances then.

sub soak {
    my $end = now() + 60 * ($ENV{STOCKCERT_SOAK} || 0);
    return if now() >= $end;
    local $ENV{STOCKCERT_SOAK} = 0;
    alarm 0;
    my $out = File::Temp->new;
    my ($times, $failed) = (0, 0);
    while (now() < $end) {
        $failed++ if system "$^X $0 >$out 2>&1";
        print STDERR slurp("$out") if $failed == 1;
        $times++;
    }
    Test::More::is($failed, 0, 'all of it again, and again');
    Test::More::diag("$times times more");
}

# this process belongs to that user from now on

sub become {
    my ($user) = @_;
    my ($uid, $gid) = (getpwnam $user)[2, 3];
    $( = $gid;
    $) = "$gid $gid";
    setuid($uid) or die "setuid: $!\n";
}

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or return '';
    local $/;
    return <$file> // '';
}

sub spew {
    my ($path, $text) = @_;
    open my $file, '>:raw', $path or die "$path: $!\n";
    print $file $text;
    close $file or die "$path: $!\n";
}

# A ledger's block: ledger('acme', CS => 100, PS => 50)
sub ledger {
    my ($name, @classes) = @_;
    @classes = (CS => 2600000, PS => 750000) unless @classes;
    my $text = "stockcert_ledger $name {\n path ledgers/$name;\n size 1g;\n company \"\u$name Inc.\";\n";
    while (my ($code, $shares) = splice @classes, 0, 2) {
        $text .= "    class $code $shares \"Title of $code\";\n";
    }
    return "$text}\n";
}

sub grant {
    my ($class, $amount, $name) = @_;
    return sprintf '{"name":"%s","amount":%s,"class":"%s"}', $name // 'Salt Bae', $amount, $class;
}


# The server. All arguments have defaults. http, main, location and listen are text for
# the configuration. workers is a number (0: master_process off). user is the workers'
# user if the test is root. With as, all run as that ordinary user. With flushes => 1
# there is a gate. connections is that of a worker.

sub new {
    my ($class, %arg) = @_;
    my $self = bless {
        http => ledger('acme'), main => '', listen => '', workers => 2, connections => 512, user => 'nobody',
        location => 'location / { stockcert; }', server => '', port => free_port(), %arg,
        tmp => File::Temp->newdir('stockcert-XXXXXX', TMPDIR => 1),
    }, $class;
    $self->{dir} = $self->{tmp}->dirname;
    mkdir "$self->{dir}/ledgers";
    chmod 0755, $self->{dir};
    if (my $as = $self->{as}) {
        chown +(getpwnam $as)[2, 3], $self->{dir}, "$self->{dir}/ledgers";
    }
    $self->build_gate if $self->{flushes};
    return $self;
}

sub configure {
    my ($self, %arg) = @_;
    %$self = (%$self, %arg);
    my $modules = join '', map { 'load_module "' . File::Spec->rel2abs($_) . "\";\n" }
        split ' ', $self->{module} // $ENV{TEST_NGINX_LOAD_MODULES} // '';
    my $user = '';
    if ($> == 0 and !$self->{as}) {
        $user = "user $self->{user} " . getgrgid((getpwnam $self->{user})[3]) . ';';
    }
    my $processes = $self->{workers} ? "worker_processes $self->{workers};" : 'master_process off;';
    my $daemon = $self->{daemon} ? 'on' : 'off';
    my $temp = join ' ', map { "${_}_temp_path $_;" } qw(client_body proxy fastcgi uwsgi scgi);
    spew("$self->{dir}/nginx.conf", <<"END");
$modules
$user
$processes
daemon $daemon;
pid nginx.pid;
error_log error.log notice;
$self->{main}
events { worker_connections $self->{connections}; }
http {
    access_log off;
    $temp
    add_header X-Worker \$pid always;
    $self->{http}
    server {
        listen 127.0.0.1:$self->{port} $self->{listen};
        location = /static { return 200 "static\\n"; }
        $self->{location}
    }
    $self->{server}
}
END
    return $self;
}

sub command {
    my ($self, @arg) = @_;
    return ($ENV{TEST_NGINX_BINARY} || 'nginx', '-p', "$self->{dir}/", '-c', "$self->{dir}/nginx.conf",
        '-e', "$self->{dir}/error.log", @arg);
}

sub spawn {
    my ($self, @arg) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    eval {
        setpgrp 0, 0;
        if (my $as = $self->{as}) {
            become($as);
        }
        if ($self->{gate}) {
            $ENV{STOCKCERT_GATE} = $self->{gate};
            $ENV{LD_PRELOAD} = "$self->{gate}/gate.so" . ($ENV{LD_PRELOAD} ? ":$ENV{LD_PRELOAD}" : '');
        }
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/output" or die "output: $!\n";
        open STDERR, '>&', \*STDOUT;
        exec $self->command(@arg);
    };
    POSIX::_exit(127);
}

# nginx with other arguments; returns its status and what it wrote

sub run {
    my ($self, @arg) = @_;
    $self->configure;
    unlink "$self->{dir}/output";
    my $pid = $self->spawn(@arg);
    wait_for("nginx @arg", sub { waitpid($pid, WNOHANG) == $pid });
    return ($?, slurp("$self->{dir}/output"));
}

sub start {
    my ($self) = @_;
    $self->configure;
    my $pid = $self->{master} = $self->spawn;
    $groups{$pid} = 1;
    wait_for('nginx starts', sub {
        die "nginx ended:\n", slurp("$self->{dir}/output"), $self->log if waitpid($pid, WNOHANG) == $pid;
        return $self->ready && IO::Socket::INET->new("127.0.0.1:$self->{port}");
    });
    return $self;
}

# as a daemon: a master can only be upgraded if it is no child of the process that
# started it

sub start_daemon {
    my ($self) = @_;
    $self->{daemon} = 1;
    my ($status, $output) = $self->run;
    die "nginx ended:\n$output", $self->log if $status;
    wait_for('nginx starts', sub {
        ($self->{master}) = slurp("$self->{dir}/nginx.pid") =~ /^(\d+)/ or return;
        $groups{$self->{master}} = 1;
        return $self->ready && IO::Socket::INET->new("127.0.0.1:$self->{port}");
    });
    return $self;
}

# all processes that are no zombies: process number => its title. One with a thread that
# still ends, maybe in a flush, still has its sockets.

sub processes {
    my ($self) = @_;
    my %title;
    for my $path (glob '/proc/[0-9]*/stat') {
        my ($pid, $rest) = slurp($path) =~ /^(\d+) .*\) (.*)/s or next;
        my ($state, $group, $threads) = (split ' ', $rest)[0, 2, 17];
        next if $group != $self->{master} or $state =~ /[ZX]/ && $threads < 2;
        ($title{$pid} = slurp("/proc/$pid/cmdline")) =~ s/[\s\0]+$//;
    }
    return %title;
}

sub workers {
    my ($self) = @_;
    my %title = $self->processes;
    return sort { $a <=> $b } grep { $title{$_} =~ /worker process$/ } keys %title;
}

# A worker has its title once it has opened its ledgers. No other workers may be there.
# The master keeps two sockets for each worker until it reaps it, so none of an ended
# one may be left.

sub ready {
    my ($self, @old) = @_;
    my %title = $self->processes;
    delete $title{$self->{master}};
    return keys %title == $self->{workers}
        && !grep({ $title{$_} !~ /worker process$/ } keys %title)
        && !grep({ exists $title{$_} } @old)
        && sockets($self->{master})->{unix} == 2 * keys %title;
}

# what a process has open, by kind: "unix" are nginx's own, between its processes

sub sockets {
    my ($pid) = @_;
    my %kind = map { (split)[6] => 'unix' } split /\n/, slurp('/proc/net/unix');
    for (split /\n/, slurp('/proc/net/tcp')) {
        my ($state, $queues, $inode) = (split)[3, 4, 9];
        $kind{$inode} = $queues =~ /:0+$/ ? 'listening' : 'backlog' if $state eq '0A';
    }
    my %n = (unix => 0, backlog => 0, connected => 0);
    for my $inode (map { (readlink // '') =~ /^socket:\[(\d+)\]$/ } glob "/proc/$pid/fd/*") {
        $n{$kind{$inode} || 'connected'}++;
    }
    return \%n;
}

# Waits until nobody is connected any more, or about to be, and every worker has heard
# of the others. Then each request that was sent is done or forgotten, and what the
# workers have open is what they keep.

sub settle {
    my ($self) = @_;
    wait_for('nobody is connected', sub {
        return $self->ready && !grep {
            my $n = sockets($_);
            $n->{connected} || $n->{backlog} || $n->{unix} != $self->{workers};
        } $self->{workers} ? $self->workers : $self->{master};
    });
}

# Waits until the only worker has read and handled all that these clients sent: first
# all has come to the worker's side, then nothing is left there.

sub taken_up {
    my ($self, @clients) = @_;
    my %port = map { $_->{socket}->sockport => 1 } @clients;
    for my $side (0, 1) {
        wait_for('all that was sent is read', sub {
            my @empty = grep {
                my ($from, $to, $sent, $unread) = /:([0-9A-F]{4}) \w+:([0-9A-F]{4}) 01 (\w+):(\w+) /;
                defined $from && $port{hex($side ? $to : $from)} && hex($side ? $from : $to) == $self->{port}
                    && hex($side ? $unread : $sent) == 0;
            } split /\n/, slurp('/proc/net/tcp');
            return @empty == @clients;
        });
    }
    $self->client->ask('GET', '/static');
}

sub reload {
    my ($self) = @_;
    my @old = $self->workers;
    kill HUP => $self->{master};
    wait_for('new workers only', sub { $self->ready(@old) });
}

# ends all and returns the master's status; after KILL, there is nobody left to
# do it in order

sub stop {
    my ($self, $signal) = @_;
    $signal ||= 'QUIT';
    my $master = $self->{master};
    kill $signal => $signal eq 'KILL' ? -$master : $master;
    my $status;
    wait_for("nginx ends after $signal", sub {
        $status = $? if waitpid($master, WNOHANG) == $master;
        return defined $status && !$self->processes;
    });
    delete $groups{$master};
    return $status;
}

sub kill_worker {
    my ($self, $pid) = @_;
    kill KILL => $pid;
    wait_for('a new worker', sub { $self->ready($pid) });
}

sub client { return Stockcert::Client->new($_[0]{port}) }

sub log { return slurp("$_[0]{dir}/error.log") }

# what must never be in the log, except for our own kills

sub complaints {
    my ($self) = @_;
    return grep { /\[(?:alert|emerg|crit)\]/ && !/exited on signal 9/ } split /^/, $self->log;
}

# one client for each of n workers; needs "reuseport", or one gets them all

sub clients_of_workers {
    my ($self, $n) = @_;
    my %of;
    wait_for("connections to $n workers", sub {
        my $client = $self->client;
        $of{$client->ask('GET', '/static')->{worker}} ||= $client;
        return keys %of == $n;
    });
    return %of;
}


# The ledger, as HTTP tells it: inventory, certificates, and faults of the pages

sub read_ledger {
    my ($server, $uri) = @_;
    $uri //= '/';
    my $client = $server->client;
    my @faults;
    my $get = sub {
        my $r = $client->ask('GET', $_[0]);
        die "GET $_[0]: $r->{status} $r->{body}\n" if $r->{status} != 200;
        return ($r->{json}, $r);
    };
    my ($inventory) = $get->($uri);
    my @certificates;
    for my $class (map { $_->{class} } @{$inventory->{classes}}) {
        my $next = "$uri$class?limit=1000";
        while (defined $next) {
            my ($page, $r) = $get->($next);
            push @certificates, @{$page->{certificates}};
            push @faults, "no progress in $next" if $page->{next} and !@{$page->{certificates}};
            last if @faults;
            $next = $page->{next};
            my $link = defined $next ? "<$next>; rel=\"next\"" : '';
            push @faults, "Link of $class" if ($r->{headers}{link} // '') ne $link;
        }
    }
    return ($inventory, \@certificates, \@faults);
}

sub flat { my ($c) = @_; return join ' ', map { "$_=$c->{$_}" } sort keys %$c }

# What "stockcert verify" finds in the ledger of the server that ends with this seal
# at this entry.

sub verify_ledger {
    my ($server, $inventory) = @_;
    require Stockcert::Tool;
    my @expect = ('--expect', "$inventory->{entries}:$inventory->{seal}");
    my @faults;
    for my $path ($server->{http} =~ /\bpath\s+"?([^"\s;]+)"?;/g) {
        my ($status, $out, $err) = Stockcert::Tool::tool('verify', File::Spec->rel2abs($path, $server->{dir}), @expect);
        return if $status eq '0';
        push @faults, "verify: $status $out$err";
    }
    return @faults ? @faults : 'no ledger is configured';
}

# A certificate as it was issued, of one as GET has it.
sub as_issued {
    my %c = %{$_[0]};
    delete @c{qw(status surrendered_at transaction became came_from cancelled_at reason)};
    return \%c;
}

# Returns what is wrong: "stockcert verify" finds nothing, all certificates are listed,
# no request has two, and each 201 of the answers is as it was told. With lost =>
# 'never', what was not answered was not issued. resulted has the IDs of certificates
# that came of a transaction, so of no request of their own.

sub check_ledger {
    my ($server, $answers, %arg) = @_;
    my ($inventory, $certificates, $faults) = read_ledger($server, $arg{uri});
    my @faults = (@$faults, verify_ledger($server, $inventory));
    my (%last, %issued, %by_id, %by_name);

    for my $c (@$certificates) {
        my ($id, $class) = @$c{qw(cert_id class)};
        my $number = ++$last{$class};
        push @faults, "$id in the place of $class-$number" if $id ne "$class-$number" or $c->{number} != $number;
        push @faults, "$id: company" if $c->{company} ne $inventory->{company};
        push @faults, "$id: $c->{status}" if ($c->{status} eq 'outstanding') == exists $c->{transaction};
        $issued{$class} += $c->{amount} if $c->{status} eq 'outstanding';
        $by_id{$id} = as_issued($c);
        next if $arg{resulted}{$id};
        push @faults, "$id and $by_name{$c->{stakeholder}}{cert_id}: one request" if $by_name{$c->{stakeholder}};
        $by_name{$c->{stakeholder}} = $c;
    }

    for my $class (@{$inventory->{classes}}) {
        my $code = $class->{class};
        my ($number, $sum) = ($last{$code} || 0, $issued{$code} || 0);
        push @faults, "$code: $class->{certificates} certificates, $number listed" if $class->{certificates} != $number;
        push @faults, "$code: $class->{issued} issued, $sum listed" if $class->{issued} != $sum;
    }

    my %told;
    for my $answer (@$answers) {
        my $there = $by_name{$answer->{name}};
        if ($answer->{status} == 201) {
            my $c = decode_json($answer->{body});
            $told{$c->{cert_id}}++ and push @faults, "$c->{cert_id} was told twice";
            push @faults, "$c->{cert_id} is not for $answer->{name}"
                if "$c->{stakeholder} $c->{class} $c->{amount}" ne "$answer->{name} $answer->{class} $answer->{amount}";
            push @faults, "$c->{cert_id} was told otherwise"
                if flat($c) ne flat($by_id{$c->{cert_id}} || {});
        } elsif ($answer->{status}) {
            push @faults, "$there->{cert_id} was refused: $answer->{status}" if $there;
        } elsif ($there and ($arg{lost} // '') eq 'never') {
            push @faults, "$there->{cert_id} was issued, but not answered: $answer->{error}";
        }
    }
    return @faults > 10 ? (@faults[0 .. 9], 'and so on') : @faults;
}

1;
