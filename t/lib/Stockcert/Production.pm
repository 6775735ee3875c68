package Stockcert::Production;

# conf/production.conf on this machine: only values of the lines that are marked with
# YOURS are replaced. openssl makes the certificates, curl is the client.
#
# From 127.0.0.2 who asks is inside, from all other addresses outside. Prometheus is at
# 127.0.0.1.

use strict;
use warnings;

use Cpanel::JSON::XS;
use Stockcert;
use Stockcert::Port;

our @ISA = 'Stockcert';

sub new {
    my ($class, %arg) = @_;
    my $self = $class->SUPER::new(user => 'www-data', inner => free_port(), rate => '10000r/s', burst => 100000, %arg);
    mkdir "$self->{dir}/etc" or die "etc: $!\n";
    $self->certificates;
    return $self;
}

sub configure {
    my ($self) = @_;
    my $dir = $self->{dir};
    my @replaced = (
        [qr{modules/ngx_http_stockcert_module\.so}, File::Spec->rel2abs($ENV{TEST_NGINX_LOAD_MODULES})],
        [qr{/run/nginx\.pid}, "$dir/nginx.pid"], [qr{/var/log/nginx}, $dir], [qr{/etc/nginx/stockcert}, "$dir/etc"],
        [qr{/var/lib/stockcert}, "$dir/ledgers"], [qr{\b64g\b}, '1g'], [qr{\b443\b}, $self->{port}], [qr{\b9145\b}, $self->{inner}],
        [qr{\b10\.0\.0\.0/8\b}, '127.0.0.2/32'], [qr{\bauto\b}, $self->{workers}],
        [qr{\brate=50r/s}, "rate=$self->{rate}"], [qr{\bburst=100\b}, "burst=$self->{burst}"],
    );
    my %used;
    my @lines = split /^/, slurp('conf/production.conf');
    for my $line (grep { /# YOURS$/ } @lines) {
        for (@replaced) {
            my ($from, $to) = @$_;
            $used{$from}++ if $line =~ s/$from/$to/;
        }
    }
    die "not there, or not marked: $_\n" for grep { !$used{$_} } map { $_->[0] } @replaced;
    @lines = grep { !/listen +\[::\]/ } @lines if slurp('/proc/net/if_inet6') eq '';
    my $temp = join ' ', map { "${_}_temp_path $_;" } qw(client_body proxy fastcgi uwsgi scgi);
    spew("$dir/nginx.conf", join '', map { /^http \{/ ? ($_, $temp) : $_ } @lines);
    return $self;
}

sub command {
    my ($self, @arg) = @_;
    return ($self->SUPER::command(@arg), '-g', 'daemon off;');
}

# who has which certificate: made for tests, so with keys that are made fast

sub certificates {
    my ($self) = @_;
    my $dir = "$self->{dir}/etc";
    my $make = sub {
        my ($name, $subject, $ca, @arg) = @_;
        my @sign = $ca ? ('-CA', "$dir/$ca.pem", '-CAkey', "$dir/$ca.key") : ();
        system('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-batch',
            '-subj', $subject, '-days', 2, '-keyout', "$dir/$name.key", '-out', "$dir/$name.pem", @sign, @arg);
        die "openssl: $name\n" if $?;
    };
    my $own = '/O=Impossible Cuts Inc.';
    open my $stderr, '>&', \*STDERR;
    open STDERR, '>', "$self->{dir}/openssl";
    my @leaf = ('-addext', 'basicConstraints=critical,CA:FALSE');
    $make->('clients', '/CN=our own clients', undef);
    $make->('strangers', '/CN=somebody else', undef);
    $make->('authority', '/CN=of the server', undef);
    $make->('server', '/CN=stock.example.com', 'authority', '-addext', 'subjectAltName=DNS:stock.example.com', @leaf);
    $make->($_, "$own/CN=$_", 'clients', @leaf) for qw(issuer registrar auditor);
    $make->('stranger', "$own/CN=issuer", 'strangers', @leaf);
    $make->('alike', "/CN=issuer,O=Impossible Cuts Inc.", 'clients', @leaf);
    $make->('Issuer', '/O=impossible cuts inc./CN=Issuer', 'clients', @leaf);
    $make->('Registrar', '/O=impossible cuts inc./CN=Registrar', 'clients', @leaf);
    system("cd $dir && openssl req -new -key issuer.key -subj '$own/CN=issuer' -out expired.csr"
        . ' && openssl x509 -req -in expired.csr -CA clients.pem -CAkey clients.key -days -1 -out expired.pem && cp issuer.key expired.key');
    die "openssl: expired\n" if $?;
    open STDERR, '>&', $stderr;

    my $group = getgrnam 'www-data';
    my %users = (readers => ['rita'], issuers => ['anna'], registrars => ['paul']);
    while (my ($file, $names) = each %users) {
        spew("$dir/$file", join '', map { "$_:" . crypt("${_}'s password", '$6$salt$') . "\n" } @$names);
        chown 0, $group, "$dir/$file" if $> == 0;
        chmod 0640, "$dir/$file";
    }
}

# Asks by curl, and returns what came: status 0 is no answer, and exit says why.

sub https {
    my ($self, $method, $path, %arg) = @_;
    my $dir = $self->{dir};
    my $host = $arg{host} // 'stock.example.com';
    my $url = ($arg{scheme} // 'https') . "://$host:" . ($arg{port} // $self->{port}) . $path;
    my @curl = ('curl', '-s', '--path-as-is', '-m', $Stockcert::TIMEOUT, '-X', $method, '-D', "$dir/head", '-o', "$dir/body", '-w', '%{http_code} %{http_version}',
        '--cacert', "$dir/etc/authority.pem", '--connect-to', "::" . ($arg{to} // '127.0.0.1') . ':');
    push @curl, '--interface', $arg{from} if $arg{from};
    push @curl, '--cert', "$dir/etc/$arg{cert}.pem", '--key', "$dir/etc/$arg{cert}.key" if $arg{cert};
    push @curl, '-u', "$arg{user}:" . ($arg{password} // "$arg{user}'s password") if $arg{user};
    push @curl, map { ('-H', $_) } @{$arg{headers} // []};
    push @curl, '-I' if $method eq 'HEAD';
    if (defined $arg{body}) {
        spew("$dir/sent", $arg{body});
        push @curl, '-H', 'Content-Type: application/json', '--data-binary', "\@$dir/sent";
    }
    push @curl, @{$arg{curl} // []}, $url;
    unlink "$dir/head", "$dir/body";
    open my $out, '-|', @curl or die "curl: $!\n";
    my ($status, $version) = split ' ', do { local $/; <$out> };
    close $out;
    my $exit = $? >> 8;
    my %headers = map { /^([^:]+): *(.*?)\r?$/ ? (lc $1, $2) : () } split /\n/, slurp("$dir/head");
    my $r = { exit => $exit, status => 0 + $status, version => $version, headers => \%headers, body => slurp("$dir/body") };
    $r->{json} = eval { decode_json($r->{body}) } if ($headers{'content-type'} // '') =~ /json/;
    return $r;
}

1;
