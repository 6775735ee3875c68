# Transactions on certificates by the command "stockcert": transfer, reissue,
# repurchase, cancel, correct, and holder; what they refuse; the certificates'
# lives; sums in the export; journals whose groups are not whole.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $server = Stockcert->new(http => ledger('acme', CS => 1500000, PS => 1000))->start;
my ($dir, $ledger) = ($server->{dir}, "$server->{dir}/ledgers/acme");
my $client = $server->client;
my $uid = $<;

sub get { return $client->ask('GET', $_[0])->{json} }
sub issue { is($client->issue(@_)->{status}, 201, "issued: @_") }
sub shown { return decode_json(tool_out('show', $ledger, $_[0], '--json')) }
sub entries { return scalar split /^/, tool_out('log', $ledger) }
sub counts { return join ' ', map { @$_{qw(issued certificates)} } @{get('/')->{classes}} }

# a command that is done: what it says, and what the log has of it

sub done {
    my ($name, $says, $log, @arg) = @_;
    my $before = entries();
    my $command = shift @arg;
    like(tool_out($command, $ledger, @arg), qr/\Atransaction @{[$before + 1]}, $command: $says\n\z/, $name);
    is(join('', map { s/^ *(\d+)  \S+  //r } split /^/, tool_out('log', $ledger, '--since', $before)) =~ s/ +/ /gr, $log, "$name: the log");
}

# one that is refused, and enters nothing

sub refused {
    my ($name, $like, @arg) = @_;
    no_entry($name, 1, qr/^stockcert: refused[:,] .*$like/, @arg);
}

sub no_entry {
    my ($name, $exit, $like, @arg) = @_;
    my $before = entries();
    my $command = shift @arg;
    my %as = ref $arg[0] ? %{shift @arg} : ();
    tool_is($name, $exit, $like, \%as, $command, $ledger, @arg);
    is(entries(), $before, "$name: nothing is entered");
}

issue('CS', 1500000, 'Ann');        # entry 3, all that there is
issue('PS', 10, 'Ann');
issue('PS', 20, 'Ann');
issue('PS', 30, 'Bob');


# transfer, in a class that is issued to the last share

done('transfer', 'surrendered CS-1; issued CS-2, CS-3', <<"", qw(transfer CS-1 --to Bob:200000 --reference), 'Agreement 1');
transfer CS-1 1500000 Agreement 1 actor uid:$uid
issued CS-2 200000 Bob
issued CS-3 1300000 Ann balance

is(counts(), '1500000 3 60 3', 'as many shares are out as before');
is($client->issue('CS', 1, 'A Stranger')->{status}, 403, 'and none is left for a stranger');
is_deeply([@{get('/CS-1')}{qw(status transaction became)}], ['surrendered', 7, ['CS-2', 'CS-3']], 'the old one, in the API');
is_deeply(shown($_), get("/$_"), "show --json: $_ as the API has it") for qw(CS-1 CS-2 CS-3 PS-1);
like(tool_out('show', $ledger, 'CS-1'), qr/^status +surrendered \d{4}-\S+Z, by transaction 7, transfer: Agreement 1\nbecame +CS-2, CS-3\n\z/m, 'show: what it became');
like(tool_out('show', $ledger, 'CS-3'), qr/^status +outstanding\ncame from +CS-1, by transaction 7, transfer: Agreement 1\n\z/m, 'show: what it came from');

done('transfer of several, to several', 'surrendered PS-2, PS-1; issued PS-4, PS-5', <<"", qw(transfer PS-2 PS-1 --to), 'A: B:7', '--to', 'Cy:23', '--reference', 'x');
transfer PS-2 20 x actor uid:$uid
transfer PS-1 10 x
issued PS-4 7 A: B
issued PS-5 23 Cy

like(tool_out('log', $ledger, '--since', 11), qr/\A +12  \S+  issued /, 'log --since within a group');
like(tool_out('log', $ledger, '--since', 10), qr/\A +11  \S+  transfer +PS-1 +10  x\n/, 'log --since: a later member has the type of the first');

refused('a class that is not there', qr/the ledger has no class XX/, qw(transfer XX-1 --to Bob:1 --reference x));
refused('one that was never issued', qr/CS-9 was never issued/, qw(transfer CS-3 CS-9 --to Bob:1 --reference x));
refused('one that is surrendered', qr/CS-1 was surrendered by transaction 7, "stockcert show" says what came of it/, qw(transfer CS-3 CS-1 --to Bob:1 --reference x));
refused('one twice', qr/CS-3 must not be there twice/, qw(transfer CS-3 CS-3 --to Bob:1 --reference x));
refused('two classes', qr/PS-3 must be of the same class/, qw(transfer CS-3 PS-3 --to Bob:1 --reference x));
refused('two holders', qr/CS-2 has another holder than the certificate before it/, qw(transfer CS-3 CS-2 --to Bob:1 --reference x));
refused('too many shares', qr/to: adds up to 1300001 shares, the certificates have 1300000/, qw(transfer CS-3 --to Bob:1300000 --to Cy:1 --reference x));
refused('an empty name', qr/the name of --to number 2 must not be empty/, qw(transfer CS-3 --to Bob:1 --to :2 --reference x));
refused('a name of no UTF-8', qr/the name of --to must be valid UTF-8/, qw(transfer CS-3 --to), "\xff:1", qw(--reference x));
refused('a blank reference', qr/the reference must not be only white space/, qw(transfer CS-3 --to Bob:1 --reference), ' ');
refused('a reference of no UTF-8', qr/the reference must be valid UTF-8/, qw(transfer CS-3 --to Bob:1 --reference), "\xff");
refused('too long a reference', qr/the reference must /, qw(transfer CS-3 --to Bob:1 --reference), 'x' x 256);
no_entry('too many --to', 2, qr/a transaction issues at most 100 certificates and a balance/, 'transfer', 'CS-3', map({ ('--to', "a$_:1") } 1 .. 101), qw(--reference x));
no_entry('too many certificates', 2, qr/a transaction surrenders at most 100 certificates, not 101/, 'transfer', map({ "CS-$_" } 1 .. 101), qw(--to Bob:1 --reference x));
no_entry("--to $_", 2, qr/--to takes a name, a colon and a number of shares .*, such as "Bob:200000", not "\Q$_\E"/, 'transfer', 'CS-3', '--to', $_, qw(--reference x))
    for 'Bob', 'Bob:', 'Bob:0', 'Bob:1x', 'Bob:-1', 'Bob:9007199254740992';
no_entry("certificate $_", 2, qr/such as CS-17, not "$_"/, 'transfer', $_, qw(--to Bob:1 --reference x)) for 'CS3', 'CS-0';
no_entry("usage: @$_", 2, qr/usage: stockcert $_->[0] LEDGER/, @$_)
    for ['transfer', 'CS-3', '--to', 'Bob:1'], ['transfer', 'CS-3', '--reference', 'x'], ['transfer', '--to', 'Bob:1', '--reference', 'x'],
        ['repurchase', 'CS-3', '--reference', 'x'], ['correct', 'CS-3', '--reference', 'x'], ['reissue', 'CS-3'], ['cancel', 'CS-3'],
        ['holder', 'CS-3', '--reference', 'x'], ['holder', 'CS-3', '--id', 'x'], ['holder', '--id', 'x', '--reference', 'x'];
for (['transfer', '--shares', 1], ['transfer', '--price', 'x'], ['reissue', '--corrects', 1], ['repurchase', '--to', 'x:1'], ['cancel', '--to', 'x:1'], ['correct', '--shares', 1]) {
    my ($command, @option) = @$_;
    my ($status, undef, $err) = tool($command, $ledger, 'CS-3', '--reference', 'x', @option);
    like("$status $err", qr/\A2 stockcert $command: unrecognized option '$option[0]'\nstockcert: usage: /, "$command has no $option[0]");
}


# reissue

done('reissue', 'surrendered CS-2; issued CS-4', <<"", qw(reissue CS-2 --reason lost --reference Affidavit));
reissue CS-2 200000 Affidavit reason lost actor uid:$uid
issued CS-4 200000 Bob

done('reissue, divided', 'surrendered CS-4; issued CS-5, CS-6', <<"", qw(reissue CS-4 --reason division --to Bob:150000 --to Bob:50000 --reference x));
reissue CS-4 200000 x reason division actor uid:$uid
issued CS-5 150000 Bob
issued CS-6 50000 Bob

done('reissue, joined', 'surrendered CS-5, CS-6; issued CS-7', <<"", qw(reissue CS-5 CS-6 --reference x));
reissue CS-5 150000 x actor uid:$uid
reissue CS-6 50000 x
issued CS-7 200000 Bob

done('reissue, another name', 'surrendered CS-7; issued CS-8', <<"", qw(reissue CS-7 --reason name --to Robert:200000 --reference), 'Deed poll');
reissue CS-7 200000 Deed poll reason name actor uid:$uid
issued CS-8 200000 Robert

refused('reissue: another holder', qr/"reissue" is for the same holder/, qw(reissue CS-8 --to Bob:200000 --reference x));
refused('reissue: fewer shares', qr/to: adds up to 199999 shares, and must be all 200000 of them/, qw(reissue CS-8 --to Robert:199999 --reference x));
refused('reissue: a reason that is none', qr/the reason must be "lost", "stolen"/, qw(reissue CS-8 --reason fire --reference x));


# repurchase and cancel: shares that are no longer out

done('repurchase of some', 'surrendered CS-8; issued CS-9', <<"", qw(repurchase CS-8 --shares 50000 --price), '0.01 USD', qw(--reference Vesting));
repurchase CS-8 200000 Vesting price 0.01 USD actor uid:$uid
issued CS-9 150000 Robert balance

done('repurchase of all', 'surrendered CS-9; issued none', <<"", qw(repurchase CS-9 --price), '0 USD', qw(--reference Vesting));
repurchase CS-9 150000 Vesting price 0 USD actor uid:$uid

is(shown('CS-9')->{status}, 'cancelled', 'of which nothing came');
is(shown('CS-8')->{status}, 'surrendered', 'of which something came');
is(counts(), '1300000 9 60 5', 'the shares are no longer out');
issue('CS', 200000, 'A Stranger');
done('cancel of some', 'surrendered CS-10; issued CS-11', <<"", qw(cancel CS-10 --shares 199999 --reason), 'an error');
cancel CS-10 200000 an error actor uid:$uid
issued CS-11 1 A Stranger balance

done('cancel', 'surrendered CS-11; issued none', <<"", qw(cancel CS-11 --reference x));
cancel CS-11 1 x actor uid:$uid

is_deeply(shown($_), get("/$_"), "show --json: $_ as the API has it") for map { "CS-$_" } 1 .. 11;
is(shown('CS-11')->{reason}, 'x', 'cancel: the reference is the reason');
refused("$_->[0]: more than there are", qr/shares: must be at most 1300000, as the certificates have no more/, @$_)
    for ['cancel', 'CS-3', '--shares', 1300001, '--reference', 'x'], ['repurchase', 'CS-3', '--shares', 1300001, '--price', '1 USD', '--reference', 'x'];
refused('a price that is none', qr/the price must /, qw(repurchase CS-3 --price 1 --reference x));
no_entry("--shares $_", 2, qr/--shares takes a number from 1 to 9007199254740991, not "$_"/, 'cancel', 'CS-3', '--shares', $_, qw(--reference x)) for '0', 'x', '';


# correct

done('correct', 'surrendered PS-5; issued PS-6', <<"", qw(correct PS-5 --corrects 13 --to Cyrus:23 --reference), 'misspelt');
correct PS-5 23 misspelt corrects 13 actor uid:$uid
issued PS-6 23 Cyrus

done('correct: nothing comes of it', 'surrendered PS-6; issued none', <<"", qw(correct PS-6 --corrects 13 --reference), 'forged');
correct PS-6 23 forged corrects 13 actor uid:$uid

refused('an entry that is not there', qr/corrects: there is no entry 9999 to correct/, qw(correct CS-3 --corrects 9999 --reference x));
no_entry("--corrects $_", 2, qr/--corrects takes a number from 1/, qw(correct CS-3 --reference x --corrects), $_) for 0, 'x';


# holder

my $n = entries();
is(tool_out('holder', $ledger, 'CS-3', '--id', 'h-1', '--address', '1 Main St', '--reference', 'a letter'), "the holder of CS-3 is changed, by entry @{[$n + 1]}\n", 'holder');
is(tool_out('holder', $ledger, 'CS-3', @$_, '--reference', 'again'), "the holder of CS-3 has that already, nothing is changed\n", "holder @$_, again")
    for ['--id', 'h-1', '--address', '1 Main St'], ['--id', 'h-1'], ['--address', '1 Main St'];
refused('holder: the id, and another address', qr/the holder of CS-3 has an id, "h-1", which stays/, qw(holder CS-3 --id h-1 --address 2 --reference x));
like(tool_out('log', $ledger, '--since', $n), qr/^[^\n]*  holder +CS-3 +-  a letter  holder_id h-1  address 1 Main St  actor uid:$uid\n\z/, 'holder: the log');
done('the balance has the id and the address', 'surrendered CS-3; issued CS-12, CS-13', <<"", qw(transfer CS-3 --to Cy:1 --reference x));
transfer CS-3 1300000 x actor uid:$uid
issued CS-12 1 Cy
issued CS-13 1299999 Ann balance holder_id h-1 address 1 Main St

like(tool_out('show', $ledger, 'CS-13'), qr/^holder_id +h-1\naddress +1 Main St\nstatus/m, 'show has them');
refused('holder: another id', qr/the holder of CS-13 has an id, "h-1", which stays/, qw(holder CS-13 --id h-2 --reference x));
refused('holder: never issued', qr/CS-99 was never issued/, qw(holder CS-99 --id h-2 --reference x));
refused('holder: surrendered', qr/CS-3 is surrendered already, by transaction @{[$n + 2]}/, qw(holder CS-3 --address x --reference x));
refused('holder: no class', qr/the ledger has no class XX/, qw(holder XX-3 --address x --reference x));
refused('holder: an id that is none', qr/the holder_id must be 1 to 64 printable ASCII characters/, qw(holder CS-12 --reference x --id), "\xc3\xa9");
refused('holder: an empty id', qr/the id must not be empty/, qw(holder CS-12 --reference x --id), '');
refused('holder: a blank address', qr/the address must not be only white space/, qw(holder CS-12 --reference x --address), ' ');
refused('holder: a blank reference', qr/the reference must not be only white space/, qw(holder CS-12 --id x --reference), ' ');
no_entry('holder of no certificate', 2, qr/such as CS-17/, qw(holder CS12 --id x --reference x));


# --json, and keys

sub order { spew("$dir/order.json", $_[0]); return ('--json', "$dir/order.json") }

my @order = order('{"type":"transfer","from":["CS-12"],"effective":"2020-02-29",'
    . '"to":[{"name":"Dee","amount":1,"holder_id":"d","address":"2 High St","capacity":"custodian for Eve"}],"reference":"r"}');
refused('a date that is too early', qr/effective: the effective date is before that of CS-12/, 'transfer', @order);
@order = order(slurp("$dir/order.json") =~ s/"effective":"[^"]*",//r);
$n = entries();
done('--json', 'surrendered CS-12; issued CS-14', <<"", 'transfer', @order, '--key', 'key 1');
transfer CS-12 1 r actor uid:$uid
issued CS-14 1 Dee holder_id d address 2 High St capacity custodian for Eve

like(tool_out('transfer', $ledger, '--key', 'key 1', @order), qr/\Atransaction @{[$n + 1]}, transfer, was entered before: surrendered CS-12; issued CS-14\n\z/, 'the key again');
is(entries(), $n + 2, 'which enters nothing');
refused('the key of another order', qr/the key is that of another request, give one of its own/, qw(cancel CS-14 --reference x --key), 'key 1');
refused('a key that is none', qr/the key must /, qw(cancel CS-14 --reference x --key), $_) for '', "k\xc3\xa9y", 'k' x 256;
refused('another type', qr/the type in \S+order\.json is "transfer", use "stockcert transfer"/, 'cancel', @order);
refused('no JSON', qr/the body is not JSON: line 1, column 2/, 'cancel', order('{'));
refused('an unknown member', qr/"more" in \S+order\.json is unknown/, 'cancel', order('{"type":"cancel","from":["CS-14"],"reference":"x","more":1}'));
refused('an item', qr/"to\[0\]\.amount" in \S+order\.json must be an integer/, 'transfer', order('{"type":"transfer","from":["CS-14"],"to":[{"name":"x","amount":0}],"reference":"x"}'));
refused('too large', qr/the body must have at most 131072 bytes/, 'cancel', order(' ' x 131073));
no_entry('--json with other options', 2, qr/--json FILE takes the place of certificates and of all options but --key/, @$_)
    for ['cancel', @order, 'CS-14'], ['cancel', @order, '--reference', 'x'];
no_entry('no such file', 3, qr/cannot read \S+none: No such file/, 'cancel', '--json', "$dir/none");
no_entry('a directory', 3, qr/cannot read \S+: Is a directory/, 'cancel', '--json', $dir);
spew("$dir/order.json", '{"type":"cancel","from":["CS-14"],"reference":"from standard input"}');
like(tool_out({ in => "$dir/order.json" }, 'cancel', $ledger, '--json', '-'), qr/cancel: surrendered CS-14; issued none\n\z/, '--json -');


# the largest that there is

issue('PS', 200, 'All');
my $many = join ' ', map { $_ % 2 ? "--to All:1" : "--to a$_:1" } 1 .. 100;
like(tool_out('transfer', $ledger, 'PS-7', split(' ', $many), '--reference', 'q' x 255), qr/issued PS-8, (?:PS-\d+, ){99}PS-108\n\z/, 'a hundred, and a balance');


# the sums of the export, and the ledger as a whole

my ($header, @rows) = map { [split /,/] } map { s/"[^"]*"//gr } split /\r\n/, tool_out('export', $ledger, '--format', 'csv');
my %column = map { $header->[$_] => $_ } 0 .. $#$header;
my (%sum, %types);
for (@rows) {
    my ($kind, $class, $shares, $type, $transaction) = @$_[@column{qw(kind class shares type transaction)}];
    $sum{$class} += $kind eq 'issued' ? $shares : $kind eq 'surrendered' ? -$shares : 0;
    $types{$transaction}{$type} = 1 if $transaction;
}
is(join(' ', map { $sum{$_} } qw(CS PS)), join(' ', map { $_->{issued} } @{get('/')->{classes}}), 'csv: issued less surrendered is what is out');
is_deeply([grep { keys %$_ != 1 } values %types], [], 'csv: all of a transaction have its type');
my $transactions = keys %types;
like(tool_out('verify', $ledger), qr/ $transactions transactions,/, 'verify');


# the seals, by the program of the README

my $jsonl = tool_out('export', $ledger, '--format', 'jsonl');
spew("$dir/in.jsonl", $jsonl);
my ($program) = slurp('README.md') =~ /^```python\n(import datetime, hashlib.*?)^```/ms;
spew("$dir/seals.py", $program);
is(`python3 $dir/seals.py <$dir/in.jsonl 2>&1`, '', "the README's program finds all seals");
spew("$dir/bad.jsonl", $jsonl =~ s/("balance":)true/${1}2/r);
like(`python3 $dir/seals.py <$dir/bad.jsonl 2>&1`, qr/AssertionError: 9$/m, 'and one that is wrong');


# import: the same again; and nothing of a group that is not whole

tool_out('import', "$dir/copy", "$dir/in.jsonl");
is(tool_out('export', "$dir/copy", '--format', 'jsonl'), $jsonl, 'import: it exports the same');
is(tool_out('show', "$dir/copy", $_), tool_out('show', $ledger, $_), "import: $_ is the same") for qw(CS-1 CS-3 PS-50);

# the transactions of entries 7 to 9, which surrenders CS-1, and issues CS-2 and CS-3,
# and 10 to 13, which surrenders PS-2 and PS-1, and issues PS-4 and PS-5

sub broken {
    my ($name, $like, $code) = @_;
    my ($header, @lines) = split /^/, $jsonl;
    @lines = $code->(@lines);
    my $n = 0;
    s/"entry":\d+/'"entry":' . ++$n/e for @lines;
    $header =~ s/"entries":\d+/"entries":$n/;
    spew("$dir/bad.jsonl", join '', $header, @lines);
    tool_is("import: $name", 1, qr/nothing is imported, line $like/, 'import', "$dir/new", "$dir/bad.jsonl");
    ok(!-e "$dir/new", "import: $name: nothing is there");
}

broken('a group that is open at the end', qr/9 of .*: is the last one, and its transaction has more entries/, sub { @_[0 .. 7] });
broken('one that has only begun', qr/8 of .*: is the last one, and its transaction has more entries/, sub { @_[0 .. 6] });
broken('another entry within a group', qr/9 of .*: entry 7 began a transaction, which has 2 entries more/, sub { (@_[0 .. 6], $_[3], @_[7 .. $#_]) });
broken('a member left out', qr/12 of .*: the next entry is member 2 of the transaction that entry 10 began/, sub { @_[0 .. 9, 11 .. $#_] });
broken('a group without its first', qr/11 of .*: member 2 of a transaction comes without those before it/, sub { @_[0 .. 8, 10 .. $#_] });
broken('more shares than are surrendered', qr/13 of .*: the transaction surrenders 30 shares, and issues more/, sub { my @l = @_; $l[11] =~ s/"shares":7/"shares":31/; @l });
broken('fewer', qr/10 of .*: "transfer" surrenders 1500000 shares, and issues 1499999/, sub { my @l = @_; $l[8] =~ s/1300000/1299999/; @l });
broken('another time', qr/9 of .*: all entries of a transaction have one time/, sub { my @l = @_; $l[7] =~ s/"time":"\d{4}/"time":"2099/; @l });
broken('a group that ends too late', qr/8 of .*: entry 7 has another seal/, sub { my @l = @_; $l[6] =~ s/"issues":2/"issues":3/; @l });


# import commits after 10000 entries, and later if a transaction goes on there

tool_out('authorize', $ledger, 'PS', 100000, '--reference', 'for those that follow');
while ((my $missing = 9995 - get('/')->{entries}) > 0) {
    $missing = 100 if $missing > 100;
    $client->send('POST', '/', grant('PS', 1, 'One')) for 1 .. $missing;
    $client->receive for 1 .. $missing;
}
my $last = get('/')->{classes}[1]{certificates};
like(tool_out('reissue', $ledger, map({ 'PS-' . ($last - $_) } 0 .. 9), '--reference', 'x'), qr/\Atransaction 9996, /, 'a transaction of entries 9996 to 10006');
tool_out('export', $ledger, '--format', 'jsonl', '-o', "$dir/large.jsonl");
is(tool_out('import', "$dir/large", "$dir/large.jsonl"), "imported 10006 entries into $dir/large\n", 'import: it is whole');

$server->stop;
done_testing;
