# stockcert export in its three formats, and import: the same numbers, times and
# seals, or nothing.

use strict;
use warnings;
use Config;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Disk;
use Stockcert::Tool;

my $server = Stockcert->new(http => ledger('acme', CS => 2600000, PS => 750000))->start;
my $dir = $server->{dir};
my $ledger = "$dir/ledgers/acme";
my $client = $server->client;

my @odd = ('Salt Bae', '=1+1', 'a "quoted" name, with a comma', "J\xc3\xbcrgen \xe2\x80\x8f \xf0\x9f\xa6\x84", 'back\\slash', "'", 'n' x 255, 'x;y|z');
my $n = 0;
for my $name (@odd) {
    my @key = $n++ % 2 ? ("Idempotency-Key: key $n ~!") : ();
    (my $json = $name) =~ s/(["\\])/\\$1/g;
    my $r = $client->ask('POST', '/', qq({"name":"$json","amount":$n,"class":"CS"}), @key);
    is($r->{status}, 201, "issued to $name");
}
tool_out('cancel', $ledger, 'CS-2', '--reason', 'a "reason"');
tool_out('authorize', $ledger, 'PS', 800000, '--reference', 'Resolution, 1');
is($client->issue('PS', 800000, 'all of it')->{status}, 201, 'issued after the resolution');


# jsonl

my $jsonl = tool_out('export', $ledger, '--format', 'jsonl');
my ($header, @entries) = map { decode_json($_) } split /^/, $jsonl;
my $inventory = $client->ask('GET', '/')->{json};
my ($company, $entries, $seal) = @$inventory{qw(company entries seal)};
like(delete $header->{created}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\z/, 'jsonl: the header has a time');
is_deeply($header, { stockcert => 2, company => $company, entries => $entries, seal => $seal }, 'jsonl: the header');
is_deeply([map { $_->{entry} } @entries], [1 .. $entries], 'jsonl: all entries');
is($entries[-1]{seal}, $seal, 'jsonl: the last seal');
is(tool_out('log', $ledger, '--json'), $jsonl =~ s/.*\n//r, 'log --json has the same lines');

my @certificates = map { $client->ask('GET', "/CS-$_")->{json} } 1 .. @odd;
is_deeply([map { [@$_{qw(entry time class number shares name seal)}] } grep { $_->{kind} eq 'issued' and $_->{class} eq 'CS' } @entries],
    [map { [@$_{qw(entry issued_at class number amount stakeholder seal)}] } @certificates], 'jsonl: certificates as the API has them');
my ($opened) = grep { $_->{kind} eq 'opened' && $_->{class} eq 'PS' } @entries;
is_deeply([sort keys %$opened], [qw(class entry kind seal shares time title)], 'jsonl: members of a class');
like($entries[0]{nonce}, qr/\A[0-9a-f]{16}\z/, 'jsonl: a nonce, in the first entry of what was decided together');
is("@$opened{qw(shares title)}", '750000 Title of PS', 'jsonl: a class');
my ($cancelled) = grep { $_->{kind} eq 'surrendered' } @entries;
is("@$cancelled{qw(class number shares type reference actor)}", qq(CS 2 2 cancel a "reason" uid:$<), 'jsonl: a cancellation');
my ($amended) = grep { $_->{kind} eq 'amended' } @entries;
is("@$amended{qw(class shares reference)}", 'PS 800000 Resolution, 1', 'jsonl: an amendment');
is(join('|', map { $_->{key} // '' } grep { $_->{kind} eq 'issued' and $_->{class} eq 'CS' } @entries),
    '|key 2 ~!||key 4 ~!||key 6 ~!||key 8 ~!', 'jsonl: keys');
is(tool_out('export', $ledger, '--format', 'jsonl', '--since', $entries - 1), (split /^/, $jsonl)[-1], 'jsonl: --since, without a header');


# csv: as RFC 4180 has it

sub fields {
    my ($text) = @_;
    my @fields;
    push @fields, defined $1 ? $1 =~ s/""/"/gr : $2 while $text =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?:,|\r\n|\z)/g;
    pop @fields;
    return @fields;
}
my @csv = split /(?<=\r\n)/, tool_out('export', $ledger, '--format', 'csv');
my $columns = 'entry,kind,time,transaction,class,number,shares,holder,title,key,nonce,type,reason,member,surrenders,issues,balance,'
    . 'corrects,request,holder_id,address,capacity,price,effective,reference,actor,seal';
is(shift @csv, "$columns\r\n", 'csv: what the columns are');
is_deeply([map { join "\t", fields($_) } @csv], [map {
    my %has = (%$_, holder => $_->{name}, transaction => $_->{member} && $_->{entry});
    join "\t", map { encode($has{$_} // '') } split /,/, $columns;
} @entries], 'csv: all entries');
is(scalar(split /^/, tool_out('export', $ledger, '--format', 'csv', '--since', $entries)), 1, 'csv: --since the last');

sub encode { my ($text) = @_; utf8::encode($text); return $text }


# to a file: whole, or not at all

tool_out('export', $ledger, '--format', 'jsonl', '-o', "$dir/out.jsonl");
is(slurp("$dir/out.jsonl"), $jsonl, '-o');
is((stat "$dir/out.jsonl")[2] & 0777, 0600, '-o: for its owner');
tool_is('-o where there is no directory', 3, qr/cannot make/, 'export', $ledger, '--format', 'jsonl', '-o', "$dir/none/x");
tool_is('no format', 2, qr/usage: /, 'export', $ledger);
tool_is('another format', 2, qr/--format takes jsonl, csv or ocf, not "xml"/, 'export', $ledger, '--format', 'xml');
tool_is('no ledger', 3, qr/there is no ledger in/, 'export', "$dir/none", '--format', 'csv');
my ($status) = tool({ out => '/dev/full' }, 'export', $ledger, '--format', 'jsonl');
is($status, 3, 'a full disk behind standard output');


# ocf: files and what is in them; what is missing is named

my @known = (qw(--formed 2020-02-29 --country US --holders INDIVIDUAL), '--class', 'CS:COMMON:1:1:0.0001:USD', '--class', 'PS:PREFERRED:0:2:1.50:EUR');
tool_is('ocf: what is missing', 2, qr/give --formed DATE --country CODE --holders INDIVIDUAL\|INSTITUTION --class CS:\.\.\. --class PS:\.\.\. /,
    'export', $ledger, '--format', 'ocf', '-o', "$dir/ocf");
tool_is('ocf: one class is missing', 2, qr/give --class PS:\.\.\. /, 'export', $ledger, '--format', 'ocf', '-o', "$dir/ocf", @known[0 .. 7]);
tool_is('ocf: no directory', 2, qr/name a new one with -o/, 'export', $ledger, '--format', 'ocf', @known);
tool_is('ocf: --since', 2, qr/give no --since/, 'export', $ledger, '--format', 'ocf', '-o', "$dir/ocf", '--since', 3, @known);
tool_is("ocf: $_->[0] $_->[1]", 2, qr/$_->[0] takes .*not "\Q$_->[1]\E"/, 'export', $ledger, '--format', 'ocf', '-o', "$dir/ocf", @known, @$_)
    for ['--formed', '2020-13-01'], ['--formed', '2025-02-31'], ['--formed', 'today'], ['--country', 'USA'], ['--country', 'us'], ['--holders', 'BANK'],
        map { ['--class', $_] } 'CS', 'CS:COMMON:1:1:0.1', 'CS:COMMON:1:1:0.1:usd', 'CS:SHARES:1:1:0.1:USD', 'CS:COMMON:x:1:0.1:USD',
            'CS:COMMON:1:1:.1:USD', 'CS:COMMON:1:1:0.12345678901:USD', 'CS:COMMON:1:1:0.1:USD:', 'CS:COMMON:1::0.1:USD';
tool_is('ocf: a class that is not there', 2, qr/the ledger has no class ZZ, which --class names/, 'export', $ledger, '--format', 'ocf', '-o', "$dir/ocf", @known,
    '--class', 'ZZ:COMMON:1:1:0.1:USD');
tool_is('ocf: a class twice', 2, qr/--class CS:\.\.\. is given twice/, 'export', $ledger, '--format', 'ocf', '-o', "$dir/ocf", @known, @known[6, 7]);
ok(!-e "$dir/ocf", 'ocf: nothing was made');

tool_out('export', $ledger, '--format', 'ocf', '-o', "$dir/ocf", @known);
my %ocf = map { $_ => decode_json(slurp("$dir/ocf/$_.ocf.json")) } qw(Manifest Stakeholders StockClasses Transactions);
is(join(' ', map { s{.*/}{}r } glob "$dir/ocf/*"), 'Manifest.ocf.json Stakeholders.ocf.json StockClasses.ocf.json Transactions.ocf.json', 'ocf: the files');
my $manifest = $ocf{Manifest};
is("@$manifest{qw(file_type ocf_version)} @{$manifest->{issuer}}{qw(object_type legal_name formation_date country_of_formation)}",
    'OCF_MANIFEST_FILE 1.2.0 ISSUER Acme Inc. 2020-02-29 US', 'ocf: the manifest');
for my $file (map { @{$manifest->{$_}} } grep { /_files\z/ } sort keys %$manifest) {
    my ($md5) = `md5sum $dir/ocf/$file->{filepath}` =~ /^(\w+)/;
    is($file->{md5}, $md5, "ocf: the digest of $file->{filepath}");
}
is_deeply($ocf{StockClasses}{items}[1], { object_type => 'STOCK_CLASS', id => 'class-PS', name => 'Title of PS', class_type => 'PREFERRED',
    default_id_prefix => 'PS-', initial_shares_authorized => '750000', votes_per_share => '0', seniority => '2' }, 'ocf: a class');
my @holders = @{$ocf{Stakeholders}{items}};
is_deeply([map { $_->{name}{legal_name} } @holders], [map({ $_->{stakeholder} } @certificates), 'all of it'], 'ocf: the holders');
my %tx;
push @{$tx{$_->{object_type}}}, $_ for @{$ocf{Transactions}{items}};
is(join(' ', map { "$_ " . @{$tx{$_}} } sort keys %tx), 'TX_STOCK_CANCELLATION 1 TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT 1 TX_STOCK_ISSUANCE 9', 'ocf: transactions');
is_deeply($tx{TX_STOCK_ISSUANCE}[2], { object_type => 'TX_STOCK_ISSUANCE', id => 'entry-5', security_id => 'CS-3', custom_id => 'CS-3',
    stakeholder_id => 'holder-CS-3', stock_class_id => 'class-CS', quantity => '3', share_price => { amount => '0.0001', currency => 'USD' },
    stock_legend_ids => [], security_law_exemptions => [], date => substr($certificates[2]{issued_at}, 0, 10),
    comments => ["seal $certificates[2]{seal}"] }, 'ocf: an issuance');
is("@{$tx{TX_STOCK_CANCELLATION}[0]}{qw(security_id quantity reason_text)}", 'CS-2 2 a "reason"', 'ocf: the cancellation');
is("@{$tx{TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT}[0]}{qw(stock_class_id new_shares_authorized)} "
    . $tx{TX_STOCK_CLASS_AUTHORIZED_SHARES_ADJUSTMENT}[0]{comments}[1], 'class-PS 800000 Resolution, 1', 'ocf: the adjustment');
my %ids;
$ids{$_->{id}}++ for @holders, @{$ocf{StockClasses}{items}}, @{$ocf{Transactions}{items}};
is_deeply([grep { $ids{$_} > 1 } keys %ids], [], 'ocf: no id is there twice');
tool_is('ocf: a directory that is there', 3, qr/not there or empty: Directory not empty/, 'export', $ledger, '--format', 'ocf', '-o', "$dir/ocf", @known);


# import: the same again

my $copy = "$dir/copy";
my $source = "$dir/out.jsonl";
is(tool_out('import', $copy, $source), "imported $entries entries into $copy\n", 'import');
is(tool_out('export', $copy, '--format', 'jsonl'), $jsonl, 'it exports the same');
like(tool_out('verify', $copy, '--expect', "$entries:$seal"), qr/^all is in order: $entries entries, 9 certificates, 8 of them outstanding, 1 transactions,/, 'and verifies');
is(join(' ', map { sprintf '%o', (stat $_)[2] & 0777 } $copy, "$copy/data.mdb"), '700 600', 'it is for its owner');
is_deeply([glob "$copy.*"], [], 'nothing else is left');

my $small = "$dir/small";
tool_out('import', $small, $source, '--size', '2m');
like(tool_out('status', $small), qr/^size +\d+ bytes, at most 2097152$/m, 'import --size');
is(tool_out('export', $small, '--format', 'jsonl'), $jsonl, 'import --size: all is there');
tool_is("import --size $_", 2, qr/--size takes bytes, such as 500m or 64g, at least 1m and at most 65536g, not "$_"/, 'import', "$dir/none", $source, '--size', $_)
    for '', 'x', 'm', '1023k', '5t', '1mm', '-1m', '65537g', '9007199254740991g', '99999999999999999999';
ok(!-e "$dir/none", 'import --size: nothing is made');

mkdir "$dir/empty";
chown +(getpwnam 'nobody')[2, 3], "$dir/empty" if $> == 0;
my @owner = (stat "$dir/empty")[4, 5];
is(tool_out({ in => $source }, 'import', "$dir/empty", '-'), "imported $entries entries into $dir/empty\n", 'import of standard input into an empty directory');
is("@{[(stat \"$dir/empty/data.mdb\")[4, 5]]} @{[(stat \"$dir/empty\")[4, 5]]}", "@owner @owner", 'whose owner it belongs to');

my $other = Stockcert->new(http => $server->{http} =~ s{ledgers/acme}{$dir/empty}r)->start;
is($other->client->issue('CS', 1, 'after import')->{json}{cert_id}, 'CS-' . (@odd + 1), 'nginx goes on with it');
is($other->client->ask('POST', '/', encode_json({ name => '=1+1', amount => 2, class => 'CS' }), 'Idempotency-Key: key 2 ~!')->{headers}{'idempotent-replayed'},
    'true', 'and knows its keys');
$other->stop;


# import: what is not all right makes nothing

sub refused {
    my ($name, $like, $text, $status) = @_;
    spew("$dir/bad.jsonl", $text);
    tool_is("import: $name", $status // 1, $like, 'import', "$dir/new", "$dir/bad.jsonl");
    is_deeply([glob "$dir/new*"], [], "import: $name: nothing is there");
}

sub changed {
    my ($name, $like, $line, $code) = @_;
    my @lines = split /^/, $jsonl;
    my $before = $lines[$line];
    $code->() for $lines[$line];
    die "$name: no change\n" if $lines[$line] eq $before;
    refused($name, $like, join '', @lines);
}

refused('an empty file', qr/nothing is imported, \S+bad\.jsonl is empty: name what "stockcert export --format jsonl" wrote/, '');
refused('no JSON', qr/line 1 of .*: is not JSON/, "entry,kind\n");
refused('no header', qr/line 1 of .*: is not the header of an export/, $jsonl =~ s/.*\n//r);
refused('a line short', qr/line @{[$entries + 1]} of .*is missing: the file ends before/, $jsonl =~ s/.*\n\z//r);
refused('cut within a line', qr/line @{[$entries + 1]} of .*does not end/, substr $jsonl, 0, -1);
refused('a line twice', qr/entry 3 cannot come after entry 3/, $jsonl =~ s/^(.*"entry":3,.*\n)/$1$1/mr);
refused('a line left out', qr/entry 4 cannot come after entry 2/, $jsonl =~ s/^.*"entry":3,.*\n//mr);
refused('a line more', qr/has more lines than its header says/, $jsonl . (split /^/, $jsonl)[-1]);
refused('a long line', qr/line 2 of .*is too long/, $jsonl =~ s/\n/"\n" . ' ' x 20000/er);
refused('a NUL byte', qr/line 4 of .*NUL byte/, $jsonl =~ s/"Salt/"\0Salt/r);
changed('another version', qr/another version's export/, 0, sub { s/"stockcert":2/"stockcert":1/ });
changed('another company', qr/line 2 of .*entry 1 has another seal/, 0, sub { s/Acme/Acne/ });
changed('another time of creation', qr/entry 1 has another seal/, 0, sub { s/\d(?=Z")/($& + 1) % 10/e });
changed('another last seal', qr/header has another last seal/, 0, sub { s/"seal":"./'"seal":"' . ($seal =~ m|^0| ? 1 : 0)/e });
changed('another amount', qr/line 4 of .*entry 3 has another seal/, 3, sub { s/"shares":1,/"shares":2,/ });
changed('another name', qr/entry 3 has another seal/, 3, sub { s/Salt/Salz/ });
changed('another key', qr/entry 4 has another seal/, 4, sub { s/key 2/key 3/ });
changed('another time', qr/entry 3 has another seal/, 3, sub { s/"time":"\d{4}/"time":"2099/ });
changed('another number', qr/the next certificate is CS-1/, 3, sub { s/"number":1/"number":2/ });
changed('another seal', qr/entry 3 has another seal/, 3, sub { s/"seal":"./'"seal":"' . ($& =~ m|0\z| ? 1 : 0)/e });
changed('a seal that is none', qr/has no valid "seal"/, 3, sub { s/"seal":"./"seal":"x/ });
changed('a time that is none', qr/has no valid "time"/, 3, sub { s/"time":"\d{4}-\d\d/"time":"2026-13/ });
changed('an unknown member', qr/has a member that is not known/, 3, sub { s/\}/,"more":1}/ });
changed('a member twice', qr/is not JSON/, 3, sub { s/\}/,"shares":1}/ });
changed('an unknown kind', qr/has no valid "kind"/, 3, sub { s/issued/sold/ });
for my $name (qw(kind time seal)) {
    changed("no $name", qr/line 4 of .*: has no "$name"/, 3, sub { s/"$name":"[^"]*",?//; s/,\}/}/ });
}
changed('no name', qr/line 4 of .*: the name must be there/, 3, sub { s/"name":"[^"]*",// });
changed('a key of a class', qr/line 2 of .*: the key must not be there/, 1, sub { s/\}/,"key":"x"}/ });
for (['balance', 'false'], ['balance', '1'], ['type', '1'], ['type', '"sale"'], ['reason', '"fire"'], ['member', '0'], ['member', '"1"'],
    ['corrects', '-1'], ['request', '"0"'], ['request', '""'], ['request', '"' . 'g' x 64 . '"'], ['request', '"' . '0' x 66 . '"'],
    ['address', '""'], ['address', '"' . 'a' x 256 . '"'], ['price', 'null'])
{
    my ($name, $value) = @$_;
    changed("$name: $value", qr/line 4 of .*: has no valid "$name"/, 3, sub { s/\}/,"$name":$value}/ });
}
changed('another nonce', qr/entry 3 has another seal/, 3, sub { s/"nonce":"./'"nonce":"' . ($& =~ m|0\z| ? 1 : 0)/e });
changed('no nonce', qr/entry 3 has another seal/, 3, sub { s/"nonce":"\w+",// });
changed('a short nonce', qr/line 4 of .*: the nonce must have 8 bytes/, 3, sub { s/"nonce":"\w\w/"nonce":"/ });
changed('too many shares', qr/has no valid "shares"/, 3, sub { s/"shares":1,/"shares":-1,/ });
changed('a key with DEL', qr/line 5 of .*: the key must be printable ASCII characters/, 4, sub { s/key 2/key\\u007f2/ });
changed('a key above ASCII', qr/line 5 of .*: the key must be printable/, 4, sub { s/key 2/k\\u00e9y 2/ });
changed('a name with a control character', qr/line 4 of .*: the name must not contain control characters/, 3, sub { s/Salt/Salt\\u0007/ });
tool_is('import: no file', 3, qr/cannot open .*No such file/, 'import', "$dir/new", "$dir/nothing.jsonl");
tool_is('import: into a ledger', 3, qr/name a directory that is not there or empty: Directory not empty/, 'import', $copy, $source);
tool_is('import: into a file', 3, qr/not there or empty: Not a directory/, 'import', $source, $source);
tool_is('import: in a directory that is not there', 3, qr/cannot make a new ledger/, 'import', "$dir/none/new", $source);


# interrupted: a signal leaves nothing, kill -9 nothing that has the name

for my $signal (qw(TERM INT HUP QUIT PIPE ALRM USR1 USR2 VTALRM PROF XCPU KILL)) {
    local $SIG{$signal} = 'DEFAULT' if $signal ne 'KILL';   # a shell's job in the background ignores some
    local $SIG{PIPE} = 'DEFAULT';
    my $fifo = "$dir/fifo";
    unlink $fifo;
    system('mkfifo', $fifo) == 0 or die;
    my ($pid) = tool_start('import', "$dir/new", $fifo);
    open my $in, '>', $fifo or die "$fifo: $!\n";
    $in->autoflush(1);
    print $in join '', (split /^/, $jsonl)[0 .. 3];
    wait_for('it is being made', sub { glob "$dir/new.*/data.mdb" });
    kill $signal => $pid;
    reap($pid);
    is((split ' ', $Config{sig_name})[$? & 127], $signal, "import: ended by $signal");
    ok(!-e "$dir/new", "import: $signal: no ledger is there");
    is_deeply([glob "$dir/new*"], [], "import: $signal: nothing is there") if $signal ne 'KILL';
    system "rm -rf $dir/new.*";
}


# one that is ignored ends nothing

{
    my $fifo = "$dir/fifo";
    unlink $fifo;
    system('mkfifo', $fifo) == 0 or die;
    my ($pid) = do { local $SIG{HUP} = 'IGNORE'; tool_start('import', "$dir/new", $fifo) };
    open my $in, '>', $fifo or die "$fifo: $!\n";
    $in->autoflush(1);
    print $in substr $jsonl, 0, 1000;
    wait_for('it is being made', sub { glob "$dir/new.*/data.mdb" });
    kill HUP => $pid;
    print $in substr $jsonl, 1000;
    close $in;
    reap($pid);
    is($?, 0, 'import: HUP is ignored, and it is done');
    system 'rm', '-rf', "$dir/new";
}


# a full disk

SKIP: {
    my $disk = Stockcert::Disk->new('200k') or skip 'no small disk: not root, or no mounts here', 4;
    my $big = "$dir/big.jsonl";
    for (1 .. 20) {
        $client->send('POST', '/', grant('CS', 1, 'x' x 240 . $_)) for 1 .. 50;
        $client->receive for 1 .. 50;
    }
    tool_out('export', $ledger, '--format', 'jsonl', '-o', $big);
    tool_is('full disk: export', 3, qr/nothing is exported: No space left/, 'export', $ledger, '--format', 'jsonl', '-o', "$disk->{dir}/x");
    tool_is('full disk: ocf', 3, qr/nothing is exported: No space left/, 'export', $ledger, '--format', 'ocf', '-o', "$disk->{dir}/x", @known);
    tool_is('full disk: import', 3, qr/nothing is imported, make room on the disk, or give a larger --size: /, 'import', "$disk->{dir}/x", $big);
    is_deeply([glob "$disk->{dir}/*"], [], 'full disk: nothing is left');
}

$server->stop;
done_testing;
