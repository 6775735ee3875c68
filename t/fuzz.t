# Coverage-guided fuzzing (libFuzzer) of what reads other people's bytes: grants,
# orders, idempotency keys, journal entries. What t/fuzz/*.c says must hold for any bytes;
# what is found stays out of t/fuzz/corpus. STOCKCERT_SOAK: minutes for all.

use strict;
use warnings;
use File::Temp;
use Test::More;

my $build = ($ENV{BUILD} || 'build') . '/fuzz';
my $minutes = $ENV{STOCKCERT_SOAK};
my %runs = (grant => 100_000, order => 100_000, key => 200_000, entry => 200_000);

mkdir $build;

# what all of them read with is built once

my @cc = (qw(clang-14 -std=gnu11 -W -Wall -Werror -g -O1), '-Isrc/base', '-fsanitize=fuzzer-no-link,address,undefined',
    '-fno-sanitize-recover=undefined');
my @objects;
for my $source (glob 'src/base/*.c') {
    push @objects, "$build/" . $source =~ s{.*/(.*)c$}{$1o}r;
    system(@cc, '-c', '-o', $objects[-1], $source) == 0 or die "clang failed\n";
}

for my $name (sort keys %runs) {
    my $tmp = File::Temp->newdir;
    my $found = "$tmp/found";
    mkdir $found;

    is(system(@cc, '-fsanitize=fuzzer', '-o', "$build/$name", "t/fuzz/$name.c", @objects, qw(-ljansson -lcrypto -lm)), 0, "$name: is built");

    my @how = ("-artifact_prefix=$tmp/", '-max_len=1024', '-timeout=60', '-print_final_stats=1');
    push @how, '-dict=t/fuzz/json.dict' if $name eq 'grant' || $name eq 'order';
    push @how, $minutes ? '-max_total_time=' . int($minutes * 60 / keys %runs)
                        : ("-runs=$runs{$name}", '-max_total_time=600');

    my $output = `"$build/$name" @how "$found" t/fuzz/corpus/$name 2>&1`;
    my $status = $?;
    my ($done, $seconds) = $output =~ /^Done (\d+) runs in (\d+) second/m;
    my ($cov, $ft) = $output =~ /.*cov: (\d+) ft: (\d+)/s;

    ok($status == 0 && defined $done, sprintf '%s: %d runs in %d s, %d edges, %d features, all holds',
        $name, $done // 0, $seconds // 0, $cov // 0, $ft // 0) or diag(substr $output, -6000);
    cmp_ok($done // 0, '>=', 10_000, "$name: enough of them");
}

done_testing();
