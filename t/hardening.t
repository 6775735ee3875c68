# conf/stockcert-hardening.conf: systemd takes it and thinks well of it, and nginx works
# with what it leaves: these capabilities, this umask, nothing new, and writing only
# where it says.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Production;

my $conf = slurp('conf/stockcert-hardening.conf');
my %capability = map { lc s/^CAP_//r => 1 } map { split } $conf =~ /^CapabilityBoundingSet=(.*)$/mg;
my ($umask) = $conf =~ /^UMask=(\d+)$/m or die 'no UMask';
my @writes = map { split } $conf =~ /^ReadWritePaths=(.*)$/mg;


# what systemd says

SKIP: {
    my $unit = '/lib/systemd/system/nginx.service';
    my $help = `systemd-analyze --help 2>/dev/null`;
    skip 'no systemd-analyze security --offline', 3 if $help !~ /--offline/ or !-e $unit;
    my $tmp = File::Temp->newdir('stockcert-XXXXXX', TMPDIR => 1);
    mkdir "$tmp/nginx.service.d";
    spew("$tmp/nginx.service", slurp($unit));
    my $exposure = sub { return `systemd-analyze security --offline=true "$tmp/nginx.service" 2>&1` =~ /exposure level .*: ([\d.]+)/ ? $1 : 'none' };
    cmp_ok($exposure->(), '>', 9, 'without it, nginx may do all');
    spew("$tmp/nginx.service.d/stockcert-hardening.conf", $conf);
    cmp_ok($exposure->(), '<', 3, 'with it, little more than it needs');
    is(`systemd-analyze verify "$tmp/nginx.service" 2>&1`, '', 'systemd-analyze verify has nothing to say');
}


# nginx, as it is held

package Held {
    our @ISA = 'Stockcert::Production';

    # each of the paths is a directory in the server's; all else of it is read only

    sub command {
        my ($self, @arg) = @_;
        my $dir = $self->{dir};
        my $mounts = join ' && ', 'mount --make-rprivate /', map({ "mount --bind $_ $_" } $dir, values %{$self->{held}}),
            map({ "mount -o remount,bind,rw $_" } values %{$self->{held}}), "mount -o remount,bind,ro $dir";
        my $set = join ',', '-all', map { "+$_" } @{$self->{capabilities}};
        return ('unshare', '-m', 'sh', '-c', "$mounts && umask $umask && exec setpriv --no-new-privs --inh-caps=-all --bounding-set=$set \"\$@\"", 'sh',
            $self->SUPER::command(@arg));
    }

    sub configure {
        my ($self) = @_;
        my $dir = $self->{dir};
        $self->SUPER::configure;
        my $text = Stockcert::slurp("$dir/nginx.conf");
        $text =~ s{$dir/(error|stockcert)\.log}{$self->{held}{'/var/log/nginx'}/$1.log}g;
        $text =~ s{$dir/nginx\.pid}{$self->{held}{'/run'}/nginx.pid};
        $text =~ s{(_temp_path) (\w+);}{$1 $self->{held}{'/var/lib/nginx'}/$2;}g;
        Stockcert::spew("$dir/nginx.conf", $text);
        return $self;
    }

    sub log { return Stockcert::slurp("$_[0]{held}{'/var/log/nginx'}/error.log") }
}

sub held {
    my $server = Held->new;
    my %place = ('/var/lib/stockcert' => 'ledgers', '/var/lib/nginx' => 'lib', '/var/log/nginx' => 'log', '/run' => 'run');
    $server->{held} = { map { $_ => "$server->{dir}/" . ($place{$_} // die "$_ is written, too") } @writes };
    mkdir $_ for values %{$server->{held}};
    spew("$server->{dir}/$_", '') for 'error.log', 'output';
    $server->{capabilities} = [sort keys %capability];
    return $server;
}

SKIP: {
    skip 'only root has what is taken away', 1 if $> != 0;
    skip 'no mounts here', 1 if system('unshare -m mount --make-rprivate / 2>/dev/null') != 0;

    my $server = held()->start;
    my $issued = sub { return $server->https('POST', '/', cert => 'issuer', body => grant('CS', 1, 'x'))->{status} };
    is($issued->(), 201, 'it issues');
    my ($uid) = (stat "$server->{dir}/ledgers/impossible-cuts/data.mdb")[4];
    is($uid, scalar getpwnam('www-data'), 'the ledger is the workers\'');
    ok(!(() = grep { (stat)[2] & 07 } glob("$server->{dir}/{ledgers,lib,log}/*")), 'what it made is not for others');
    my ($worker) = $server->workers;
    $server->kill_worker($worker);
    is($issued->(), 201, 'it issues after a worker died');
    $server->reload;
    is($issued->(), 201, 'it issues after a reload');

    my $log = "$server->{dir}/log/stockcert.log";
    rename $log, "$log.1" or die "$log: $!\n";
    kill USR1 => $server->{master};
    wait_for('the log is opened again', sub { -e $log && (stat $log)[4] == $uid });
    is($issued->(), 201, 'it issues after logs were rotated');

    is(system("nsenter -t $server->{master} -m touch $server->{dir}/log/x"), 0, 'where its logs are it can write');
    ok(-d "$server->{dir}/etc" && !-e "$server->{dir}/etc/x" && system("nsenter -t $server->{master} -m touch $server->{dir}/etc/x 2>/dev/null") != 0, 'elsewhere it cannot write');
    my ($bounds) = slurp("/proc/$server->{master}/status") =~ /^CapBnd:\s*(\w+)/m;
    is((sprintf '%b', hex $bounds) =~ tr/1//, scalar keys %capability, 'it has these capabilities and no others');
    is_deeply([$server->complaints], [], 'nothing to complain of');
    is($server->stop, 0, 'it ends');
}

done_testing();
