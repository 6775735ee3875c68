package Stockcert::Disk;

# A small disk, "tmpfs" or "ext4" (in a file, with a loop device). Only root can have
# one; otherwise this returns undef. It goes away with the object.

use strict;
use warnings;

use File::Temp;

sub new {
    my ($class, $size, $type) = @_;
    return if $> != 0;
    my $tmp = File::Temp->newdir;
    my $self = bless { tmp => $tmp, dir => "$tmp/disk" }, $class;
    mkdir $self->{dir};
    chmod 0755, $tmp;
    my @mount = ('-t', 'tmpfs', '-o', "size=$size", 'tmpfs');
    if (($type // 'tmpfs') eq 'ext4') {
        system "truncate -s $size $tmp/image && mkfs.ext4 -q -m 0 $tmp/image 2>/dev/null";
        @mount = ('-o', 'loop', "$tmp/image");
    }
    return if system "mount @mount $self->{dir} 2>/dev/null";
    $self->{mounted} = 1;
    return $self;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    system "umount -l $self->{dir}" if $self->{mounted};
}

1;
