package Stockcert::Etcd;

# Members of an etcd, on ports of 127.0.0.1 and in a directory of their own, in memory
# if they can be: a slow disk would make them choose leaders. They go away with the object:
#
#     my $etcd = Stockcert::Etcd->new(members => 3, tls => 1, auth => ['stockcert', 'secret']);
#
# members    how many, 1 by default; they have the numbers 0, 1, 2...
# tls        clients come by TLS; {client_certificates => 1}: they must have certificates
# auth       etcd has users, "root" with the password "root", and this one, who may do
#            all below the prefix
# prefix     of the keys, "/stockcert/acme/" by default
# args       more arguments of each member
# start      0: no member is started yet; $etcd->{member}[i]{advertised} may then be a port
#            by which the others reach one, before start_all()
#
# All that asks etcd goes to its JSON gateway by a second, plain port of each member.

use strict;
use warnings;

use File::Temp;
use HTTP::Tiny;
use Cpanel::JSON::XS;
use MIME::Base64;
use POSIX qw(WNOHANG);
use Stockcert;
use Stockcert::Disk qw(in_memory);
use Stockcert::Port;

my $process = $$;
my %running;
END { CORE::kill KILL => CORE::keys %running if $$ == $process }

sub new {
    my ($class, %arg) = @_;
    my $self = bless {
        members => 1, prefix => '/stockcert/acme/', args => [], start => 1, %arg,
        tmp => File::Temp->newdir('stockcert-etcd-XXXXXX', DIR => in_memory), state => 'new',
    }, $class;
    $self->{dir} = $self->{tmp}->dirname;
    for my $i ($self->all) {
        my %member = map { $_ => free_port() } qw(client plain peer);
        $self->{member}[$i] = \%member;
    }
    $self->make_certificates if $self->{tls};
    if ($self->{start}) {
        $self->start_all;
    }
    return $self;
}

sub start_all {
    my ($self) = @_;
    $self->spawn($_) for $self->all;
    $self->wait_healthy;
    $self->make_users if $self->{auth} and !$self->{users};
}

sub DESTROY {
    my ($self) = @_;
    return if $$ != $process;
    local $?;
    $self->kill($_) for $self->all;
}

sub all { return 0 .. $_[0]{members} - 1 }

# URLs for clients, of those members or of all

sub endpoints {
    my ($self, @which) = @_;
    my $scheme = $self->{tls} ? 'https' : 'http';
    return map { "$scheme://127.0.0.1:$self->{member}[$_]{client}" } @which ? @which : $self->all;
}

sub log { return Stockcert::slurp("$_[0]{dir}/log$_[1]") }

sub pid { return $_[0]{member}[$_[1]]{pid} }


# certificates, in files: "ca", and "server", "client" and "named" (which has a
# CommonName) with a ".pem" and a ".key"

sub make_certificates {
    my ($self) = @_;
    my $dir = $self->{dir};
    my $key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2';
    my %subject = (server => '/O=test', client => '/O=test', named => '/CN=stockcert');
    spew("$dir/ext", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
    spew("$dir/ext-server-only", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
    my $ext = ref $self->{tls} && $self->{tls}{server_only} ? "$dir/ext-server-only" : "$dir/ext";
    openssl("req -x509 $key -subj /O=ca -keyout $dir/ca.key -out $dir/ca.pem");
    for my $name (sort CORE::keys %subject) {
        my $of = $name eq 'server' ? $ext : "$dir/ext";
        openssl("req -new $key -subj $subject{$name} -keyout $dir/$name.key -out $dir/$name.csr");
        openssl("x509 -req -in $dir/$name.csr -CA $dir/ca.pem -CAkey $dir/ca.key -CAcreateserial"
            . " -days 2 -extfile $of -out $dir/$name.pem");
    }
}

sub openssl {
    my ($command) = @_;
    my $output = `openssl $command 2>&1`;
    die "openssl $command: $output\n" if $?;
}

sub make_users {
    my ($self) = @_;
    my ($user, $password) = @{$self->{auth}};
    my @range = (key => encode_base64($self->{prefix}, ''),
        range_end => encode_base64(substr($self->{prefix}, 0, -1) . '0', ''));
    $self->ask('auth/user/add', { name => 'root', password => 'root' });
    $self->ask('auth/role/add', { name => 'root' });
    $self->ask('auth/user/grant', { user => 'root', role => 'root' });
    $self->ask('auth/role/add', { name => 'writer' });
    $self->ask('auth/role/grant', { name => 'writer', perm => { permType => 'READWRITE', @range } });
    $self->ask('auth/user/add', { name => $user, password => $password });
    $self->ask('auth/user/grant', { user => $user, role => 'writer' });
    $self->ask('auth/enable', {});
    $self->{users} = 1;
}


# what becomes of a member

sub command {
    my ($self, $i) = @_;
    my $member = $self->{member}[$i];
    my ($url) = $self->endpoints($i);
    my $plain = "http://127.0.0.1:$member->{plain}";
    my @peer = map { 'http://127.0.0.1:' . ($_->{advertised} // $_->{peer}) } @{$self->{member}};
    my @tls = $self->{tls} ? ('--cert-file', "$self->{dir}/server.pem", '--key-file', "$self->{dir}/server.key") : ();
    push @tls, '--client-cert-auth', '--trusted-ca-file', "$self->{dir}/ca.pem"
        if ref $self->{tls} && $self->{tls}{client_certificates};
    return ('etcd', '--name', "m$i", '--data-dir', "$self->{dir}/m$i",
        '--listen-client-urls', "$url,$plain", '--advertise-client-urls', $url,
        '--listen-peer-urls', "http://127.0.0.1:$member->{peer}",
        '--initial-advertise-peer-urls', $peer[$i],
        '--initial-cluster', join(',', map { "m$_=$peer[$_]" } $self->all),
        '--initial-cluster-state', $self->{state}, '--log-outputs', 'stderr', @tls, @{$self->{args}});
}

sub spawn {
    my ($self, $i) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        eval {
            delete @ENV{grep { /^ETCD_/ } CORE::keys %ENV};
            open STDIN, '<', '/dev/null';
            open STDOUT, '>>', "$self->{dir}/log$i" or die "log: $!\n";
            open STDERR, '>&', \*STDOUT;
            exec $self->command($i);
        };
        POSIX::_exit(127);
    }
    $running{$pid} = 1;
    $self->{member}[$i]{pid} = $pid;
}

# starts one that does not run, and waits until it answers

sub start {
    my ($self, $i) = @_;
    $self->spawn($i);
    $self->wait_healthy($i);
}

sub signal {
    my ($self, $i, $signal) = @_;
    CORE::kill $signal => $self->pid($i);
}

sub kill {
    my ($self, $i, $signal) = @_;
    my $pid = delete $self->{member}[$i]{pid} or return;
    CORE::kill $signal // 'KILL', $pid;
    CORE::kill CONT => $pid;
    wait_for("etcd $i ends", sub { waitpid($pid, WNOHANG) != 0 });
    delete $running{$pid};
}

# in order

sub stop { $_[0]->kill($_[1], 'TERM') }

sub restart {
    my ($self, $i) = @_;
    $self->stop($i);
    $self->start($i);
}

# one that does not run loses all that it has on disk

sub wipe {
    my ($self, $i) = @_;
    system('rm', '-rf', "$self->{dir}/m$i") == 0 or die "rm failed\n";
}

# waits until those members, or all, answer a read of what a quorum has

sub wait_healthy {
    my ($self, @which) = @_;
    for my $i (@which ? @which : $self->all) {
        wait_for("etcd $i is healthy", sub {
            my $pid = $self->pid($i);
            die "etcd $i ended:\n", $self->log($i) if waitpid($pid, WNOHANG) == $pid;
            my $r = $self->post($i, '/health', undef);
            return $r->{status} == 200 && $r->{content} =~ /"true"/;
        });
    }
}


# asks the gateway of a member, the first by default: "kv/range", {...}; its answer,
# which must be a success

sub ask {
    my ($self, $path, $what, $i) = @_;
    my $r = $self->post($i // 0, "/v3/$path", $what);
    die "etcd: $path: $r->{status} $r->{content}\n" if $r->{status} != 200;
    return decode_json($r->{content});
}

sub post {
    my ($self, $i, $path, $what) = @_;
    my $http = HTTP::Tiny->new(timeout => $self->{auth} ? 60 : 10, proxy => undef, http_proxy => undef);
    my $url = "http://127.0.0.1:$self->{member}[$i]{plain}$path";
    return $http->get($url) if !defined $what;
    my %headers = ('Content-Type' => 'application/json');
    if ($self->{users}) {
        my $r = $http->post("http://127.0.0.1:$self->{member}[$i]{plain}/v3/auth/authenticate",
            { content => '{"name":"root","password":"root"}', headers => { %headers } });
        $headers{Authorization} = decode_json($r->{content})->{token} if $r->{status} == 200;
    }
    return $http->post($url, { content => Cpanel::JSON::XS->new->canonical->encode($what), headers => \%headers });
}

sub key { return encode_base64($_[0]{prefix} . $_[1], '') }

# the value of a key below the prefix, or undef; sets one; removes it; all keys there

sub get {
    my ($self, $name, $i) = @_;
    my $kv = $self->ask('kv/range', { key => $self->key($name) }, $i)->{kvs} or return;
    return decode_base64($kv->[0]{value} // '');
}

sub set {
    my ($self, $name, $value, $i) = @_;
    return $self->ask('kv/put', { key => $self->key($name), value => encode_base64($value, '') }, $i);
}

sub remove {
    my ($self, $name, $i) = @_;
    return $self->ask('kv/deleterange', { key => $self->key($name) }, $i);
}

sub keys {
    my ($self, $i) = @_;
    my $end = encode_base64(substr($self->{prefix}, 0, -1) . '0', '');
    my $r = $self->ask('kv/range', { key => $self->key(''), range_end => $end, keys_only => \1 }, $i);
    return map { substr decode_base64($_->{key}), length $self->{prefix} } @{$r->{kvs} || []};
}

# the present revision; forgets all before it

sub revision { return $_[0]->ask('kv/range', { key => $_[0]->key('head') })->{header}{revision} }

sub compact {
    my ($self) = @_;
    $self->ask('kv/compaction', { revision => $self->revision, physical => \1 });
}

# the member that leads, or undef

sub leader {
    my ($self) = @_;
    for my $i (grep { $self->pid($_) } $self->all) {
        my $r = $self->post($i, '/v3/maintenance/status', {});
        next if $r->{status} != 200;
        my $status = decode_json($r->{content});
        return $i if ($status->{leader} // '') eq $status->{header}{member_id};
    }
    return;
}

1;
