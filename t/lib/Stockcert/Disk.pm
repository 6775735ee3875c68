package Stockcert::Disk;

# A small disk, where only root can have one: undef elsewhere. It goes away with
# the object.

use strict;
use warnings;

use File::Temp;

sub new {
    my ($class, $size) = @_;
    return if $> != 0;
    my $tmp = File::Temp->newdir;
    my $self = bless { tmp => $tmp, dir => "$tmp/disk" }, $class;
    mkdir $self->{dir};
    return if system "mount -t tmpfs -o size=$size tmpfs $self->{dir} 2>/dev/null";
    $self->{mounted} = 1;
    return $self;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    system "umount -l $self->{dir}" if $self->{mounted};
}

1;
