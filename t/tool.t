# The command "stockcert" with nginx running and without it: status, log, show,
# authorize and cancel, what the workers see of authorize and cancel, and wrong input.
# The other transactions are in t/transfer.t.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $server = Stockcert->new(listen => 'reuseport')->start;
my $ledger = "$server->{dir}/ledgers/acme";
my $client = $server->client;

sub issue { return $client->issue(@_) }
sub get { return $client->ask('GET', $_[0])->{json} }


# help, and wrong use

my ($status, $help, $err) = tool('--help');
is("$status$err", '0', '--help');
my @commands = $help =~ /^  stockcert (\w+)/mg;
cmp_ok(scalar @commands, '>=', 5, 'it names the commands');
like(tool_out($_, '--help'), qr/\Astockcert $_ .*\n\n\S.*\n\z/s, "$_ --help") for @commands;

for my $command (@commands) {
    tool_is("$command without arguments", 2, qr/usage: stockcert $command LEDGER/, $command);
    my ($status, $out, $err) = tool($command, $ledger, '--wrong');
    is($status, 2, "$command --wrong: exit code");
    like($err, qr/unrecognized option '--wrong'\nstockcert: usage: stockcert $command /, "$command --wrong: what to do")
        or diag($out);
}

($status, my $out, $err) = tool();
is("$status$out", 2, 'no command: usage');
is($err, $help, 'no command: help');
tool_is('unknown command', 2, qr/no command "frob": see "stockcert --help"/, 'frob', $ledger);
tool_is('show, no certificate\'s name', 2, qr/such as CS-17, not "CS17"/, 'show', $ledger, 'CS17');
tool_is("show $_", 2, qr/such as CS-17, not "\Q$_\E"/, 'show', $ledger, $_)
    for 'CS-0', 'CS-01', 'CS-', 'CS--1', 'CS-1x', 'CS-9007199254740992', '';
tool_is('log --since of no number', 2, qr/--since takes the number of an entry, 0 to 9007199254740991, not "$_"/, 'log', $ledger, '--since', $_)
    for 'x', '9007199254740992';
tool_is('authorize, no number', 2, qr/SHARES must be a number from 1 to 9007199254740991, such as 3000000, not "$_"/, 'authorize', $ledger, 'CS', $_, '--reference', 'x')
    for '3e6', '9007199254740992', '', '0';
tool_is('authorize without a reference', 2, qr/usage: .*--reference/, 'authorize', $ledger, 'CS', 5);
tool_is('cancel without a reference', 2, qr/usage: .*--reference/, 'cancel', $ledger, 'CS-1');


# a ledger of nothing but its classes

like(tool_out('status', $ledger), qr/^company +Acme Inc\.\n.*^entries +2, .*^CS +2600000 +0 +2600000 +0  Title of CS$/sm, 'status, nothing issued');
tool_is('show, never issued', 1, qr/CS-1 was never issued/, 'show', $ledger, 'CS-1');
tool_is('show, no such class', 1, qr/no class XX/, 'show', $ledger, 'XX-1');
tool_is('cancel, never issued', 1, qr/refused: CS-1 was never issued/, 'cancel', $ledger, 'CS-1', '--reason', 'x');
tool_is('cancel, no such class', 1, qr/refused: the ledger has no class XX/, 'cancel', $ledger, 'XX-1', '--reason', 'x');
tool_is('authorize, no such class', 1, qr/refused: the ledger has no class XX/, 'authorize', $ledger, 'XX', 5, '--reference', 'x');


# show, log, and log -f

my ($follower, $file) = tool_start('log', $ledger, '-f');
my $first = issue('CS', 10, 'Salt Bae')->{json};
issue('CS', 2599990, "J\x{c3}\x{bc}rgen \\\" O'Neil");
is(issue('CS', 1, 'Too Late')->{status}, 403, 'no shares are left');

wait_for('log -f goes on', sub { slurp($file->filename) =~ /O'Neil\n\z/ });
issue('PS', 7, 'Jane');
wait_for('log -f goes on again', sub { slurp($file->filename) =~ /Jane\n\z/ });
kill TERM => $follower;
reap($follower);
my $log = tool_out('log', $ledger);
is(slurp($file->filename), $log, 'log -f wrote what log writes');
is(scalar(() = $log =~ /\n/g), 5, 'log: a line an entry');
like($log, qr/^ +3  \Q$first->{issued_at}\E  issued +CS-1 +10  Salt Bae$/m, 'log: an entry');
is(tool_out('log', $ledger, '--since', 3), join('', (split /^/, $log)[3, 4]), 'log --since');
is(tool_out('log', $ledger, '--since', 5), '', 'log --since the last entry');
like(tool_out('show', $ledger, 'CS-1'), qr/^certificate +CS-1\ncompany +Acme Inc\.\nholder +Salt Bae\nshares +10 of class CS, Title of CS
issued +\Q$first->{issued_at}\E\nentry +3\nseal +$first->{seal}\nstatus +outstanding\n\z/m, 'show');

is_deeply(decode_json(tool_out('show', $ledger, $_, '--json')), get("/$_"), "show --json: $_ as the API has it") for qw(CS-1 CS-2 PS-1);
my $state = decode_json(tool_out('status', '--json', $ledger));
like(delete $state->{$_}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\z/, "status --json: $_") for qw(created last_at);
like(delete $state->{disk}, qr/^\w+\z/, 'status --json: disk');
cmp_ok(delete $state->{size}, '<=', delete $state->{size_max}, 'status --json: size');
cmp_ok(scalar(@{delete $state->{readers}}), '<=', delete $state->{readers_max}, 'status --json: readers');
is_deeply($state, { %{get('/')}, format => 2 }, 'status --json: all else as the API has it');

($status) = tool({ out => '/dev/full' }, 'log', $ledger);
is($status, 3, 'log: the output cannot be written');


# authorize: the workers see it with the next grant

tool_is('authorize, below what is issued', 1, qr/refused: class CS has 2600000 shares out/, 'authorize', $ledger, 'CS', 2599999, '--reference', 'x');
tool_is('authorize, a blank reference', 1, qr/the reference must not be only white space/, 'authorize', $ledger, 'CS', 2600001, '--reference', ' ');
tool_is('authorize, a reference that shows nothing', 1, qr/refused: the reference must have a character that can be seen/,
    'authorize', $ledger, 'CS', 2600001, '--reference', "\xe2\x80\x8b");
tool_is('cancel, a reference that turns the line around', 1, qr/refused: the reference must not contain characters that turn the line around/,
    'cancel', $ledger, 'CS-1', '--reason', "abc \xe2\x80\xaetxt.exe");
tool_is('authorize, no UTF-8', 1, qr/the reference must be valid UTF-8/, 'authorize', $ledger, 'CS', 2600001, '--reference', "\xff");
is(tool_out('authorize', $ledger, 'CS', 2600002, '--reference', 'Board resolution 2026-11-20'),
    "CS has 2600002 authorized shares now, by entry 6\n", 'authorize');
like(tool_out('log', $ledger, '--since', 5), qr/\A +6  \S+  amended +CS +2600002  Board resolution 2026-11-20  actor uid:$<\n\z/, 'by one entry');
is(tool_out('authorize', $ledger, 'CS', 2600002, '--reference', 'again'), "CS has 2600002 authorized shares already, nothing is changed\n",
    'authorize, the number that is there');
tool_is('authorize, the number that is there, no such class', 1, qr/no class XX/, 'authorize', $ledger, 'XX', 2600002, '--reference', 'again');
tool_is('authorize, the number that is there, a blank reference', 1, qr/the reference must not be/, 'authorize', $ledger, 'CS', 2600002, '--reference', ' ');
is(tool_out('log', $ledger, '--since', 6), '', 'and there is no entry of it');
my %workers = $server->clients_of_workers(2);
is($_->issue('CS', 1, 'after the resolution')->{status}, 201, 'a worker issues') for values %workers;
is(issue('CS', 1, 'Too Late')->{status}, 403, 'and no more than authorized');


# cancel: shows in the API, and the shares are available again

my $before = $client->ask('GET', '/CS-1');
is($before->{body}, encode_like($first) =~ s/(?=\}\n)/,"status":"outstanding"/r, 'a certificate that is not cancelled, as it was told');
is(tool_out('cancel', $ledger, 'CS-1', '--reason', "surrendered for \"transfer\""), "transaction 9, cancel: surrendered CS-1; issued none\n", 'cancel');
tool_is('cancel, twice', 1, qr/refused: CS-1 was surrendered by transaction 9, "stockcert show" says/, 'cancel', $ledger, 'CS-1', '--reason', 'x');

my $after = $client->ask('GET', '/CS-1');
my %cancelled = %{$after->{json}};
is(delete $cancelled{status}, 'cancelled', 'GET: status');
is(delete $cancelled{reason}, 'surrendered for "transfer"', 'GET: why');
like(my $when = delete $cancelled{cancelled_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\z/, 'GET: when');
is(delete $cancelled{surrendered_at}, $when, 'GET: when it was surrendered');
is(delete $cancelled{transaction}, 9, 'GET: by which transaction');
is_deeply(\%cancelled, $first, 'GET: all else as before');
isnt($after->{headers}{etag}, $before->{headers}{etag}, 'GET: another ETag');
is($client->ask('GET', '/CS-1', undef, "If-None-Match: $before->{headers}{etag}")->{status}, 200, 'GET: the old one does not match');
is_deeply(get('/CS?limit=2')->{certificates}[0], $after->{json}, 'the list has it, too');
is(get('/CS?limit=2')->{certificates}[1]{status}, 'outstanding', 'the next one is not cancelled');
my ($cs) = grep { $_->{class} eq 'CS' } @{get('/')->{classes}};
is("@$cs{qw(issued remaining certificates)}", '2599992 10 4', 'inventory: its shares are available, its number is not');
is($_->issue('CS', 5, 'again')->{status}, 201, 'a worker issues them') for values %workers;
is(get('/CS-6')->{stakeholder}, 'again', 'with new numbers');
is(issue('CS', 1, 'Too Late')->{status}, 403, 'and no more');
is_deeply(decode_json(tool_out('show', '--json', $ledger, 'CS-1')), $after->{json}, 'show --json: a cancelled one');
like(tool_out('show', $ledger, 'CS-1'), qr/^status +cancelled \Q$when\E, by transaction 9, cancel: surrendered for "transfer"\n\z/m, 'show');
like(tool_out('log', $ledger, '--since', 8), qr/^ +9  \Q$when\E  cancel +CS-1 +10  surrendered for "transfer"  actor uid:$<\n/, 'log');
like($server->log, qr/\A(?!.*as configured)/s, 'no word of another configuration yet');
$server->reload;
wait_for('the log says so, and names no command that would be refused', sub {
    $server->log =~ /has 2600002 authorized shares of class CS, not 2600000 as configured, and \d+ are out, so that no fewer can be authorized/
});
is(get('/CS-1')->{status}, 'cancelled', 'after a reload');


# under load: amendments and cancellations between the grants

tool_out('authorize', $ledger, $_, 9000000, '--reference', 'more') for qw(CS PS);
my $load = Stockcert::Load->new($server, clients => 8);
my %entered = (authorize => 4, cancel => 1);
for my $n (2 .. 61) {
    my $status;
    wait_for("CS-$n is there", sub {
        ($status) = tool('cancel', $ledger, "CS-$n", '--reason', "number $n");
        return $status ne '1';
    });
    $entered{cancel}++ if $status eq '0';
    ($status) = tool('authorize', $ledger, 'PS', 9000000 + $n, '--reference', "number $n");
    $entered{authorize}++ if $status eq '0';
}
my @answers = $load->stop;
my ($inventory, $certificates) = read_ledger($server);
is($inventory->{entries}, 2 + @$certificates + ($entered{authorize} - 1) + $entered{cancel}, 'under load: every entry is there');
is(scalar(grep { $_->{status} ne 'outstanding' } @$certificates), $entered{cancel}, 'under load: as many are cancelled');
for my $class (@{$inventory->{classes}}) {
    my ($sum, $number) = (0, 0);
    for my $c (grep { $_->{class} eq $class->{class} } @$certificates) {
        fail("$c->{cert_id} after $number") if $c->{number} != ++$number;
        $sum += $c->{amount} if $c->{status} eq 'outstanding';
    }
    is("$class->{issued} $class->{certificates}", "$sum $number", "under load: $class->{class} adds up");
}
is(scalar(grep { $_->{status} == 201 } @answers), @$certificates - 7, 'under load: all that were told are there');
diag(sprintf '%d certificates, %d cancellations and %d amendments under load', @$certificates - 7, @entered{qw(cancel authorize)});


# verify, also under load

sub verified {
    my ($name, @arg) = @_;
    like(tool_out('verify', $ledger, @arg), qr/\Aall is in order: \d+ entries, \d+ certificates, \d+ of them outstanding, \d+ transactions, the last seal is \d+:[0-9a-f]{64}\n\z/, $name);
}

verified('verify');
verified('verify --expect', '--expect', "3:$first->{seal}");
verified('verify --expect, digits in capitals', '--expect', '3:' . uc $first->{seal});
tool_is('verify --expect another seal', 1, qr/entry 4: expected the seal that was given/, 'verify', $ledger, '--expect', "4:$first->{seal}");
tool_is('verify --expect of no entry', 1, qr/the ledger ends with entry \d+, before entry 999999: all is in order by itself, but/, 'verify', $ledger, '--expect', "999999:$first->{seal}");
tool_is("verify --expect $_", 2, qr/--expect takes the number/, 'verify', $ledger, '--expect', $_)
    for '3', "0:$first->{seal}", ":$first->{seal}", "x:$first->{seal}", "3:$first->{seal}0", '3:' . 'x' x 64;
$load = Stockcert::Load->new($server, clients => 8);
for (1 .. 20) {
    $load->progress(5);
    verified("verify under load, $_");
}
cmp_ok(scalar(grep { $_->{status} == 201 } $load->stop), '>=', 100, 'there was load');


# without nginx; where there is no ledger, or none for us

$server->stop;
like(tool_out('status', $ledger), qr/^CS +9000000 /m, 'status without nginx');
tool_out('cancel', $ledger, 'PS-1', '--reason', 'no nginx');
my @owner = (stat "$ledger/data.mdb")[4, 5];
unlink "$ledger/lock.mdb";
tool_out('show', $ledger, 'PS-1');
is("@{[(stat \"$ledger/lock.mdb\")[4, 5]]}", "@owner", 'the lock file belongs to the ledger\'s owner');
$server->start;
is(issue('PS', 1, 'nginx again')->{status}, 201, 'nginx goes on');
$server->stop;


# columns, with the most that there can be

tool_out('authorize', $ledger, 'CS', 9007199254740991, '--reference', 'as many as can be');
my @columns = map { /^( *\d+  \S+  \S+ +\S+ +\d+  )(?=\S)/ ? length $1 : $_ } split /\n/, tool_out('log', $ledger, '--since', 5);
is_deeply([grep { $_ ne $columns[0] } @columns], [], 'log: the texts stand below each other');


# who keeps the lock

unlike(tool_out('status', $ledger), qr/^locked/m, 'status: nobody has the lock');
pipe my $held, my $holds;
my $holder = fork // die "fork: $!\n";
if (!$holder) {
    $0 = "a\e[7mb";
    open my $data, '<', "$ledger/data.mdb" or die "data.mdb: $!\n";
    flock $data, 2 or die "flock: $!\n";
    syswrite $holds, "held\n";
    sleep 1000;
    POSIX::_exit(0);
}
$Stockcert::clients{$holder} = 1;
<$held>;
like(tool_out('status', $ledger), qr/^locked     by process $holder \(a\\x1b\[7mb\) for more than a second: nothing is issued until it lets go$/m,
    'status: who keeps the lock');
is(decode_json(tool_out('status', $ledger, '--json'))->{locked_by}, $holder, 'status --json: who keeps the lock');
kill KILL => $holder;
reap($holder);
unlike(tool_out('status', $ledger), qr/^locked/m, 'status: it was let go');

sub unusable {
    my ($name, $like, $dir, %as) = @_;
    for my $arg (['status'], ['verify'], ['log'], ['show', 'CS-1'], ['authorize', 'CS', 5000000, '--reference', 'x'],
        ['cancel', 'CS-9', '--reason', 'x'])
    {
        my ($command, @rest) = @$arg;
        my ($exit, $words) = (3, $like);
        ($exit, $words) = @{$as{verify}} if $as{verify} and $command eq 'verify';
        tool_is("$command: $name", $exit, $words, $as{as} ? { as => $as{as} } : (), $command, $dir, @rest);
    }
}

my $at = "$server->{dir}/unusable";
unusable('nothing there', qr/there is no ledger in \Q$at\E, name the directory/, $at);
mkdir $at;
unusable('an empty directory', qr/in \Q$at\E: .*no data\.mdb/, $at, verify => [3, qr/there is no ledger in/]);
is(join(' ', glob "$at/*"), '', 'nothing is made in it');
spew("$at/data.mdb", '');
unusable('an empty file', qr/data\.mdb is empty/, $at, verify => [1, qr/is damaged: page 0: expected 152 bytes, found 0/]);
spew("$at/data.mdb", "not LMDB\n" x 10000);
unusable('another file', qr/MDB_INVALID/, $at, verify => [1, qr/is damaged: page 0: expected a meta page/]);
unusable('a file, no directory', qr/Not a directory/, "$at/data.mdb");
(my $other = slurp("$ledger/data.mdb")) =~ s/stockcert\0\0\0\x02/stockcert\0\0\0\x03/g;
spew("$at/data.mdb", $other);
unusable('another version', qr/format version 3, this program reads 2 only/, $at,
    verify => [1, qr/is damaged: meta: expected format version 2, found 3/]);
spew("$at/data.mdb", substr slurp("$ledger/data.mdb"), 0, 40000);
unusable('a truncated file', qr/the file is truncated/, $at, verify => [1, qr/is damaged: file: expected at least \d+ bytes, found 40000/]);
unlink "$at/data.mdb" or die "unlink: $!\n";
mkdir "$at/data.mdb";
unusable('a directory for data.mdb', qr/Is a directory/, $at, verify => [3, qr/data\.mdb is no regular file/]);
rmdir "$at/data.mdb" or die "rmdir: $!\n";
SKIP: {
    skip 'only root can be another user', 5 if $> != 0;
    unusable('no rights', qr/Permission denied/, $ledger, as => 'daemon');
}

done_testing;

# as the module writes a certificate

sub encode_like {
    my ($c) = @_;
    return sprintf '{"cert_id":"%s","stakeholder":"%s","company":"%s","amount":%d,"class":"%s","number":%d,'
        . qq("issued_at":"%s","entry":%d,"seal":"%s"}\n), @$c{qw(cert_id stakeholder company amount class number issued_at entry seal)};
}
