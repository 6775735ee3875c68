# What the tool says if the machine is in the way, and what to do about it.

use strict;
use warnings;
use Test::More;
use Stockcert;
use Stockcert::Disk;
use Stockcert::Tool;

my $server = Stockcert->new->start;
my ($dir, $ledger) = ($server->{dir}, "$server->{dir}/ledgers/acme");
$server->client->issue('CS', 1, 'Salt Bae');
$server->stop;
tool_out('export', $ledger, '--format', 'jsonl', '-o', "$dir/in.jsonl");


# a limit of the address space: the ledger's size is 1g

my $space = qr/Cannot allocate memory\); a ledger takes as much address space as its size: raise what "ulimit -v" shows, or make it smaller\n\z/;

sub limited {
    my $err = "$dir/err";
    my $status = system('sh', '-c', "ulimit -v 600000; exec $ENV{STOCKCERT} @_ >$dir/x 2>$err") >> 8;
    return "$status " . slurp($err);
}

for my $arg ("status $ledger", "verify $ledger", "log $ledger", "show $ledger CS-1", "export $ledger --format csv", "export $ledger --format csv -o $dir/y",
    "backup $ledger $dir/y", "cancel $ledger CS-1 --reason x", "authorize $ledger CS 1 --reference x", "import $dir/y $dir/in.jsonl")
{
    like(limited($arg), qr/\A3 stockcert: [^\n]*$space/, "ulimit -v: $arg");
    is_deeply([glob "$dir/y*"], [], "ulimit -v: $arg: nothing is made");
}
is(limited("import $dir/y $dir/in.jsonl --size 100m"), '0 ', 'ulimit -v: import --size');
like(tool_out('verify', "$dir/y"), qr/^all is in order: 3 entries/, 'ulimit -v: it is there');


# a disk that does not last

SKIP: {
    my $disk = Stockcert::Disk->new('10m') or skip 'no small disk: not root, or no mounts here', 1;
    system('cp', '-a', $ledger, "$disk->{dir}/acme") == 0 or die "cp failed\n";
    like(tool_out('status', "$disk->{dir}/acme"), qr/^disk       tmpfs: it does not outlive the machine$/m, 'status: the file system');
}


# two PID namespaces: both processes have the number 1

SKIP: {
    skip 'only root has other namespaces', 4 if $> != 0 or system("unshare --pid --fork true 2>$dir/x");
    spew("$dir/alone", qq(#!/bin/sh\nexec unshare --pid --fork "$ENV{STOCKCERT}" "\$\@"\n));
    chmod 0755, "$dir/alone";
    my ($pid, $out) = do { local $ENV{STOCKCERT} = "$dir/alone"; tool_start('log', '-f', $ledger) };
    wait_for('it follows', sub { slurp($out->filename) =~ /Salt Bae\n\z/ });
    my $words = qr/: a process of another PID namespace, such as a container's, has it open: run all that use the ledger in the same one$/;
    {
        local $ENV{STOCKCERT} = "$dir/alone";
        tool_is("two PID namespaces: $_->[0]", 3, $words, @$_) for ['status', $ledger], ['verify', $ledger], ['cancel', $ledger, 'CS-1', '--reason', 'x'];
    }
    # run as another user, it does not end with the process that waits for it
    kill KILL => slurp("/proc/$pid/task/$pid/children") =~ /(\d+)/g;
    reap($pid);
    local $ENV{STOCKCERT} = "$dir/alone";
    tool_out('status', $ledger);
}

done_testing;
