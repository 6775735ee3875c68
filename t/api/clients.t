# The programs of docs/clients.md, as they are there, against a server that first says 503,
# then loses an answer, then half of one: each issues one certificate, reads the whole class,
# and checks the seal. See scripts/test-api.

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
my $old = "$server->{dir}/old";
tool_out('backup', $ledger, $old);

$ENV{PATH} = File::Spec->rel2abs((File::Spec->splitpath($ENV{STOCKCERT}))[1]) . ":$ENV{PATH}";
symlink File::Spec->rel2abs("$ENV{STOCKCERT_API}/node_modules"), "$server->{dir}/node_modules" or die "node_modules: $!\n";

# Debian's packages are for Debian's Python
my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';

my %programs = (sh => ['curl', 'sh'], python => ['Python', $python], js => ['JavaScript', 'node']);
my $gopath = '/usr/share/gocode';      # of Debian's packages
$programs{go} = ['Go', "GO111MODULE=off GOPATH=$gopath go run"]
    if -d "$gopath/src/github.com/hashicorp/go-retryablehttp" && grep { -x "$_/go" } split /:/, $ENV{PATH};
my %suffixes = (python => 'py', js => 'mjs');


# Stands between a client and the server. Of each method, the first requests, one if not told,
# are answered 503; the next answer is lost when the server has given it, and then the end of
# one. Returns the port, the process, and the file that it notes requests in.

sub between {
    my ($refused) = @_;
    my $port = free_port();
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16, ReuseAddr => 1) or die "listen: $!\n";
    my $notes = "$server->{dir}/notes";
    spew($notes, '');
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
        $SIG{PIPE} = 'IGNORE';
        eval { stand($listen, $notes, $refused // 1); 1 } or print STDERR "between: $@";
        POSIX::_exit(0);
    }
    $Stockcert::clients{$pid} = 1;
    return ($port, $pid, $notes);
}

# a request, each on a connection of its own

sub stand {
    my ($listen, $notes, $refused) = @_;
    my %count;
    while (my $socket = $listen->accept) {
        my $request = Stockcert::Between::message($socket) // next;
        my ($method) = $request =~ /^(GET|POST) / or next;
        my $n = ++$count{$method};
        open my $file, '>>', $notes or die "$notes: $!\n";
        syswrite $file, "$method $n\n";
        if ($n <= $refused) {
            my $problem = '{"error":"too_many_waiting"}';
            syswrite $socket, join "\r\n", 'HTTP/1.1 503 Service Unavailable', 'Retry-After: 1', 'Content-Length: ' . length $problem, 'Connection: close', '', $problem;
            next;
        }
        $request =~ s/^connection:[^\r]*\r\n//mi;
        $request =~ s/\r\n/\r\nConnection: close\r\n/;
        my $to = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->{port}) or die "connect: $!\n";
        syswrite $to, $request;
        my $answer = Stockcert::Between::message($to) // '';
        $answer = '' if $n == $refused + 1;
        substr($answer, -20) = '' if $n == $refused + 2;
        syswrite $socket, $answer;
    }
}

sub end {
    my ($pid) = @_;
    kill KILL => $pid;
    reap($pid);
}

# the program of a section, in a file

sub program {
    my ($section, $language) = @_;
    my @blocks = slurp('docs/clients.md') =~ /^## $section\n(?:(?!^## ).)*?^```$language\n(.*?)^```$/msg;
    is(scalar @blocks, 1, "docs/clients.md, $section: a program in $language");
    my $file = "$server->{dir}/client." . ($suffixes{$language} // $language);
    spew($file, $blocks[0]);
    return $file;
}

# Runs one: its exit code, what it says, and its errors.

sub run {
    my ($language, @arg) = @_;
    my ($section, $command) = @{ $programs{$language} };
    my $program = program($section, $language);
    my $out = `$command $program @arg 2>$server->{dir}/errors`;
    return ($?, $out, slurp("$server->{dir}/errors"));
}


for my $language (sort keys %programs) {
    $certificates++;
    my ($port, $pid, $notes) = between();
    my ($status, $out, $errors) = run($language, "http://127.0.0.1:$port/", $ledger);
    is($status, 0, "$language: it ends well") or diag($errors);
    like($out, qr/\Aissued CS-$certificates\n$certificates certificates\nall is in order: /, "$language: one is issued, all are read, the seal is right");
    end($pid);
    my $noted = slurp($notes);
    like($noted, qr/^POST 4$/m, "$language: a grant was sent again after 503, no answer and half of one");
    like($noted, qr/^GET 6$/m, "$language: a page, too");
    unlike($noted, qr/^(?:POST 5|GET 7)$/m, "$language: no more than that");
}

for my $language (sort keys %programs) {
    my ($port, $pid, $notes) = between(100);
    my ($status, $out, $errors) = run($language, "http://127.0.0.1:$port/", $ledger);
    isnt($status, 0, "$language: it fails where 503 stays");
    is($out, '', "$language: with nothing issued");
    like($errors, qr/"error":"too_many_waiting"/, "$language: and shows the answer that stays");
    end($pid);
    like(slurp($notes), qr/^POST 9\n\z/m, "$language: the ninth one");
}

for my $language (sort keys %programs) {
    my ($status, $out, $errors) = run($language, "http://127.0.0.1:$server->{port}/none/", $ledger);
    isnt($status, 0, "$language: it fails where it cannot issue");
    is($out, '', "$language: with nothing issued");
    like($errors, qr/"detail":"[^"]+","error":"not_found"/, "$language: and shows the answer");
}

for my $language (sort keys %programs) {
    $certificates++;
    my ($status, $out, $errors) = run($language, "http://127.0.0.1:$server->{port}/", $old);
    isnt($status, 0, "$language: it fails where the ledger has no such seal");
    like($out, qr/\Aissued CS-$certificates\n$certificates certificates\n(?!all is in order)/, "$language: after all else");
}

$server->stop;

done_testing;
