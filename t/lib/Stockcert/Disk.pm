package Stockcert::Disk;

# A small disk, "tmpfs" or "ext4" (in a file, with a loop device). Only root can have
# one, where mounts and loop devices are allowed; otherwise this returns undef. It goes
# away with the object.
#
# in_memory() is where directories may be that are not about disks: nobody waits for
# flushes there. It is in memory if there is plenty of it.

use strict;
use warnings;

use Exporter 'import';
use File::Spec;
use File::Temp;

our @EXPORT_OK = qw(in_memory);

sub in_memory {
    my ($free) = -w '/dev/shm' ? `df --output=avail -B1M /dev/shm 2>&1` =~ /(\d+)\n\z/ : 0;
    return ($free // 0) >= 2048 ? '/dev/shm' : File::Spec->tmpdir;
}

sub new {
    my ($class, $size, $type) = @_;
    return if $> != 0 or system 'unshare -m mount -t tmpfs tmpfs /mnt 2>/dev/null';
    my $tmp = File::Temp->newdir;
    my $self = bless { tmp => $tmp, dir => "$tmp/disk" }, $class;
    mkdir $self->{dir};
    chmod 0755, $tmp;
    my @mount = ('-t', 'tmpfs', '-o', "size=$size", 'tmpfs');
    if (($type // 'tmpfs') eq 'ext4') {
        return if !-b (`losetup -f 2>/dev/null` =~ s/\n//r);
        system("truncate -s $size $tmp/image && mkfs.ext4 -q -m 0 $tmp/image") == 0 or die "mkfs.ext4 failed\n";
        @mount = ('-o', 'loop', "$tmp/image");
    }
    system('mount', @mount, $self->{dir}) == 0 or die "mount failed\n";
    $self->{mounted} = 1;
    return $self;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    system "umount -l $self->{dir}" if $self->{mounted};
}

1;
