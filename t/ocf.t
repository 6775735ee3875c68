# stockcert export --format ocf: what transactions, holders, prices and dates are there, and that walking its
# transactions as its specification says gives what "stockcert holders" does.

use strict;
use warnings;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $server = Stockcert->new->start;
my $dir = $server->{dir};
my $ledger = "$dir/ledgers/acme";
my $client = $server->client;
my @known = (qw(--formed 2020-02-29 --country US --holders INDIVIDUAL), '--class', 'CS:COMMON:1:1:0.0001:USD', '--class', 'PS:PREFERRED:0:2:1.50:EUR');

sub issue {
    my ($class, $amount, $name, %more) = @_;
    my $r = $client->ask('POST', '/', encode_json({ name => $name, amount => $amount, class => $class, %more }));
    is($r->{status}, 201, "issued to $name") or diag($r->{body});
    return $r->{json};
}

sub transact { spew("$dir/order", encode_json({ @_ })); tool_out({ @_ }->{type}, $ledger, '--json', "$dir/order") }

# the items of stakeholders and transactions, by id

my $n = 0;
sub export {
    my $out = "$dir/ocf" . $n++;
    tool_out('export', $ledger, '--format', 'ocf', '-o', $out, @known, @_);
    return map { my $file = decode_json(slurp("$out/$_.ocf.json")); +{ map { $_->{id} => $_ } @{$file->{items}} } } qw(Stakeholders Transactions);
}

# what the transactions come to: by holder and class, the sum of shares and the certificates

sub walk {
    my ($stakeholders, $transactions) = @_;
    my %issued = map { $_->{security_id} => $_ } grep { $_->{object_type} eq 'TX_STOCK_ISSUANCE' } values %$transactions;
    my (%gone, %of);
    for (grep { $_->{object_type} =~ /TRANSFER|REISSUANCE|REPURCHASE|CANCELLATION|RETRACTION/ } values %$transactions) {
        fail("$_->{security_id} is surrendered twice") if $gone{$_->{security_id}}++;
        my @bad = grep { !$issued{$_} } @{$_->{resulting_security_ids} // []}, $_->{balance_security_id} // ();
        fail("$_->{id} has @bad, which were never issued") if @bad;
        fail("$_->{id} is before $_->{security_id}") if $_->{date} lt $issued{$_->{security_id}}{date};
    }
    for (grep { !$gone{$_->{security_id}} } values %issued) {
        my $holder = $stakeholders->{$_->{stakeholder_id}} or fail("no $_->{stakeholder_id}");
        my $who = $holder->{issuer_assigned_id} // "name $holder->{name}{legal_name}";
        $of{$who}{$_->{stock_class_id} =~ s/class-//r}{$_->{custom_id}} = $_->{quantity};
    }
    return \%of;
}

sub held {
    my @lines = map { decode_json($_) } split /^/, tool_out('holders', $ledger, '--format', 'jsonl');
    pop @lines;
    my %of;
    for my $line (@lines) {
        for my $class (@{$line->{classes}}) {
            my $id = $line->{holder_id} // "name $line->{name}";
            $of{$id}{$class->{class}}{$_} = $client->ask('GET', "/$_")->{json}{amount} for @{$class->{certificates}};
        }
    }
    return \%of;
}


# every type

issue('CS', 1000, 'Bob', price => '0.25 EUR', effective => '2024-02-29', address => '1 Main Street', reference => 'Board 1');
issue('CS', 500, 'Ann', holder_id => 'a-1', capacity => 'custodian for "Tim"');
issue('CS', 40, 'Ann Smith', holder_id => 'a-1', address => '2 Elm Road');
issue('CS', $_, 'Kim') for 30, 31, 32, 33;
issue('PS', 77, 'Lee', price => '0 USD');
my $wrong = issue('CS', 5, 'Err');
issue('CS', 6, 'Joe');

transact(type => 'transfer', from => ['CS-1'], to => [{ name => 'Carl', amount => 300 }, { name => 'Bob', amount => 100 }], reference => 'sale', effective => '2024-03-01');
tool_out('transfer', $ledger, 'CS-10', '--to', 'Dan:300', '--reference', 'gift');
tool_out('reissue', $ledger, 'CS-2', '--reason', 'lost', '--reference', 'affidavit');
tool_out('transfer', $ledger, 'CS-4', 'CS-5', '--to', 'Joe:20', '--reference', 'part');
tool_out('repurchase', $ledger, 'PS-1', '--shares', 7, '--price', '1.50 USD', '--reference', 'back');
tool_out('cancel', $ledger, 'CS-6', 'CS-7', '--shares', 40, '--reference', 'void "x"');
tool_out('correct', $ledger, 'CS-8', '--corrects', $wrong->{entry}, '--reference', 'never');
tool_out('correct', $ledger, 'CS-9', '--corrects', $wrong->{entry} + 1, '--to', 'Joseph:4', '--reference', 'misspelt');
tool_out('authorize', $ledger, 'PS', 800000, '--reference', 'more');

my ($stakeholders, $transactions) = export();
my $jsonl = tool_out('export', $ledger, '--format', 'jsonl');
my @entries = map { decode_json($_) } split /^/, $jsonl;
my %entry = map { ("$_->{kind} $_->{class}-$_->{number}" => $_) } grep { $_->{number} } @entries;

sub item { my ($kind, $id) = @_; my %item = %{$transactions->{"entry-$entry{\"$kind $id\"}{entry}"} // {}}; delete @item{qw(id custom_id)}; return \%item }
sub day { my ($kind, $id) = @_; return substr $entry{"$kind $id"}{time}, 0, 10 }
sub comments { my ($kind, $id, @more) = @_; return ["seal $entry{\"$kind $id\"}{seal}", @more, $kind eq 'surrendered' || $entry{"$kind $id"}{member} ? "entered by: uid:$>" : ()] }

my %plain = (object_type => 'TX_STOCK_ISSUANCE', stock_legend_ids => [], security_law_exemptions => []);
is_deeply(item('issued', 'CS-1'), { %plain, date => '2024-02-29', security_id => 'CS-1', stakeholder_id => 'holder-CS-1', stock_class_id => 'class-CS', quantity => '1000',
    share_price => { amount => '0.25', currency => 'EUR' }, comments => comments('issued', 'CS-1', 'Board 1') }, 'an issuance: its price, its legal date, its reference');
is_deeply(item('issued', 'CS-2'), { %plain, date => day('issued', 'CS-2'), security_id => 'CS-2', stakeholder_id => 'holder-CS-2', stock_class_id => 'class-CS', quantity => '500',
    share_price => { amount => '0.0001', currency => 'USD' }, comments => comments('issued', 'CS-2', 'capacity: custodian for "Tim"') }, 'one without a price, in a capacity');
is_deeply(item('issued', 'PS-1')->{share_price}, { amount => '0', currency => 'USD' }, 'a price of zero is one');
is_deeply(item('surrendered', 'CS-1'), { object_type => 'TX_STOCK_TRANSFER', date => '2024-03-01', security_id => 'CS-1', quantity => '400',
    resulting_security_ids => ['CS-10', 'CS-11'], balance_security_id => 'CS-12', comments => comments('surrendered', 'CS-1', 'sale') }, 'a transfer');
is_deeply([map { [@{item('issued', $_)}{qw(date stakeholder_id quantity)}, item('issued', $_)->{share_price}] } 'CS-10', 'CS-11', 'CS-12'],
    [map { ['2024-03-01', @$_, { amount => '0.25', currency => 'EUR' }] } ['holder-CS-10', 300], ['holder-CS-1', 100], ['holder-CS-1', 600]], 'its results have its date, and the price that was paid');
is_deeply(item('issued', 'CS-13')->{share_price}, { amount => '0.25', currency => 'EUR' }, 'a transfer of a result: the price at the beginning');
ok(!exists item('surrendered', 'CS-10')->{balance_security_id}, 'a transfer of all has no balance');
is_deeply(item('surrendered', 'CS-2'), { object_type => 'TX_STOCK_REISSUANCE', date => day('surrendered', 'CS-2'), security_id => 'CS-2', resulting_security_ids => ['CS-14'],
    reason_text => 'lost: affidavit', comments => comments('surrendered', 'CS-2', 'affidavit') }, 'a reissue');
is_deeply([map { [@{item('surrendered', $_)}{qw(object_type quantity resulting_security_ids balance_security_id)}] } 'CS-4', 'CS-5'],
    [['TX_STOCK_TRANSFER', 20, ['CS-15'], undef], ['TX_STOCK_TRANSFER', 0, ['CS-15'], 'CS-16']], 'a transfer of two: an object each, which add up; the balance on the last');
is_deeply(item('surrendered', 'PS-1'), { object_type => 'TX_STOCK_REPURCHASE', date => day('surrendered', 'PS-1'), security_id => 'PS-1', quantity => '7', price => { amount => '1.50', currency => 'USD' },
    balance_security_id => 'PS-2', comments => comments('surrendered', 'PS-1', 'back') }, 'a repurchase');
is_deeply(item('issued', 'PS-2')->{share_price}, { amount => '0', currency => 'USD' }, 'what is left of it has the price at the beginning, not that of the repurchase');
is_deeply([map { [@{item('surrendered', $_)}{qw(object_type quantity reason_text balance_security_id)}] } 'CS-6', 'CS-7'],
    [['TX_STOCK_CANCELLATION', 32, 'void "x"', undef], ['TX_STOCK_CANCELLATION', 8, 'void "x"', 'CS-17']], 'a cancellation of two, in part');
is_deeply(item('surrendered', 'CS-8'), { object_type => 'TX_STOCK_RETRACTION', date => day('surrendered', 'CS-8'), security_id => 'CS-8', reason_text => 'never',
    comments => [@{comments('surrendered', 'CS-8', 'never')}, "corrects entry-$wrong->{entry}"] }, 'a correction that nothing comes of');
is_deeply([@{item('surrendered', 'CS-9')}{qw(object_type resulting_security_ids reason_text)}], ['TX_STOCK_REISSUANCE', ['CS-18'], 'misspelt'], 'one that something comes of');
my ($amended) = grep { $_->{object_type} eq 'TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT' } values %$transactions;
is("@$amended{qw(stock_class_id new_shares_authorized)} $amended->{comments}[1]", 'class-PS 800000 more', 'an amendment');
is(scalar(keys %$transactions), (grep { ($_->{kind} // '') =~ /issued|surrendered|amended/ } @entries), 'an object an entry, and no other');
is_deeply(walk($stakeholders, $transactions), held(), 'what they come to is what "holders" lists');


# stakeholders: one a holder

is_deeply([map { $stakeholders->{$_} } 'holder-CS-1', 'holder-CS-2'], [
    { object_type => 'STAKEHOLDER', id => 'holder-CS-1', name => { legal_name => 'Bob' }, stakeholder_type => 'INDIVIDUAL', comments => ['address: 1 Main Street'] },
    { object_type => 'STAKEHOLDER', id => 'holder-CS-2', name => { legal_name => 'Ann' }, stakeholder_type => 'INDIVIDUAL', issuer_assigned_id => 'a-1', comments => ['address: 2 Elm Road'] }],
    'by name, and by id; an address without a country is a comment');
is(join(' ', sort map { $_->{name}{legal_name} } values %$stakeholders), 'Ann Bob Carl Dan Err Joe Joseph Kim Lee', 'one for each that ever was');

tool_out('holder', $ledger, 'PS-2', '--id', 'lee', '--address', '3 Oak Lane', '--reference', 'letter');
transact(type => 'reissue', from => ['CS-13'], reason => 'name', reference => 'marriage', to => [{ name => 'Danielle', amount => 300 }]);
issue('CS', 1, 'Dan');
issue('CS', 1, 'Lee');
spew("$dir/holders", tool_out('holders', $ledger, '--format', 'jsonl') =~ s/^(\{"name":"Lee","holder_id":"lee")/$1,"type":"INSTITUTION","country":"DE"/mr);
($stakeholders, $transactions) = export('--holders-file', "$dir/holders");
is_deeply(walk($stakeholders, $transactions), held(), 'after an id and a new name');
is_deeply($stakeholders->{'holder-PS-1'}, { object_type => 'STAKEHOLDER', id => 'holder-PS-1', name => { legal_name => 'Lee' }, stakeholder_type => 'INSTITUTION',
    issuer_assigned_id => 'lee', addresses => [{ address_type => 'CONTACT', street_suite => '3 Oak Lane', country => 'DE' }] }, '--holders-file: type and country, so the address');
is($stakeholders->{'holder-CS-13'}{name}{legal_name}, 'Danielle', 'a new name of who has no other certificate is the same stakeholder');
is(scalar(grep { $_->{name}{legal_name} =~ /^(Dan|Lee)\z/ } values %$stakeholders), 3, 'who has the old name later is another');

sub file_is {
    my ($name, $status, $like, @lines) = @_;
    spew("$dir/bad", join '', map { "$_\n" } @lines);
    tool_is("--holders-file: $name", $status, $like, 'export', $ledger, '--format', 'ocf', '-o', "$dir/bad.ocf", @known, '--holders-file', "$dir/bad");
}
file_is('not JSON', 1, qr/line 1 of .*bad: is not a JSON object/, 'Lee,DE');
file_is('nobody', 1, qr/line 2 of .*has neither "holder_id" nor "name"/, '{"name":"Bob"}', '{"type":"INDIVIDUAL"}');
file_is('a type that is none', 1, qr/"type" must be INDIVIDUAL or INSTITUTION/, '{"name":"Bob","type":"BANK"}');
file_is('a country that is none', 1, qr/"country" must be a code such as US/, '{"name":"Bob","country":"USA"}');
file_is('a member that is not known', 1, qr/has a member that is not known/, '{"name":"Bob","cuntry":"US"}');
file_is('twice', 1, qr/line 2 of .*is about the holder of a line before it/, '{"name":"Bob"}', '{"name":"Bob","type":"INSTITUTION"}');
file_is('who was never a holder', 2, qr/the ledger has no holder with the name "Rob", which .*bad names/, '{"name":"Rob"}');
file_is('no such id', 2, qr/the ledger has no holder with the holder_id "Bob"/, '{"holder_id":"Bob"}');
tool_is('--holders-file: no file', 3, qr/cannot open .*none: No such file/, 'export', $ledger, '--format', 'ocf', '-o', "$dir/bad.ocf", @known, '--holders-file', "$dir/none");
tool_is('--holders-file twice', 2, qr/--holders-file is given twice/, 'export', $ledger, '--format', 'ocf', '-o', "$dir/bad.ocf", @known, ('--holders-file', "$dir/holders") x 2);
ok(!-e "$dir/bad.ocf", 'nothing was made');


# any history

srand(my $seed = $ENV{STOCKCERT_SEED} // int rand 1e9);
my @names = ('A', 'B', 'C');
for my $n (1 .. 150) {
    my $held = held();
    my @live = map { my $who = $_; map { my $class = $_; map { [$who, $class, $_] } sort keys %{$held->{$who}{$class}} } sort keys %{$held->{$who}} } sort keys %$held;
    last if !@live;
    my ($who, $class, $one) = @{$live[rand @live]};
    my @same = ($one, grep { $_ ne $one && rand() < 0.5 } keys %{$held->{$who}{$class}});
    my $all = 0;
    $all += $held->{$who}{$class}{$_} for @same;
    my ($name, $to) = map { $names[rand @names] } 1, 2;
    my @do = (['transfer', @same, '--to', "$to:" . (1 + int rand $all)], ['reissue', @same], ['cancel', @same, rand() < 0.5 ? ('--shares', 1 + int rand $all) : ()],
        ['repurchase', @same, '--price', '1 EUR'], ['correct', @same, '--corrects', 3, rand() < 0.5 ? ('--to', "$to:1") : ()],
        ['holder', $one, '--id', lc $to], ['holder', $one, '--address', "$n Street"]);
    if (rand() < 0.3) {
        $client->ask('POST', '/', encode_json({ name => $name, amount => 1 + int rand 99, class => rand() < 0.3 ? 'PS' : 'CS', rand() < 0.3 ? (holder_id => lc $to) : () }));
        next;
    }
    my ($command, @arg) = @{$do[rand @do]};
    my ($status, undef, $err) = tool($command, $ledger, @arg, '--reference', "history $n");
    fail("history $seed: $command @arg: $err") if $status !~ /^[01]\z/;
    next if $n % 10;
    is_deeply(walk(export()), held(), "history $seed: after $n") or last;
}

$server->stop;
done_testing;
