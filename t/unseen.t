# The characters that show nothing alone, src/base/stockcert_unseen.c, by Perl's
# own tables: each that has been a character since Unicode 14.0.

use strict;
use warnings;
use Test::More;

open my $in, '<', 'src/base/stockcert_unseen.c' or die "stockcert_unseen.c: $!\n";
my @ranges = map { [map { hex } split /, /] } join('', <$in>) =~ /\{ (0x\w+, 0x\w+) \}/g;
cmp_ok(scalar @ranges, '>', 200, 'there is a table');
is_deeply([grep { $ranges[$_ - 1][1] >= $ranges[$_][0] } 1 .. $#ranges], [], 'it is in order');
is_deeply([grep { $_->[0] > $_->[1] } @ranges], [], 'each range has a beginning and an end');

my (@wrong, $n);
for my $c (0 .. 0xd7ff, 0xe000 .. 0x10ffff) {
    my $char = chr $c;
    shift @ranges while @ranges && $ranges[0][1] < $c;
    my $unseen = @ranges && $ranges[0][0] <= $c;

    # planes where no character is; elsewhere, later versions say what comes

    my $is = $c >= 0x40000 || $char =~ /[\p{Mark}\p{Default_Ignorable_Code_Point}\p{Co}\p{Noncharacter_Code_Point}]/
        || grep { $c == $_ } 0x2800, 0x1d159, 0x13430 .. 0x13442, 0xfff9 .. 0xfffc;
    next if !$is && $char !~ /\p{Present_In: 14.0}/;
    $n++;
    push @wrong, sprintf 'U+%04X', $c if $unseen xor $is;
}
is("@wrong", '', 'each character is where it belongs');
cmp_ok($n, '>', 900_000, 'all were looked at');

done_testing;
