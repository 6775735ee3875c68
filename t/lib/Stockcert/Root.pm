package Stockcert::Root;

# A root directory with packages of this machine, as they are there, and all that these
# need: nothing else of the machine, and no network. For tests that install packages.
#
#     alone()     goes on in namespaces of its own: what is mounted, started or listens
#                 there ends with the test. Comes first. Returns if only root may.

use strict;
use warnings;

use Exporter 'import';
use File::Temp;
use Stockcert;

our @EXPORT = qw(alone);

my $dpkg = '/var/lib/dpkg';

sub alone {
    return 1 if delete $ENV{STOCKCERT_ALONE};
    my @unshare = qw(unshare --mount --pid --net --fork --kill-child --mount-proc);
    return if $> != 0 or system "@unshare true 2>/dev/null";
    $ENV{STOCKCERT_ALONE} = 1;
    # the shell is process 1: it reaps daemons
    exec @unshare, 'sh', '-c', 'ip link set lo up && "$@"; exit $?', 'sh', $^X, $0;
}

# the packages that dpkg has installed, by name

sub installed {
    my ($arch) = `dpkg --print-architecture` =~ /(\S+)/;
    my %package;
    for my $text (split /\n\n+/, slurp("$dpkg/status")) {
        my %field = $text =~ /^([\w-]+): *(.*)$/mg;
        next if $field{Status} !~ / ok installed$/ or $field{Architecture} !~ /^(?:all|$arch)$/;
        $package{$field{Package}} = { %field, text => $text, arch => $arch };
    }
    return \%package;
}

# these packages, the essential ones, and what they depend on

sub needed {
    my ($package, @wanted) = @_;
    my (%provider, %needed);
    for my $p (values %$package) {
        push @{$provider{$_}}, $p->{Package} for $p->{Package}, map { /(\S+)/ } split /,/, $p->{Provides} // '';
    }
    push @wanted, grep { ($package->{$_}{Essential} // '') eq 'yes' } keys %$package;
    while (defined(my $name = shift @wanted)) {
        $package->{$name} or die "package $name is not installed\n";
        next if $needed{$name}++;
        for my $any (map { split /,/, $package->{$name}{$_} // '' } qw(Pre-Depends Depends)) {
            my ($first) = sort map { @{$provider{$_} || []} } $any =~ /(?:^|\|)\s*([^\s:|]+)/g;
            push @wanted, $first if defined $first;
        }
    }
    return sort keys %needed;
}

sub new {
    my ($class, @wanted) = @_;
    # not one that File::Temp removes: what is mounted in it is not to be removed
    my $self = bless { dir => File::Temp::tempdir('stockcert-XXXXXX', TMPDIR => 1) }, $class;
    command('mount', '-t', 'tmpfs', '-o', 'size=1g,mode=755', 'tmpfs', $self->{dir});
    my $package = installed();
    my @needed = map { $package->{$_} } needed($package, @wanted);
    $self->copy(@needed);
    $self->set_up(@needed);
    return $self;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    system('umount', '-l', $self->{dir}) == 0 and rmdir $self->{dir};
}

sub command {
    system(@_) == 0 or die "@_: $?\n";
}

# the files of these packages, and of what dpkg knows of them

sub copy {
    my ($self, @needed) = @_;
    my $dir = $self->{dir};
    my (%file, %merged);
    for my $top (grep { -l "/$_" } qw(bin sbin lib lib32 lib64 libx32)) {
        command('mkdir', '-p', "$dir/usr/$top");
        symlink readlink("/$top"), "$dir/$top" or die "$dir/$top: $!\n";
        $merged{"/$top"} = 1;
    }
    for my $p (@needed) {
        my @info = map { glob "$dpkg/info/$_.*" } $p->{Package}, "$p->{Package}:$p->{arch}";
        my ($list) = grep { /\.list$/ } @info or die "no list of $p->{Package}\n";
        $file{$_} = 1 for @info, split /\n/, slurp($list);
    }
    my @files = grep { !$merged{$_} && !m{^/\.$|^/usr/share/(?:doc|info|locale|man)/} && (-l || -e _) } sort keys %file;
    my $names = File::Temp->new;
    spew("$names", join '', map { s{^/}{}r . "\0" } @files, "$dpkg/info/format");
    command('bash', '-o', 'pipefail', '-c', "tar -C / --no-recursion --null -c -T $names | tar -C $dir -x");
}

# What is not in a package: dpkg's records, what maintainer scripts make, devices.

sub set_up {
    my ($self, @needed) = @_;
    my $dir = $self->{dir};
    command('mkdir', '-p', map { "$dir/$_" } qw(dev proc run root tmp), map { "$dpkg/$_" } qw(updates triggers));
    chmod 01777, "$dir/tmp";
    spew("$dir$dpkg/status", join "\n\n", map({ $_->{text} } @needed), '');
    spew("$dir$dpkg/$_", '') for qw(available statoverride);
    spew("$dir$dpkg/diversions", slurp("$dpkg/diversions"));
    my $names = join '|', map { quotemeta $_->{Package} } @needed;
    for my $trigger (grep { !/Lock$|Unincorp$/ } glob "$dpkg/triggers/*") {
        my @of = grep { m{(?:^| )(?:$names)(?::\w+)?(?:/noawait)?$} } split /\n/, slurp($trigger);
        spew("$dir$trigger", join '', map { "$_\n" } @of) if @of;
    }
    spew("$dir/etc/$_", slurp("$dir/usr/share/base-passwd/$_.master")) for qw(passwd group);
    for my $name (qw(mawk gawk original-awk which.debianutils)) {
        symlink $name, "$dir/usr/bin/$1" if $name =~ /(awk|which)/ && -e "$dir/usr/bin/$name";
    }
    # no init runs here, but maintainer scripts may start and reload services
    spew("$dir/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n");
    chmod 0755, "$dir/usr/sbin/policy-rc.d";
    my %device = (null => 3, zero => 5, full => 7, random => 8, urandom => 9);
    command('mknod', '-m', '666', "$dir/dev/$_", 'c', 1, $device{$_}) for keys %device;
    command('mount', '-t', 'proc', 'proc', "$dir/proc");
    command('chroot', $dir, 'ldconfig');
}

# A shell's commands in the root, as far as the first that fails: their status and what
# they wrote. The output is a file, as a daemon may keep it open.

sub run {
    my ($self, $commands) = @_;
    my $output = File::Temp->new;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$output";
        open STDERR, '>&', \*STDOUT;
        no warnings 'exec';
        exec 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive',
            'chroot', $self->{dir}, 'sh', '-e', '-c', "cd\n$commands";
        POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($?, slurp("$output"));
}

1;
