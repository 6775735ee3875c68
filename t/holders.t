# stockcert holders: who is one holder, in all formats, as it is and as it was.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $server = Stockcert->new(flushes => 1)->start;
my $ledger = "$server->{dir}/ledgers/acme";
my $client = $server->client;
my $json = Cpanel::JSON::XS->new->canonical;

sub issue {
    my ($class, $amount, $name, %more) = @_;
    my $r = $client->ask('POST', '/', encode_json({ name => $name, amount => $amount, class => $class, %more }));
    is($r->{status}, 201, "issued to $name") or diag($r->{body});
    return $r->{json};
}

# the lines of jsonl, without the last one, and that one

sub holders {
    my @lines = map { decode_json($_) } split /^/, tool_out('holders', $ledger, @_, '--format', 'jsonl');
    my $foot = pop @lines;
    return (\@lines, $foot);
}

# what one line of jsonl has, in short

sub short {
    my ($line) = @_;
    my $who = join '/', map { $_ // '' } @$line{qw(name holder_id address)};
    return join ' ', "$who:", map { my $c = $_; my $of = $c->{capacities} // {};
        map({ $of->{$_} ? "$_=$of->{$_}" : $_ } @{$c->{certificates}}), $c->{shares} } @{$line->{classes}};
}

sub is_list {
    my ($name, $expected, @arg) = @_;
    my ($lines, $foot) = holders(@arg);
    is_deeply([map { short($_) } @$lines], $expected, $name) or diag($json->pretty->encode($lines));
    return $foot;
}

sub last_entry { return (map { decode_json($_) } split /^/, tool_out('export', $ledger, '--format', 'jsonl'))[0] }


# who is one holder

tool_is("wrong: @$_", 2, $_->[-1] eq 'usage' ? qr/usage: stockcert holders LEDGER/ : qr/$_->[0] takes .*not "\Q$_->[1]\E"/, 'holders', $ledger, grep { $_ ne 'usage' } @$_)
    for ['--format', 'xml'], ['--as-of', 'today'], ['--as-of', '2025-02-31'], ['--as-of', '0'], ['--as-of', ''], [$ledger, 'usage'];
is_list('nobody', []);

issue('CS', 100, 'Bob');
issue('CS', 50, 'Bob', address => '1 Main Street, Springfield');
issue('CS', 7, 'Ann', holder_id => 'a-1', address => '2 Elm Road');
issue('CS', 5, 'Ann Other', holder_id => 'a-1');
issue('CS', 4, 'Ann');
issue('CS', 3, 'bob ', capacity => 'custodian for Tim');
issue('CS', 2, 'bob ');
issue('PS', 9, 'Bob');
my $zero = issue('CS', 1, 'Zoe', holder_id => 'Bob');

my @day0 = ('Ann//: CS-5 4', 'Ann Other/a-1/2 Elm Road: CS-3 CS-4 12', 'Bob//1 Main Street, Springfield: CS-1 CS-2 150 PS-1 9',
    'Zoe/Bob/: CS-8 1', 'bob //: CS-7 CS-6=custodian for Tim 5');
my $foot = is_list('by id, or by name; the name of the latest certificate, the latest address', \@day0);
is_deeply($foot, { entry => $zero->{entry}, seal => $zero->{seal}, time => $zero->{issued_at}, totals => [
    { class => 'CS', title => 'Title of CS', shares => 172, certificates => 8, holders => 5 },
    { class => 'PS', title => 'Title of PS', shares => 9, certificates => 1, holders => 1 }] }, 'totals, entry and seal');
is((split /^/, tool_out('holders', $ledger, '--format', 'jsonl'))[2],
    qq({"name":"Bob","address":"1 Main Street, Springfield","classes":[{"class":"CS","shares":150,"certificates":["CS-1","CS-2"]},)
    . qq({"class":"PS","shares":9,"certificates":["PS-1"]}]}\n), 'a line, to the byte');
is_list('--class', ['Bob//1 Main Street, Springfield: PS-1 9'], '--class', 'PS');
is(scalar @{(is_list('--class CS', [map { s/ PS.*//r } @day0], '--class', 'CS'))->{totals}}, 1, '--class: its totals');
tool_is('--class of none', 1, qr/the ledger has no class XX/, 'holders', $ledger, '--class', 'XX');


# transactions, on the next day

$server->set_clock(86400);
issue('CS', 11, 'Day');
tool_out('transfer', $ledger, 'CS-1', '--to', 'Carl:30', '--to', 'Ann:1', '--reference', 'agreement');
my @day1 = ('Ann//: CS-5 CS-11 5', $day0[1], 'Bob//1 Main Street, Springfield: CS-2 CS-12 119 PS-1 9', 'Carl//: CS-10 30', 'Day//: CS-9 11', @day0[3, 4]);
my $whole = is_list('a transfer, and its balance', \@day1);
is($whole->{totals}[0]{shares}, 172 + 11, 'a transfer: all shares are still out');

# inside a transaction nobody is of record

my $end = $whole->{entry};
is_list('--as-of the last of a transaction', \@day1, '--as-of', $end);
for my $entry ($end - 3 .. $end - 1) {
    tool_is("--as-of $entry", 1, qr/entry $entry is inside transaction @{[$end - 3]}, which ends with entry $end: give --as-of $end\n/, 'holders', $ledger, '--as-of', $entry);
}
tool_is('--as-of an entry that is not there', 1, qr/the ledger has $end entries/, 'holders', $ledger, '--as-of', $end + 1);
is_deeply(is_list('--as-of the entry before the day', \@day0, '--as-of', $zero->{entry}), $foot, 'with its seal');
my $day = substr $zero->{issued_at}, 0, 10;
is_deeply(is_list("--as-of $day", \@day0, '--as-of', $day), $foot, 'the same, by the date');
is(is_list('--as-of a later day', \@day1, '--as-of', '9999-12-31')->{entry}, $end, 'the last entry');
tool_is('--as-of a day before all', 1, qr/had no entry by the end of 1999-12-31/, 'holders', $ledger, '--as-of', '1999-12-31');
is_list('--as-of the first entry', [], '--as-of', 1);
tool_is('--class that was opened later', 1, qr/no class PS at entry 1/, 'holders', $ledger, '--as-of', 1, '--class', 'PS');


# a holder is changed: all that are outstanding, and nothing later

tool_out('holder', $ledger, 'CS-5', '--address', '3 Oak Lane', '--reference', 'letter');
is((holders())[0][0]{address}, '3 Oak Lane', 'an address');
tool_out('holder', $ledger, 'CS-2', '--id', 'b-1', '--reference', 'letter');
issue('PS', 1, 'Bob');
tool_out('holder', $ledger, 'PS-1', '--address', '5 High Street', '--reference', 'letter');
my @changed = ('Ann//3 Oak Lane: CS-5 CS-11 5', $day0[1], 'Bob//: PS-2 1', 'Bob/b-1/5 High Street: CS-2 CS-12 119 PS-1 9', @day1[3 .. 6]);
is_list('an id: the same name is another holder from then on', \@changed);
tool_out('holder', $ledger, 'PS-2', '--id', 'b-1', '--reference', 'letter');
splice @changed, 2, 2, 'Bob/b-1/5 High Street: CS-2 CS-12 119 PS-1 PS-2 10';
is_list('the id of another holder: they are one', \@changed);
tool_out('reissue', $ledger, 'CS-2', 'CS-12', '--reason', 'joining', '--reference', 'letter');
$changed[2] = 'Bob/b-1/5 High Street: CS-13 119 PS-1 PS-2 10';
is_list('a reissue', \@changed);
spew("$server->{dir}/new", encode_json({ type => 'reissue', from => ['CS-13'], reason => 'name', reference => 'x', to => [{ name => 'Robert', holder_id => 'b-1', amount => 119 }] }));
tool_out('reissue', $ledger, '--json', "$server->{dir}/new");
$changed[2] = 'Robert/b-1/5 High Street: CS-14 119 PS-1 PS-2 10';
@changed = @changed[0, 1, 3, 4, 2, 5, 6];
is_list('a new name', \@changed);

# who has nothing any more is forgotten, and shares that are cancelled are not out

tool_out('repurchase', $ledger, 'CS-9', '--price', '0.01 USD', '--reference', 'x');
tool_out('cancel', $ledger, 'CS-10', '--shares', '10', '--reference', 'x');
tool_out('correct', $ledger, 'CS-8', '--corrects', $zero->{entry}, '--reference', 'x');
tool_out('cancel', $ledger, 'CS-5', 'CS-11', '--reference', 'x');
issue('CS', 1, 'Ann');
@changed = ('Ann//: CS-16 1', $day0[1], 'Carl//: CS-15 20', 'Robert/b-1/5 High Street: CS-14 119 PS-1 PS-2 10', $day0[4]);
my $out = is_list('what is left', \@changed);
is_deeply([map { "$_->{class} $_->{shares}" } @{$out->{totals}}], [map { "$_->{class} $_->{issued}" } @{$client->ask('GET', '/')->{json}{classes}}], 'totals are what is issued');
tool_out('authorize', $ledger, 'PS', 800000, '--reference', 'x');
is_list('an amendment changes nobody', \@changed);


# the other formats: hostile texts are escaped

my $odd = '<b>"&\'';
issue('CS', 8, $odd, address => '<i>, "quoted"', holder_id => '=1+1&', capacity => '<u>trustee, "so"') for 1 .. 10;
my ($list) = holders();
is(short($list->[0]), q(<b>"&'/=1+1&/<i>, "quoted": ) . join(' ', map { qq(CS-$_=<u>trustee, "so") } 17 .. 26) . ' 80', 'odd texts');
my $last = last_entry();
is(tool_out('holders', $ledger, '--class', 'CS', '--format', 'csv'), join('', map { "$_\r\n" } 'name,holder_id,address,class,capacity,shares,certificates,entry,seal',
    q("<b>""&'","=1+1&","<i>, ""quoted""",CS,"<u>trustee, ""so""",80,) . join(' ', map { "CS-$_" } 17 .. 26) . ',,', '"Ann",,,CS,,1,CS-16,,', '"Ann Other","a-1","2 Elm Road",CS,,12,CS-3 CS-4,,',
    '"Carl",,,CS,,20,CS-15,,', '"Robert","b-1","5 High Street",CS,,119,CS-14,,', '"bob ",,,CS,,2,CS-7,,', '"bob ",,,CS,"custodian for Tim",3,CS-6,,', ",,,,,,,$last->{entries},$last->{seal}"), 'csv');

my $table = tool_out('holders', $ledger);
is($table, tool_out('holders', $ledger, '--format', 'table'), 'table is the default');
like($table, qr/\AAcme Inc\.: stockholders of record\n<b>"&', id =1\+1&\n  <i>, "quoted"\n  CS +80  CS-17 (CS-\d+ ){6}CS-24\n {29}CS-25 CS-26\n {29}<u>trustee, "so"\nAnn\n/, 'table: a holder');
like($table, qr/^  CS +237  shares; certificates: 17; holders: 6; Title of CS\n  PS +10  shares; certificates: 2; holders: 1; Title of PS\nas of entry $last->{entries}, \S+Z, with the seal\n$last->{seal}\n\z/m, 'table: totals and foot');

my $html = tool_out('holders', $ledger, '--format', 'html');
like($html, qr/\A<!DOCTYPE html>.*<\/html>\n\z/s, 'html');
like($html, qr(<td class="who"><bdi>&lt;b&gt;&quot;&amp;&#39;</bdi> \(<bdi>=1\+1&amp;</bdi>\)<br><bdi>&lt;i&gt;, &quot;quoted&quot;</bdi><br><bdi>&lt;u&gt;trustee, &quot;so&quot;</bdi></td>), 'html: all is escaped');
unlike($html, qr/<b>|<i>|<u>|<script/, 'html: and nothing else is there');
like($html, qr(As of entry $last->{entries}, \S+Z, with the seal $last->{seal}</p>), 'html: the foot');
my ($status, undef, $err) = tool({ out => '/dev/full' }, 'holders', $ledger);
like("$status $err", qr/^3 stockcert: cannot write the output: No space/, 'a full disk behind standard output');


# any history: each certificate that is outstanding is somebody's, by a model that goes certificate by certificate

srand(my $seed = $ENV{STOCKCERT_SEED} // int rand 1e9);
my @names = ('A', 'B', 'C');
my (@commands, %refused);
for my $n (1 .. 120) {
    my @live = map { my $c = $_; map { @{$_->{certificates}} } @{$c->{classes}} } @{(holders())[0]};
    my $one = $live[rand @live];
    my ($name, $to) = map { $names[rand @names] } 1, 2;
    my @do = ([sub { $client->ask('POST', '/', encode_json({ name => $name, amount => 1 + int rand 99, class => rand() < 0.3 ? 'PS' : 'CS', rand() < 0.3 ? (holder_id => lc $to) : (), rand() < 0.3 ? (address => "$n Road") : () })) }],
        ['transfer', $one, '--to', "$to:1"], ['reissue', $one], ['cancel', $one, rand() < 0.5 ? ('--shares', 1) : ()], ['repurchase', $one, '--price', '1 EUR'],
        ['correct', $one, '--corrects', 3, rand() < 0.5 ? ('--to', "$to:1") : ()], ['holder', $one, '--id', lc $to], ['holder', $one, '--address', "$n Street"]);
    my @arg = @{$do[rand() < 0.35 ? 0 : rand @do]};
    if (ref $arg[0]) { $arg[0]->(); next }
    my $command = shift @arg;
    my ($status) = tool($command, $ledger, @arg, '--reference', "history $n");
    $refused{$status}++;
}
is_deeply([sort grep { $_ ne '0' && $_ ne '1' } keys %refused], [], "history $seed: done or refused");

my (%certificate, %party);
my @entries = map { decode_json($_) } split /^/, tool_out('export', $ledger, '--format', 'jsonl');
shift @entries;
my $end_of_group = 0;
for my $entry (@entries) {
    my $id = "$entry->{class}-" . ($entry->{number} // '');
    if ($entry->{kind} eq 'issued') {
        $certificate{$id} = { %$entry };
        $party{who($entry)}{certificates}++;
    }
    if ($entry->{kind} eq 'surrendered') {
        my $was = who(delete $certificate{$id});
        delete $party{$was} if !--$party{$was}{certificates};    # and the address
    }
    if (defined $entry->{holder_id} and $entry->{kind} eq 'holder') {
        my $was = who($certificate{$id});
        my ($old, $same) = (delete $party{$was}, $party{who($entry)} //= {});
        $same->{certificates} += $old->{certificates};
        $same->{address} = $old->{address} if ($old->{address}[0] // 0) > ($same->{address}[0] // 0);
        $_->{holder_id} = $entry->{holder_id} for grep { who($_) eq $was } values %certificate;
    }
    $party{who($certificate{$id})}{address} = [@$entry{qw(entry address)}] if defined $entry->{address};
    $end_of_group = $entry->{entry} + $entry->{surrenders} + ($entry->{issues} // 0) - 1 if ($entry->{member} // 0) == 1;
    next if $entry->{entry} < $end_of_group or $entry->{entry} % 7 and $entry->{entry} < @entries;
    my %of;
    push @{$of{who($_)}}, "$_->{class}-$_->{number}" for values %certificate;
    my ($lines, $foot) = holders('--as-of', $entry->{entry});
    is_deeply([sort map { my $l = $_; join ' ', $l->{holder_id} // "name $l->{name}", sort map { @{$_->{certificates}} } @{$l->{classes}} } @$lines],
        [sort map { join ' ', s/^id //r, sort @{$of{$_}} } keys %of], "history $seed: entry $entry->{entry}");
    is_deeply({ map { (who($_) => $_->{address}) } @$lines }, { map { ($_ => $party{$_}{address}[1]) } keys %party }, 'and the addresses');
    my %shares;
    $shares{$_->{class}} += $_->{shares} for values %certificate;
    is_deeply({ map { $_->{shares} ? ($_->{class} => $_->{shares}) : () } @{$foot->{totals}} }, \%shares, 'and the totals');
}

# before somebody without an id gets one, who has the id is another holder

issue('CS', 1, 'Dora Other', holder_id => 'd-1', address => '1 Early Street');
my $gone = issue('CS', 1, 'Dora', address => '2 Late Street');
tool_out('cancel', $ledger, "CS-$gone->{number}", '--reference', 'x');
my $again = issue('CS', 1, 'Dora');
tool_out('holder', $ledger, "CS-$again->{number}", '--id', 'd-1', '--reference', 'x');
is_deeply([map { short($_) =~ s/:.*//r } grep { ($_->{holder_id} // '') eq 'd-1' } @{(holders())[0]}], ['Dora/d-1/1 Early Street'],
    'the latest name, and the address that was not forgotten');


sub who { my ($c) = @_; return defined $c->{holder_id} ? "id $c->{holder_id}" : "name $c->{name}" }

$server->stop;
done_testing;
