# The programs of docs/clients.md, as they are there, against a server that first says 503,
# then loses an answer: each issues one certificate, reads the whole class, and checks the
# seal. See scripts/test-api.

use strict;
use warnings;
use File::Spec;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Stockcert;
use Stockcert::Between;
use Stockcert::Port;
use Stockcert::Tool;

my $server = Stockcert->new->start;
my $client = $server->client;
my $ledger = "$server->{dir}/ledgers/acme";
my $certificates = 250;     # several pages
is(scalar(grep { $client->issue('CS', 1, "John $_")->{status} == 201 } 1 .. $certificates), $certificates, 'issued');


# Stands between a client and the server. Of each method, the first request is answered 503,
# and the answer of the second is lost when the server has given it. Returns the port, the
# process, and the file that it notes requests in.

sub between {
    my $port = free_port();
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "listen: $!\n";
    my $notes = "$server->{dir}/notes";
    spew($notes, '');
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
        eval { stand($listen, $notes); 1 } or print STDERR "between: $@";
        POSIX::_exit(0);
    }
    $Stockcert::clients{$pid} = 1;
    return ($port, $pid, $notes);
}

# a request, each on a connection of its own

sub stand {
    my ($listen, $notes) = @_;
    my %count;
    while (my $socket = $listen->accept) {
        my $request = Stockcert::Between::message($socket) // next;
        my ($method) = $request =~ /^(GET|POST) / or next;
        my $n = ++$count{$method};
        open my $file, '>>', $notes or die "$notes: $!\n";
        syswrite $file, "$method $n\n";
        if ($n == 1) {
            syswrite $socket, join "\r\n", 'HTTP/1.1 503 Service Unavailable', 'Retry-After: 1', 'Content-Length: 2', 'Connection: close', '', '{}';
            next;
        }
        $request =~ s/^connection:[^\r]*\r\n//mi;
        $request =~ s/\r\n/\r\nConnection: close\r\n/;
        my $to = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->{port}) or die "connect: $!\n";
        syswrite $to, $request;
        my $answer = Stockcert::Between::message($to) // '';
        syswrite $socket, $answer if $n > 2;
    }
}

sub code {
    my ($language) = @_;
    my @blocks = slurp('docs/clients.md') =~ /^```$language\n(.*?)^```$/msg;
    is(scalar @blocks, 1, "docs/clients.md has a program in $language");
    spew("$server->{dir}/client.$language", $blocks[0]);
    return "$server->{dir}/client.$language";
}

sub run {
    my ($language, $journal, @command) = @_;
    my ($port, $pid, $notes) = between();
    my $program = code($language);
    my $command = join ' ', @command, $program, "http://127.0.0.1:$port/", $journal;
    my $out = `$command 2>$server->{dir}/errors`;
    is($?, 0, "$language: it ends well") or diag(slurp("$server->{dir}/errors"));
    kill KILL => $pid;
    waitpid $pid, 0;
    delete $Stockcert::clients{$pid};
    my $noted = slurp($notes);
    like($noted, qr/^POST 3$/m, "$language: a grant was sent again, and again");
    like($noted, qr/^GET 4$/m, "$language: pages, too");
    unlike($noted, qr/^POST 4$/m, "$language: no more than that");
    return $out;
}


# The journal is exported before a program runs, so it looks for a certificate that is not
# there yet, unless it asks for the journal after it has issued: a pipe has it then.

sub is_right {
    my ($language, @command) = @_;
    $certificates++;
    my $pipe = "$server->{dir}/journal";
    unlink $pipe;
    POSIX::mkfifo($pipe, 0600) or die "mkfifo: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
        open my $out, '>', $pipe or POSIX::_exit(1);    # waits for who reads
        my $file = "$server->{dir}/jsonl";
        system($ENV{STOCKCERT}, 'export', $ledger, '--format', 'jsonl', '-o', $file) == 0 or POSIX::_exit(1);
        print $out slurp($file);
        close $out;
        POSIX::_exit(0);
    }
    $Stockcert::clients{$pid} = 1;
    is(run($language, $pipe, @command), "issued CS-$certificates\n$certificates certificates\nthe seal is right\n", "$language: one is issued, all are read");
    kill KILL => $pid;      # if nobody read
    waitpid $pid, 0;
    delete $Stockcert::clients{$pid};
}

is_right('python', 'python3');
is_right('js', 'node');
SKIP: {
    skip 'there is no go', 1 if !grep { -x "$_/go" } split /:/, $ENV{PATH};
    is_right('go', 'go', 'run');
}

$certificates++;
$ENV{PATH} = File::Spec->rel2abs((File::Spec->splitpath($ENV{STOCKCERT}))[1]) . ":$ENV{PATH}";
is(run('sh', $ledger, 'sh'), "issued CS-$certificates\n$certificates certificates\nthe seal is right\n", 'sh: one is issued, all are read');


# A journal that was changed

{
    my $text = tool_out('export', $ledger, '--format', 'jsonl') =~ s/"John 100"/"Jane 100"/r;
    my $journal = "$server->{dir}/changed";
    spew($journal, $text);
    for (['python', 'python3'], ['js', 'node']) {
        my ($language, $command) = @$_;
        my $program = code($language);
        like(scalar `$command $program http://127.0.0.1:$server->{port}/ $journal`, qr/^the seal is wrong$/m, "$language: a changed journal is found");
    }
}
$server->stop;

done_testing;
