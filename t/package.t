# Debian's packages: built by scripts/package, installed in a root that has nothing of
# them, upgraded while nginx issues, and back, by the commands of the README; removed and
# purged. A package deletes no ledger.

use strict;
use warnings;
use File::Temp;
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;
use Stockcert::Root;

plan skip_all => 'the packages are for the nginx of Debian' if $ENV{TEST_NGINX_BINARY} ne 'nginx' or !-e '/usr/share/nginx/src/conf_flags';
alone() or plan skip_all => 'only root has a root of its own';

my $tmp = File::Temp->newdir;
my $source = "$tmp/package/stockcert";
delete @ENV{qw(CFLAGS LDFLAGS NGINX_SRC)};

sub done {
    my ($command, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $output = `($command) 2>&1`;
    is($?, 0, $what // $command) or die "$command:\n$output";
    return $output;
}

sub edit {
    my ($file, $change) = @_;
    local $_ = slurp($file);
    $change->() or die "$file is not as expected\n";
    spew($file, $_);
}

# A build that follows this one, of the same sources, but for the version and the
# ledgers' format. Only what has these in it is compiled again.

sub next_build {
    my ($version, $format) = @_;
    my @headers = map { "$source/src/base/stockcert_$_.h" } qw(version entry);
    my @times = map { (stat)[9] } @headers;
    edit($headers[0], sub { s/(STOCKCERT_VERSION +)"[^"]+"/$1"$version"/ });
    edit($headers[1], sub { s/(STOCKCERT_FORMAT +)\d+/$1$format/ });
    utime $times[$_], $times[$_], $headers[$_] for 0, 1;
    utime undef, undef, grep { slurp($_) =~ /STOCKCERT_(?:VERSION|FORMAT)\b/ } glob "$source/src/*/*.c";
    my $entry = "\n\n  * Next.\n\n -- N. N. <n\@n.invalid>  Mon, 30 Nov 2026 08:00:00 +0000\n\n";
    edit("$source/debian/changelog", sub { s/^stockcert \(.*?\)(.*)/stockcert ($version)$1$entry$&/ });
    unlink map { "$source/debian/$_" } qw(files debhelper-build-stamp);
    done("cd $source && DEB_BUILD_OPTIONS=noautodbgsym debian/rules binary", "build $version");
}

# A build of the same version: its binaries have another end.

sub another_build {
    my ($package, $to) = @_;
    my $files = "$tmp/another";
    done("dpkg-deb -R $package $files && for binary in $files/usr/lib/nginx/modules/*.so $files/usr/bin/*; do [ ! -e \$binary ] || echo another >>\$binary; done"
        . " && dpkg-deb -b $files $to && rm -r $files", "another build of $package");
}

# The build leaves nothing in the tree, and lintian finds nothing.

my $tree = q(find . -path ./.git -prune -o -path ./build -prune -o -path ./t/servroot -prune -o -printf '%p %y %m\n' | sort);
my $before = `$tree`;
my $built = done("BUILD=$tmp scripts/package", 'scripts/package');
is(`$tree`, $before, 'nothing is left in the tree');
my @packages = $built =~ /^(\S+\.deb)$/mg;
is(done("lintian --allow-root --fail-on error,warning $tmp/*.changes"), '', 'lintian');
my ($version) = `$ENV{STOCKCERT} --version` =~ /^stockcert (.*?),/;
is(join(' ', map { m{([^/]+)_[^_]*$} } @packages), "libnginx-mod-http-stockcert_$version stockcert_$version", 'two packages, of the version of the tool');
my ($format) = slurp("$source/src/base/stockcert_entry.h") =~ /STOCKCERT_FORMAT +(\d+)/;
my %version = (old => $version, new => "$version+1", other => "$version+2");

my $root = Stockcert::Root->new(qw(nginx apt), map { s/^ | .*//gr } split /,/, join ',', map { `dpkg-deb -f $_ Depends` =~ s/nginx-abi-.*?,//r =~ s/\n//r } @packages);
my $dir = $root->{dir};
mkdir "$dir/root/$_" for qw(old new same other);
done("cp @packages $dir/root/old");
another_build($_, "$dir/root/same") for @packages;
next_build($version{new}, $format);
done("cp $tmp/package/*_\Q$version{new}\E_*.deb $dir/root/new");
next_build($version{other}, $format + 1);
done("cp $tmp/package/*_\Q$version{other}\E_*.deb $dir/root/other");
spew("$dir/etc/apt/apt.conf.d/test", qq(APT::Get::Assume-Yes "true";\nAPT::Sandbox::User "root";\nDPkg::Use-Pty "0";\n));
edit("$dir/etc/nginx/nginx.conf", sub { s{/error\.log;}{/error.log notice;} });

sub runs {
    my ($commands, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($status, $output) = $root->run($commands);
    is($status, 0, $what // $commands =~ s/\n.*//sr) or die "$commands:\n$output";
    return $output;
}

# Installed as the README says: the module is loaded, nothing is served, and the example works.

my $server = bless { port => 8000, dir => $dir, http => 'path var/lib/stockcert/acme;' }, 'Stockcert';
my ($install) = slurp('README.md') =~ /^# Install\n.*?^```sh\n(.*?)^```/ms;
my @install = split /\n/, $install;
is(shift @install, 'scripts/package', 'README: scripts/package');
rename "$dir/root/old", "$dir/root/build";
runs(shift @install);
rename "$dir/root/build", "$dir/root/old";
my $config = runs('nginx -T');
like($config, qr{^load_module modules/ngx_http_stockcert_module\.so;}m, 'the module is loaded');
unlike($config, qr/stockcert_ledger/, 'the example is off');
is(join(' ', (stat "$dir/var/lib/stockcert")[4, 5]), '33 33', 'the directory is of www-data');
like(runs('stockcert --version'), qr/^stockcert \Q$version\E, /, 'the tool');
ok(-s "$dir/usr/share/man/man1/stockcert.1.gz", 'the manual');
my $doc = "$dir/usr/share/doc/libnginx-mod-http-stockcert";
my %link = map { $_ => 1 } `zcat $doc/README.md.gz` =~ /\]\(([^)#:]+)\)/g;
delete $link{LICENSE};      # it is Debian's "copyright"
cmp_ok(scalar(keys %link), '>', 3, 'README has links');
ok(-s "$doc/$_", "README: $_ is there") for sort keys %link;
runs($_) for @install;

sub pid { return slurp("$dir/run/nginx.pid" . ($_[0] // '')) =~ /^(\d+)/ ? $1 : 0 }

sub workers {
    my ($master) = @_;
    return grep { slurp("/proc/$_/stat") =~ /\) \S $master / && slurp("/proc/$_/cmdline") =~ /^nginx: worker process/ }
        map { m{(\d+)$} } glob '/proc/[0-9]*';
}

sub versions {
    my @versions = slurp("$dir/var/log/nginx/error.log") =~ /stockcert (\S+), ledger format/g;
    return @versions;
}

wait_for('nginx starts', sub { return pid() && workers(pid()) && IO::Socket::INET->new('127.0.0.1:8000') });
is($server->client->issue('CS', 10, 'Salt Bae')->{json}{cert_id}, 'CS-1', 'a certificate');
is_deeply([versions()], [$version], "nginx runs $version");

# The steps of the README, while clients issue.

my ($upgrading) = slurp('README.md') =~ /^# Upgrading\n(.*?)^# /ms;
my @steps = map { s/^ +//mgr } $upgrading =~ /^ *```sh\n(.*?)^ *```/msg;
my @names = qw(install look start end commit rollback downgrade);
is(scalar @steps, @names, 'README: the steps of an upgrade');
my %step;
@step{@names} = @steps;
my @answers = told($server->client->issue('CS', 1, 'Nusret'), 'Nusret');

sub told { my ($r, $name) = @_; return { %$r, name => $name, class => 'CS', amount => 1 } }

# at most a hundred certificates in a second
sub load {
    return Stockcert::Load->new($server, clients => 2, fresh => 1, ask => sub {
        my ($http, @arg) = @_;
        sleep 0.02;
        return $http->issue(@arg);
    });
}

# packages are installed: nginx is reloaded, and goes on with the module it has

sub install {
    my ($step, $running, $installed) = @_;
    my @old = workers(pid());
    my $starts = versions();
    runs($step);
    wait_for('a reload', sub {
        my %now = map { $_ => 1 } workers(pid());
        return versions() > $starts && %now && !grep { $now{$_} } @old;
    });
    is((versions())[-1], $running, "after the installation of $installed, nginx runs $running");
    like(runs('stockcert --version'), qr/^stockcert \Q$installed\E, /, "the tool is that of $installed");
}

sub start {
    my ($to) = @_;
    my $old = pid();
    runs($step{start});
    wait_for('a new master with its workers', sub { return pid('.oldbin') == $old && pid() && pid() != $old && workers(pid()) });
    is((versions())[-1], $to, "the new master runs $to");
}

sub end {
    runs($step{end});
    my $old = pid('.oldbin');
    wait_for('the old workers end', sub { !workers($old) });
}

sub commit {
    my $old = pid('.oldbin');
    runs($step{commit});
    wait_for('the old master ends', sub { !pid('.oldbin') && !kill 0 => $old });
}

# Without a reading of its configuration, so the old master says no version.

sub rollback {
    my ($old, $new) = (pid('.oldbin'), pid());
    runs($step{rollback});
    wait_for('the old master is alone', sub { return pid() == $old && workers($old) && !kill 0 => $new });
}

sub all_well {
    my ($load, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $load->progress(5);
    push @answers, $load->stop;
    is_deeply([check_ledger($server, \@answers)], [], "$what: the ledger");
}

my ($old, $new) = @version{qw(old new)};
my $load = load();
install($step{install}, $old, $new);
runs($step{look});
start($new);
$load->progress(5);
end();
$load->progress(5);
rollback();
$load->progress(5);
start($new);
end();
commit();
all_well($load, 'upgraded');
is_deeply([grep { $_->{status} && $_->{status} != 201 } @answers], [], 'upgraded: all were issued');

$load = load();
install($step{downgrade}, $new, $old);
start($old);
end();
commit();
runs('service nginx upgrade');
all_well($load, 'and back');
is_deeply([grep { $_->{status} && $_->{status} != 201 } @answers], [], 'and back: all were issued');

# Another build of the version that is installed, and back.

sub are_another {
    my ($another, $what) = @_;
    is(scalar(slurp("$dir$_") =~ /another\n\z/), $another, "$what: $_")
        for qw(/usr/bin/stockcert /usr/lib/nginx/modules/ngx_http_stockcert_module.so);
}

rename "$dir/root/new", "$dir/root/done";
rename "$dir/root/same", "$dir/root/new";
install($step{install}, $old, $old);
are_another(1, 'the other build');
install($step{downgrade}, $old, $old);
are_another('', 'the first build again');

# A build with another format takes no ledger, and changes none.

rename "$dir/root/new", "$dir/root/same";
rename "$dir/root/other", "$dir/root/new";
$load = load();
install($step{install}, $old, $version{other});
my ($status, $output) = $root->run($step{look});
isnt($status, 0, 'the look tells');
like($output, qr/format version $format\b/, 'that the format is another');
$load->progress(5);
start($version{other});
end();
is($server->client->ask('GET', '/')->{status}, 503, 'the ledger is refused');
rollback();
install($step{downgrade}, $old, $old);
all_well($load, 'another format, and back');

# Removed and purged while nginx runs

sub seal { my $inventory = $server->client->ask('GET', '/')->{json}; return "$inventory->{entries}:$inventory->{seal}" }

runs('apt-get remove libnginx-mod-http-stockcert stockcert');
push @answers, told($server->client->issue('CS', 1, 'after the removal'), 'after the removal');
is($answers[-1]{status}, 201, 'nginx, which was not stopped, issues');
ok(!grep({ -e } map { "$dir$_" } qw(/usr/bin/stockcert /usr/lib/nginx/modules/ngx_http_stockcert_module.so)), 'the files are gone');
unlink "$dir/etc/nginx/conf.d/stockcert.conf";
runs('nginx -t', 'nginx -t without the module');
my $seal = seal();
runs('service nginx stop');
my $data = slurp("$dir/var/lib/stockcert/acme/data.mdb");
like(runs('apt-get purge libnginx-mod-http-stockcert stockcert'), qr{^/var/lib/stockcert stays}m, 'purge says that the ledgers stay');
ok(slurp("$dir/var/lib/stockcert/acme/data.mdb") eq $data, 'the ledger is as it was');
is(`find $dir/etc $dir/usr -name '*stockcert*'`, '', 'nothing else is left');

# Installed again, on the same ledger; and where there is none

runs($_) for 'apt-get install ./old/*.deb', @install;
wait_for('nginx starts', sub { IO::Socket::INET->new('127.0.0.1:8000') });
is(seal(), $seal, 'the ledger goes on');
is_deeply([check_ledger($server, \@answers)], [], 'with all its certificates');
runs("service nginx stop\nrm -r /var/lib/stockcert/acme\nmv /etc/nginx/conf.d/stockcert.conf /root");
runs('apt-get purge libnginx-mod-http-stockcert stockcert');
ok(!-e "$dir/var/lib/stockcert", 'purge removes what is empty');
mkdir "$dir/root/ledgers";
symlink '/root/ledgers', "$dir/var/lib/stockcert";
runs("apt-get install ./old/*.deb\napt-get purge libnginx-mod-http-stockcert");
is(join(' ', readlink("$dir/var/lib/stockcert") // 'none', (stat "$dir/root/ledgers")[4]), '/root/ledgers 0', 'a link to elsewhere stays as it is');

done_testing();
