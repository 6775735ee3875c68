package Stockcert::Cluster;

# Machines that have one ledger by an etcd: each is a server (Stockcert) with a directory
# and a port of its own. All is on 127.0.0.1.
#
#     my $cluster = Stockcert::Cluster->new(machines => 3, members => 3, relays => 1);
#
# machines    how many; they have the numbers 0, 1, 2...
# members     of etcd; more for Stockcert::Etcd->new() is in etcd => {...}
# relays      1: a relay is between each machine and each member, link(machine, member),
#             and before each member, for those of the others, peer(member)
# classes     [code => shares, ...]
# block       more directives of the ledger, block => sub { ... } by the number of a machine,
#             and the cluster
# start       0: no machine is started yet, and etcd has no ledger
#
# More for Stockcert->new() is in server => {...}.

use strict;
use warnings;

use Exporter 'import';
use Cpanel::JSON::XS;
use Stockcert;
use Stockcert::Etcd;
use Stockcert::Relay;
use Stockcert::Tool;

our @EXPORT = qw(company);

sub company { return 'Acme Inc.' }

sub new {
    my ($class, %arg) = @_;
    my $self = bless {
        machines => 3, members => 3, relays => 0, etcd => {}, block => sub { return '' }, start => 1,
        classes => [CS => '9000000000000000', PS => '9000000000000000'], %arg,
    }, $class;
    my $etcd = $self->{etcd} = Stockcert::Etcd->new(members => $self->{members}, %{$self->{etcd}}, start => 0);
    if ($self->{relays}) {
        for my $m ($etcd->all) {
            my $member = $etcd->{member}[$m];
            $self->{peer}[$m] = Stockcert::Relay->new($member->{peer});
            $member->{advertised} = $self->{peer}[$m]->port;
            $self->{link}[$_][$m] = Stockcert::Relay->new($member->{client}) for $self->all;
        }
    }
    $etcd->start_all;
    $self->{servers} = [map { $self->server($_) } $self->all];
    if ($self->{start}) {
        $self->replicate;
        $_->start for $self->servers;
        $self->ready($_) for $self->all;
    }
    return $self;
}

sub all { return 0 .. $_[0]{machines} - 1 }

sub machine { return $_[0]{servers}[$_[1]] }
sub servers { return @{$_[0]{servers}} }
sub etcd { return $_[0]{etcd} }
sub link { return $_[0]{link}[$_[1]][$_[2]] }
sub links { return @{$_[0]{link}[$_[1]]} }
sub peer { return $_[0]{peer}[$_[1]] }

# URLs of etcd, for a machine

sub endpoints {
    my ($self, $i) = @_;
    my @urls = $self->{etcd}->endpoints;
    return @urls if !$self->{relays};
    return map { $urls[$_] =~ s/\d+$/$self->{link}[$i][$_]->port/er } 0 .. $#urls;
}

sub block {
    my ($self, $i) = @_;
    my $text = 'stockcert_ledger acme { path ledgers/acme; size 1g; company "' . company . "\";\n";
    my @classes = @{$self->{classes}};
    while (my ($code, $shares) = splice @classes, 0, 2) {
        $text .= "class $code $shares \"Title of $code\";\n";
    }
    return $text . "etcd @{[$self->endpoints($i)]};\n" . $self->{block}->($i, $self) . "\n}\n";
}

sub server {
    my ($self, $i) = @_;
    return Stockcert->new(listen => 'reuseport', location => 'location / { stockcert; stockcert_transactions on; }',
        http => $self->block($i), %{$self->{server} || {}});
}

# puts an empty ledger into etcd, or with a machine's number that machine's

sub replicate {
    my ($self, $i, @more) = @_;
    my @arg = ('--etcd', join(',', map { "http://127.0.0.1:$_->{plain}" } @{$self->{etcd}{member}}),
        '--etcd-prefix', $self->{etcd}{prefix}, @more);
    if (my $auth = $self->{etcd}{auth}) {
        spew("$self->{etcd}{dir}/auth", $auth->[1]);
        push @arg, '--etcd-user', $auth->[0], '--etcd-password-file', "$self->{etcd}{dir}/auth";
    }
    return tool('replicate', $self->path($i), @arg) if defined $i;
    my $tmp = File::Temp->newdir('stockcert-XXXXXX', TMPDIR => 1);
    my ($status, $out, $err) = tool('replicate', "$tmp/acme", '--company', company, @arg);
    die "replicate: $status $out$err\n" if $status ne '0';
}

sub path { return "$_[0]{servers}[$_[1]]{dir}/ledgers/acme" }

# where a machine's journal ends, as it tells: "entries seal", or "" if it does not tell;
# where etcd's does

sub end {
    my ($self, $i) = @_;
    my $r = $self->machine($i)->client->ask('GET', '/');
    return $r->{status} == 200 ? "$r->{json}{entries} $r->{json}{seal}" : '';
}

sub head {
    my ($self) = @_;
    my $head = decode_json($self->{etcd}->get('head'));
    return "$head->{position} $head->{seal}";
}

# waits until a machine issues, for classes of the configuration are opened then

sub ready {
    my ($self, $i) = @_;
    wait_for("machine $i has its classes", sub {
        my $r = $self->machine($i)->client->ask('GET', '/');
        return $r->{status} == 200 && @{$r->{json}{classes}} >= @{$self->{classes}} / 2;
    });
}

# waits until all machines, or those, have all that etcd has

sub settle {
    my ($self, @which) = @_;
    wait_for('all have the same', sub {
        my $head = eval { $self->head } // return 0;      # etcd may be at an election
        return !grep { $self->end($_) ne $head } @which ? @which : $self->all;
    });
}

# what is wrong if the journals of all machines, or of those, are not the same bytes

sub parted {
    my ($self, @which) = @_;
    my ($first, @faults);
    for my $i (@which ? @which : $self->all) {
        my ($status, $out, $err) = tool('export', $self->path($i), '--format', 'jsonl');
        push @faults, "export of machine $i: $status $err" if "$status$err" ne '0';
        $first //= $out;
        push @faults, "machine $i has another journal" if $out ne $first;
    }
    return @faults;
}

# what all are at, for who looks why a test failed

sub state {
    my ($self) = @_;
    my @lines;
    for my $i ($self->all) {
        my $r = eval { local $Stockcert::TIMEOUT = 3; $self->machine($i)->client->ask('GET', '/') };
        push @lines, "machine $i: " . ($r ? "$r->{status} $r->{error}$r->{body}" : $@);
        push @lines, (split /^/, $self->machine($i)->log)[-15 .. -1];
    }
    my $head = eval { $self->head } // $@;
    return join "\n", @lines, "etcd: $head";
}

# something like a server, for Stockcert::Load: its clients ask any machine each time,
# and wait for $patience seconds

sub anyone {
    my ($self, $patience) = @_;
    return bless { servers => $self->{servers}, patience => $patience }, 'Stockcert::Cluster::Anyone';
}

package Stockcert::Cluster::Anyone;

sub client {
    my ($self) = @_;
    return bless { %$self, clients => [map { $_->client } @{$self->{servers}}] }, ref $self;
}

sub stale { return 0 }

sub ask {
    my ($self, @arg) = @_;
    return $self->ask_one(int rand @{$self->{clients}}, @arg);
}

sub ask_one {
    my ($self, $i, @arg) = @_;
    local $Stockcert::TIMEOUT = $self->{patience} || $Stockcert::TIMEOUT;
    my $r = $self->{clients}[$i]->ask(@arg);
    $r->{machine} = $i;
    return $r;
}

1;
