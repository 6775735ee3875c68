# stockcert backup: a consistent copy while nginx issues, verified, or nothing.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Disk;
use Stockcert::Tool;

my $minutes = $ENV{STOCKCERT_SOAK} || 0;
alarm 1800 + 60 * $minutes;

my $server = Stockcert->new(http => ledger('acme', CS => 9e9, PS => 9e9))->start;
my $dir = $server->{dir};
my $ledger = "$dir/ledgers/acme";

sub backup {
    my ($dest) = @_;
    my ($status, $out, $err) = tool('backup', $ledger, $dest);
    my ($entries, $seal) = $out =~ /\Abacked up to \Q$dest\E and verified: (\d+) entries, the last seal is \1:([0-9a-f]{64})\n\z/;
    ok($status eq '0' && $err eq '' && $seal, 'backup') or diag("exit $status, out: $out, err: $err");
    return ($entries, $seal);
}

# under load: each is whole, and the ledger goes on from it

my $load = Stockcert::Load->new($server, clients => 8);
$load->progress(200);
my (@backups, %size);
my $end = now() + 60 * $minutes;
do {
    my $dest = "$dir/backup" . @backups;
    push @backups, [backup($dest), $dest];
    $load->progress(50);
    system('rm', '-rf', $backups[-2][2]) if @backups > 10;
} while (@backups < 10 or now() < $end);
$load->stop;

my $last = $backups[-1];
cmp_ok($backups[0][0], '<', $last->[0], 'the ledger grew in the meantime');
for my $backup (@backups) {
    my ($entries, $seal, $dest) = @$backup;
    my ($status, undef, $err) = tool('verify', $ledger, '--expect', "$entries:$seal");
    is("$status$err", '0', "the ledger has entry $entries of a backup");
}
my ($status, $now) = tool('export', $ledger, '--format', 'csv');
(undef, my $then) = tool('export', $last->[2], '--format', 'csv');
is(substr($now, 0, length $then), $then, 'a backup is how the ledger began');
is(join(' ', map { s{.*/}{}r } glob "$last->[2]/*.mdb"), 'data.mdb lock.mdb', 'a backup has what a ledger has');
is(join(' ', map { sprintf '%o', (stat $_)[2] & 0777 } $last->[2], "$last->[2]/data.mdb"), '700 600', 'it is for its owner');
diag(sprintf '%d backups under load, of up to %d entries', scalar @backups, $last->[0]);

# nginx goes on with one

mkdir "$dir/restored";
if ($> == 0) {
    chown +(getpwnam 'nobody')[2, 3], "$dir/restored";
}
chmod 0755, "$dir/restored";
my ($entries) = backup("$dir/restored");
is(join(' ', map { sprintf '%o', (stat $_)[2] & 07777 } "$dir/restored", "$dir/restored/data.mdb"), '755 600', 'the mode of an empty directory is kept');
my $other = Stockcert->new(http => $server->{http} =~ s{ledgers/acme}{$dir/restored}r)->start;
is($other->client->issue('CS', 1, 'after')->{json}{entry}, $entries + 1, 'nginx goes on with a backup');
$other->stop;

# if it cannot be done, nothing is left

tool_is('into what is there', 3, qr/name a directory that is not there or empty: Directory not empty/, 'backup', $ledger, $last->[2]);
tool_is('into a file', 3, qr/not there or empty: Not a directory/, 'backup', $ledger, "$dir/nginx.conf");
mkdir "$ledger/sub";
for my $in ("$ledger/x", "$ledger/data.mdb", "$ledger/sub", "$ledger/sub/x", "$dir/ledgers/../ledgers/acme/x") {
    tool_is("into the ledger's directory: $in", 3, qr/cannot back up to \Q$in\E, .*: that is in a ledger's own directory, with its data\.mdb$/, 'backup', $ledger, $in);
}
is_deeply([glob "$ledger/sub/*"], [], 'nothing is made in it');
rmdir "$ledger/sub" or die "sub: $!\n";
tool_is('in a directory that is not there', 3, qr/cannot back up to/, 'backup', $ledger, "$dir/none/x");
tool_is('of no ledger', 3, qr/there is no ledger in/, 'backup', "$dir/none", "$dir/x");
SKIP: {
    skip 'only root can be another user', 1 if $> != 0;
    tool_is('of a ledger without rights', 3, qr/Permission denied/, { as => 'daemon' }, 'backup', $ledger, "$dir/x");
}
SKIP: {
    my $disk = Stockcert::Disk->new('100k') or skip 'no small disk: not root, or no mounts here', 2;
    tool_is('full disk', 3, qr/nothing is backed up, there must be room for \d+ bytes at \Q$disk->{dir}\E\/x, and there is for \d+$/, 'backup', $ledger, "$disk->{dir}/x");
    is_deeply([glob "$disk->{dir}/*"], [], 'full disk: nothing is left');
}

# a damaged ledger gives no backup

$server->stop;
mkdir "$dir/damaged";
(my $bytes = slurp("$ledger/data.mdb")) =~ s/load(\d+) client/lord$1 client/g;
spew("$dir/damaged/data.mdb", $bytes);
tool_is('of a damaged ledger', 1, qr/is damaged: entry \d+: expected the seal/, 'backup', "$dir/damaged", "$dir/x");
is_deeply([glob "$dir/x*"], [], 'nothing is left');

done_testing;
