# Power cuts: nginx runs with a recorder (t/power/record.c) of all that reaches
# the ledger's file and of all answers; of the recording, disk images are built
# as a cut at any moment could have left them, and each is checked
# (t/power/images.c).
#
# STOCKCERT_SEED repeats the random choices. STOCKCERT_RECORDING is a directory:
# if it is not there, what was recorded is kept in it; if it is, nothing is
# recorded anew. STOCKCERT_SOAK, in minutes, goes on with new recordings.

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Spec;
use File::Temp;
use Test::More;
use Time::HiRes qw(sleep);
use Stockcert;

my $soak = 60 * ($ENV{STOCKCERT_SOAK} || 0);
my $seed = $ENV{STOCKCERT_SEED} // int rand 1e9;
my $images = $soak ? 20000 : 1500;
alarm $soak + 1800;

my $source = dirname(File::Spec->rel2abs(__FILE__));
my $library = dirname($ENV{TEST_NGINX_LOAD_MODULES}) . '/stockcert.a';
my $tmp = File::Temp->newdir('stockcert-XXXXXX', TMPDIR => 1);
chmod 0755, $tmp;

sub build {
    my (@arg) = @_;
    system('cc', '-std=gnu11', qw(-W -Wall -Werror), @arg) == 0 or die "cc failed\n";
}

build(qw(-O1 -shared -fPIC -o), "$tmp/record.so", "$source/power/record.c", '-ldl');
build(split(' ', $ENV{CFLAGS} || '-O1'), '-o', "$tmp/images", "-I$source/unit", (map { "-I$_" } glob "$source/../src/*/"),
    "$source/power/images.c", $library, split(' ', $ENV{LDFLAGS} // ''),
    qw(-llmdb -ljansson -lcrypto -lqrencode -lcurl));

# a recording in $dir, and the ledger's file as it is in the end

sub record {
    my ($dir) = @_;
    mkdir $dir;
    chmod 0777, $dir;
    spew("$dir/log", '');
    chmod 0666, "$dir/log";

    my $server = Stockcert->new(listen => 'reuseport', location => 'location / { stockcert; stockcert_transactions on; }', http => <<'END');
stockcert_ledger acme {
    path     ledgers/acme;
    company  "Impossible Cuts Inc.";
    class    CS 2600000 "Common Stock";
    class    PS 750000 "Preferred Stock";
}
END
    my ($starts, @loads) = (0);
    my $start = sub {
        local @ENV{qw(POWER POWER_LEDGER LD_PRELOAD)} = ($dir, "$server->{dir}/ledgers/acme",
            join ':', "$tmp/record.so", $ENV{LD_PRELOAD} // ());
        $server->start;
        $starts++;
    };

    # who looks is told of certificates, too

    my $look = sub {
        my $client = $server->client;
        for my $class (@{$client->ask('GET', '/')->{json}{classes}}) {
            $client->ask('GET', "/$class->{class}-$class->{certificates}") if $class->{certificates};
        }
    };

    # certificates are divided: two are told, and one that is surrendered

    my $divide = sub {
        my $client = $server->client;
        my ($class) = grep { $_->{class} eq 'CS' } @{$client->ask('GET', '/')->{json}{classes}};
        my $after = $class->{certificates} > 10 ? $class->{certificates} - 10 : 0;
        for my $certificate (@{$client->ask('GET', "/CS?status=outstanding&limit=10&after=$after")->{json}{certificates}}) {
            my $r = $client->ask('POST', '/transactions', qq({"type":"transfer","from":["$certificate->{cert_id}"],"to":[{"name":"Bob","amount":1}],"reference":"agreement"}));
            $r->{status} == 201 or die "$r->{status}: $r->{body}\n";
        }
    };

    # names are short and long, so that pages split here and there

    my $load = sub {
        @loads = map {
            Stockcert::Load->new($server, clients => 2, tag => "$starts $_ " . 'x' x ($_ * 50))
        } 1 .. 4;
    };
    my $progress = sub { $_->progress(25) for @loads };

    # somebody kills himself, or all, at a point of the recorder

    my $die = sub {
        my ($point, $who) = @_;
        spew("$dir/new", $who);
        rename "$dir/new", "$dir/die-$point";
        wait_for("a death at $point", sub { !-e "$dir/die-$point" });
    };

    $start->();
    $load->();
    $progress->();
    $look->();
    $divide->();
    for my $point (qw(flush last flushed)) {
        $die->($point, 'one');
        $progress->();
    }

    # the other takes over, after a second, and there is no new worker before,
    # who would flush as it opens the ledger

    kill STOP => $server->{master};
    $die->('last', 'one');
    sleep 1.5;
    kill CONT => $server->{master};
    $progress->();
    $server->reload;
    $progress->();
    for my $point (qw(flush last flushed)) {
        $die->($point, 'all');
        $server->stop('KILL');
        $_->stop for @loads;
        $start->();
        $look->();
        $load->();
        $divide->();
        $progress->();
    }
    $_->stop for @loads;
    is($server->stop, 0, 'nginx ends in order');
    is_deeply([$server->complaints], [], 'nothing to complain of in the log');
    copy("$server->{dir}/ledgers/acme/data.mdb", "$dir/data.mdb") or die "data.mdb: $!\n";
}

my $end = now() + $soak;
for (my $n = 1; $n == 1 or now() < $end; $n++) {
    my $dir = $ENV{STOCKCERT_RECORDING} || "$tmp/$n";
    record($dir) if !-d $dir;

    local $ENV{TMPDIR} = '/dev/shm' if -w '/dev/shm';
    my $out = `$tmp/images $dir/log $dir $images $seed`;
    is($?, 0, "images of power cuts, seed $seed");
    $? ? diag($out) : note($out);
    last if $? or $ENV{STOCKCERT_RECORDING};

    unlink "$dir/log";
    $seed++;
}

done_testing();
