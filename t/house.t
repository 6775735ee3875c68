# The house: which folder of src/ may include, or call, which; no circle of files
# that call each other; no long function.

use strict;
use warnings;
use File::Basename;
use Test::More;

my %below = (
    base   => [],
    replica => [qw(base)],
    ledger => [qw(replica base)],
    commit => [qw(ledger replica base)],
    verify => [qw(base)],
    page   => [qw(base)],
    http   => [qw(commit page ledger replica base)],
    tool   => [qw(verify page ledger replica base)],
);

my $build = dirname($ENV{TEST_NGINX_LOAD_MODULES});
is_deeply([sort map { basename $_ } glob 'src/*'], [sort keys %below], 'src/ has these folders, and nothing beside them');

# includes, of our own headers

my %folder = map { basename($_) => basename(dirname $_) } glob 'src/*/*.h';
my @bad;
for my $file (glob 'src/*/*.[ch]') {
    my $of = basename(dirname $file);
    open my $in, '<', $file or die "$file: $!\n";
    while (<$in>) {
        my $to = $folder{/^#include ["<](\w+\.h)[">]/ ? $1 : ''} // next;
        push @bad, "$file includes $to/$1" if !grep { $_ eq $to } $of, @{$below{$of}};
    }
}
is_deeply(\@bad, [], 'includes go down');

# calls, by the names that the objects define and need

my (%defines, %needs, %where);
for my $object (glob("$build/nginx/objs/addon/{base,replica,ledger,commit,page,http}/*.o"), glob("$build/tool/*.o")) {
    my $file = basename($object, '.o');
    my ($source) = glob "src/*/$file.c" or next;
    $where{$file} = basename(dirname $source);
    for (`nm -P "$object"`) {
        my ($name, $kind) = split;
        $kind eq 'U' ? push @{$needs{$file}}, $name : $kind =~ /^[A-TV-Z]$/ ? $defines{$name} = $file : ();
    }
}
cmp_ok(scalar(keys %where), '>=', scalar(() = glob 'src/*/*.c'), 'each source has an object');

@bad = ();
my %calls;
for my $file (sort keys %needs) {
    my %seen;
    for my $to (grep { defined && $_ ne $file && !$seen{$_}++ } map { $defines{$_} } @{$needs{$file}}) {
        $calls{$file}{$to} = 1;
        my ($of, $folder) = ($where{$file}, $where{$to});
        push @bad, "$of/$file calls $folder/$to" if !grep { $_ eq $folder } $of, @{$below{$of}};
    }
}
is_deeply(\@bad, [], 'calls go down');

my (%done, @circles);
my $walk;
$walk = sub {
    my ($file, @path) = @_;
    if (grep { $_ eq $file } @path) {
        push @circles, join ' ', @path, $file;
        return;
    }
    return if $done{$file};
    $walk->($_, @path, $file) for sort keys %{$calls{$file}};
    $done{$file} = 1;
};
$walk->($_) for sort keys %calls;
is_deeply(\@circles, [], 'no circle of files');

# a function of more than 70 lines lacks a concept

@bad = ();
for my $file (glob('src/*/*.[ch] *.c t/unit/*.[ch]')) {
    open my $in, '<', $file or die "$file: $!\n";
    my ($name, $start) = ('', 0);
    while (<$in>) {
        $name = $1 if /^(\w+)\(/;
        $start = $. if /^\{/;
        push @bad, "$file: $name() has " . ($. - $start + 1) . ' lines' if /^\}$/ && $. - $start + 1 > 70;
    }
}
is_deeply(\@bad, [], 'no function has more than 70 lines');

done_testing();
