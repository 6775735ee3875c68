# The HTML pages in Chromium: see scripts/test-pages. Screenshots and PDFs stay in
# build/pages, to be looked at.

use strict;
use warnings;
use utf8;
use Cpanel::JSON::XS;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $out = $ENV{STOCKCERT_PAGES} or die "run scripts/test-pages\n";
alarm 1800;

my $legends = <<'END';
legend "The securities represented hereby have not been registered under the Securities Act of 1933 and may not be sold, transferred or assigned in the absence of an effective registration statement for these securities or an opinion of counsel that registration is not required.";
legend "The corporation will furnish without charge to each stockholder who so requests the powers, designations, preferences and rights of each class of stock.";
END
my @officers = ('officer "Ann Smith" "President";', 'officer "Robert Jones" "Secretary";');
my $clause = "Transfer of these shares is restricted by a right of first refusal of the corporation and its assignees, as its bylaws have it. ";
my %lengths = (four300 => 300, four600 => 600, four990 => 990);
my $w = 'W' x 255;
my $long = 'W' x 1000;

sub block {
    my ($name, $company, $title, $text) = @_;
    for ($company, $title) {
        s/(["\\])/\\$1/g;
        utf8::encode($_);
    }
    return qq[stockcert_ledger $name { path ledgers/$name; size 64m; company "$company"; class CS 9007199254740991 "$title";
        class PS 750000 "Preferred Stock"; $text }\n];
}

my $server = Stockcert->new(
    http => block('acme', 'Impossible Cuts Inc.', 'Common Stock', qq{incorporated "the State of Delaware"; par CS "par value \$0.0001 each"; @officers $legends})
        . block('draft', 'Draft Inc.', 'Common Stock', $officers[0])
        . block('wide', $w, $w, qq{incorporated "$w"; par CS "$w"; officer "$w" "$w"; officer "$w" "$w"; } . qq{legend "$long"; } x 4)
        . block('bare', 'Bare Inc.', 'Common Stock', "@officers")
        . block('one', 'Impossible Cuts Inc.', 'Common Stock', "@officers legend \"" . substr($clause x 9, 0, 990) . '";')
        . block('rows', 'Rows Inc.', 'Common Stock', '')
        . join('', map { block($_, 'Impossible Cuts Inc.', 'Common Stock', "@officers" . (' legend "' . substr($clause x 9, 0, $lengths{$_}) . '";') x 4) } sort keys %lengths)
        . block('hostile', '<script>alert(1)</script> & "Söhne"', "Title' <b>bold</b>", "@officers"),
    location => join '', map { "location /$_/ { stockcert $_; }\n" } (qw(acme draft wide bare one rows hostile), sort keys %lengths),
)->start;
my $client = $server->client;

sub issue {
    my ($ledger, $amount, $name) = @_;
    my $r = $client->ask('POST', "/$ledger/", encode_json({ name => $name, amount => $amount, class => 'CS' }));
    is($r->{status}, 201, "issued in $ledger") or diag($r->{body});
    return $r->{json}{cert_id};
}

my @names = (
    'Salt Bae', '<script>alert("x")</script>', q{"double" & 'single' `quotes`}, 'شركة القطع المستحيلة ذ.م.م',
    "\x{5d7}\x{5d1}\x{5e8}\x{5d4} abc 12 \x{5d1}\x{5e2}\"\x{5de}", 'Z' . "\x{0310}\x{0311}\x{0312}\x{0334}" x 20 . 'algo', 'n' x 255, '株式会社' x 20, '🦄' x 60, 'W' x 255,
);
my @ids = map { issue('acme', 1, $_) } @names;
issue('acme', 3, 'Jane Doe') for 1 .. 25;
my ($status) = tool('cancel', "$server->{dir}/ledgers/acme", 'CS-1', '--reason', 'surrendered for transfer');
is($status, 0, 'one is cancelled');
issue('draft', 2599990, 'Salt Bae');
issue('wide', 9007199254740991, $w);
issue('hostile', 10, '</p><h1>&amp;');
issue($_, 2599990, 'Salt Bae') for 'bare', 'one', sort keys %lengths;
issue('rows', 9007199254740, "first$_ " . 'and the survivors of them, as joint tenants ' x 5 . "last$_") for 101 .. 160;
($status) = tool('cancel', "$server->{dir}/ledgers/wide", 'CS-1', '--reason', $w);
is($status, 0, 'another one is cancelled');

my $base = "http://127.0.0.1:$server->{port}";
my @pages = (
    (map { { name => "acme-$ids[$_]", url => "$base/acme/$ids[$_].html", paper => 1, holder => $names[$_] } } 0 .. $#names),
    { name => 'draft', url => "$base/draft/CS-1", paper => 1 },
    { name => 'wide', url => "$base/wide/CS-1", paper => 3, holder => $w },
    { name => 'bare', url => "$base/bare/CS-1", paper => 1, holder => 'Salt Bae' },
    { name => 'one', url => "$base/one/CS-1", paper => 1, holder => 'Salt Bae' },
    { name => 'four300', url => "$base/four300/CS-1", paper => 1, holder => 'Salt Bae' },
    { name => 'four600', url => "$base/four600/CS-1", paper => 2, holder => 'Salt Bae' },
    { name => 'four990', url => "$base/four990/CS-1", paper => 2, holder => 'Salt Bae' },
    { name => 'hostile', url => "$base/hostile/CS-1", paper => 1, holder => '</p><h1>&amp;' },
    { name => 'book', url => "$base/acme/" },
    { name => 'list', url => "$base/acme/CS?after=5&limit=10" },
    { name => 'rows', url => "$base/rows/CS" },
    { name => 'all', url => "$base/rows/CS.html" },
    { name => 'problem', url => "$base/acme/CS-99", status => 404 },
    { name => 'book-wide', url => "$base/wide/" },
    { name => 'book-hostile', url => "$base/hostile/" },
);

spew("$out/job.json", encode_json({ chromium => '/usr/bin/chromium', out => $out, pages => \@pages }));
is(system("node $out/pages.js <$out/job.json"), 0, 'Chromium opens the pages') or BAIL_OUT('no results');
my $results = decode_json(slurp("$out/results.json"));

for my $page (@pages) {
    my $result = $results->{$page->{name}};
    for my $screen (qw(desktop phone), $page->{paper} ? () : 'dark') {
        my $r = $result->{$screen};
        my $what = "$page->{name}, $screen";
        is($r->{status}, $page->{status} // 200, "$what: it is there");
        is_deeply($r->{errors}, [], "$what: no error, and nothing else is asked for");
        is_deeply($r->{layout}, [], "$what: all is in its place");
        is_deeply($r->{violations}, [], "$what: axe finds nothing");
        is($r->{elements}, 0, "$what: no script, image or inline style");
        like($r->{text}, qr/\Q$page->{holder}\E/, "$what: the holder is there as a text") if $page->{holder};
    }

    for my $format ('A4', 'Letter') {
        my $what = "$page->{name}, $format";
        my $pdf = "$out/$page->{name}-$format.pdf";
        is_deeply($result->{lc $format}, [], "$what: all is in its place");
        my @sheets = split /\f/, `pdftotext -layout '$pdf' -`;
        utf8::decode($_) for @sheets;
        $page->{paper} ? paper($page, $format, $pdf, $what, @sheets) : book($what, @sheets);
    }
    next if !$page->{paper};
    my $url = $page->{url} =~ s/\.html\z//r;
    is(scalar `zbarimg -q --raw '$out/$page->{name}-desktop.png' 2>/dev/null`, "$url\n", "$page->{name}: the QR code is read from the screen");
}

# a certificate: as many sheets as are said, in the middle, each with its number, class and holder

sub paper {
    my ($page, $format, $pdf, $what, @sheets) = @_;
    is(scalar @sheets, $page->{paper}, "$what: sheets");
    my ($width, $height) = `pdfinfo '$pdf'` =~ /^Page size:\s+([\d.]+) x ([\d.]+)/m;
    my @size = $format eq 'A4' ? (842, 595) : (792, 612);
    ok(abs($width - $size[0]) < 2 && abs($height - $size[1]) < 2, "$what: landscape") or diag("$width x $height");
    (my $base = $pdf) =~ s/\.pdf\z//;
    unlink glob "$base-*.png";
    for my $n (1 .. @sheets) {
        system 'pdftoppm', '-r', '150', '-png', '-singlefile', '-f', $n, $pdf, $n == 1 ? $base : "$base-$n";
        my ($top, $bottom) = margins($pdf, $n);
        ok(abs($top - $bottom) <= 2, "$what: sheet $n is in the middle") or diag("$top mm above, $bottom below");
        next if @sheets == 1;
        like($sheets[$n - 1], qr/CS-1\b.*Page $n of @{[ scalar @sheets ]}/, "$what: sheet $n has its number");
        is($sheets[$n - 1] =~ /Common Stock.*\Q$page->{holder}\E/s || $sheets[$n - 1] =~ tr/W// >= 3 * 255, 1, "$what: sheet $n has the class and the holder");
    }
    my $url = $page->{url} =~ s/\.html\z//r;
    is(scalar `zbarimg -q --raw '$base.png' 2>/dev/null`, "$url\n", "$what: the QR code is read from the paper");
    if (my $bytes = $lengths{$page->{name}}) {
        my $legend = substr($clause x 9, 0, $bytes) =~ s/\s//gr;
        my $found = () = join('', @sheets) =~ s/\s//gr =~ /\Q$legend\E/g;
        is($found, 4, "$what: all the legends");
    }
}

# millimetres of white above and below what is printed on a sheet

sub margins {
    my ($pdf, $n) = @_;
    my (undef, $wide, $high, $pixels) = `pdftoppm -gray -r 100 -f $n -l $n '$pdf'` =~ /\A(P5)\s(\d+)\s(\d+)\s255\s(.*)\z/s;
    my @dark = grep { substr($pixels, $_ * $wide, $wide) =~ /[\x00-\xc0]/ } 0 .. $high - 1;
    return map { $_ * 25.4 / 100 } $dark[0], $high - 1 - $dark[-1];
}

# a stock book: heads on each page where there are rows, and rows whole

sub book {
    my ($what, @sheets) = @_;
    for my $n (1 .. @sheets) {
        my $sheet = $sheets[$n - 1];
        like($sheet, qr/Number\s+Holder\s+Shares\s+Issued\s+Outstanding until/, "$what: sheet $n has heads") if $sheet =~ /CS-\d+\s/;
        is(join(' ', $sheet =~ /first(\d+)/g), join(' ', $sheet =~ /last(\d+)/g), "$what: sheet $n has whole rows");
    }
    cmp_ok(scalar @sheets, '>', 2, "$what: several sheets") if $what =~ /^(?:rows|all)/;
}

my $text = sub { $results->{$_[0]}{desktop}{text} };
like($text->('acme-CS-2'), qr/Number CS-2.*1 Share\n.*one \(1\) share of/s, 'one share');
unlike($text->('acme-CS-2'), qr/DRAFT|CANCELLED/, 'neither a draft nor cancelled');
like($text->('acme-CS-1'), qr/Cancelled on \d+ \w+ \d{4}: surrendered for transfer/, 'a cancelled one says so');
like(slurp("$out/results.json"), qr/CANCELLED/, 'and is overprinted');
like($text->('draft'), qr/two million five hundred ninety-nine thousand nine hundred ninety \(2,599,990\) shares/, 'shares in words and figures');
like($text->('draft'), qr/DRAFT/, 'with one officer it is a draft');
like($text->('acme-CS-2'), qr/Incorporated under the laws of the State of Delaware.*par value \$0\.0001 each.*Ann Smith\s+President.*Robert Jones\s+Secretary/s, 'what the law asks for');
like($text->('book'), qr/35 certificates.*CS-35.*CS-16/s, 'the book has the latest certificates');
unlike($text->('book'), qr/CS-15\b/, 'and no more');
like($text->('list'), qr/CS-6\b.*CS-15\b.*Earlier\s+Later/s, 'a page of a list');
diag(sprintf '%d pages; pictures are in %s', scalar @pages, $out);

done_testing;
