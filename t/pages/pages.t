# The HTML pages in Chromium: see scripts/test-pages. Screenshots and PDFs stay in
# build/pages, to be looked at.

use strict;
use warnings;
use utf8;
use JSON::PP;
use Test::More;
use Stockcert;
use Stockcert::Tool;

my $out = $ENV{STOCKCERT_PAGES} or die "run scripts/test-pages\n";
alarm 900;

my $legends = <<'END';
legend "The securities represented hereby have not been registered under the Securities Act of 1933 and may not be sold, transferred or assigned in the absence of an effective registration statement for these securities or an opinion of counsel that registration is not required.";
legend "The corporation will furnish without charge to each stockholder who so requests the powers, designations, preferences and rights of each class of stock.";
END
my @officers = ('officer "Ann Smith" "President";', 'officer "Robert Jones" "Secretary";');
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
        . block('hostile', '<script>alert(1)</script> & "Söhne"', "Title' <b>bold</b>", "@officers"),
    location => join '', map { "location /$_/ { stockcert $_; }\n" } qw(acme draft wide hostile),
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
    "abc \x{200f}txt.exe", 'Z' . "\x{0310}\x{0311}\x{0312}\x{0334}" x 20 . 'algo', 'n' x 255, '株式会社' x 20, '🦄' x 60, 'W' x 255,
);
my @ids = map { issue('acme', 1, $_) } @names;
issue('acme', 3, 'Jane Doe') for 1 .. 25;
my ($status) = tool('cancel', "$server->{dir}/ledgers/acme", 'CS-1', '--reason', 'surrendered for transfer');
is($status, 0, 'one is cancelled');
issue('draft', 2599990, 'Salt Bae');
issue('wide', 9007199254740991, $w);
issue('hostile', 10, '</p><h1>&amp;');
($status) = tool('cancel', "$server->{dir}/ledgers/wide", 'CS-1', '--reason', $w);
is($status, 0, 'another one is cancelled');

my $base = "http://127.0.0.1:$server->{port}";
my @pages = (
    (map { { name => "acme-$ids[$_]", url => "$base/acme/$ids[$_].html", paper => 1, holder => $names[$_] } } 0 .. $#names),
    { name => 'draft', url => "$base/draft/CS-1", paper => 1 },
    { name => 'wide', url => "$base/wide/CS-1", paper => 1 },
    { name => 'hostile', url => "$base/hostile/CS-1", paper => 1, holder => '</p><h1>&amp;' },
    { name => 'book', url => "$base/acme/" },
    { name => 'list', url => "$base/acme/CS?after=5&limit=10" },
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
        is($r->{status}, 200, "$what: it is there");
        is_deeply($r->{errors}, [], "$what: no error, and nothing else is asked for");
        is_deeply($r->{layout}, [], "$what: all is in its place");
        is_deeply($r->{violations}, [], "$what: axe finds nothing");
        is($r->{elements}, 0, "$what: no script, image or inline style");
        like($r->{text}, qr/\Q$page->{holder}\E/, "$what: the holder is there as a text") if $page->{holder};
    }
    next if !$page->{paper};

    for my $format (qw(a4 letter)) {
        is_deeply($result->{$format}, [], "$page->{name}, $format: all is in its place");
        my $pdf = "$out/$page->{name}-" . ($format eq 'a4' ? 'A4' : 'Letter') . '.pdf';
        my $info = `pdfinfo '$pdf'`;
        like($info, qr/^Pages:\s+1$/m, "$page->{name}, $format: one page");
        my ($width, $height) = $info =~ /^Page size:\s+([\d.]+) x ([\d.]+)/m;
        my @size = $format eq 'a4' ? (842, 595) : (792, 612);
        ok(abs($width - $size[0]) < 2 && abs($height - $size[1]) < 2, "$page->{name}, $format: landscape") or diag("$width x $height");
        system 'pdftoppm', '-r', '150', '-png', '-singlefile', $pdf, $pdf =~ s/\.pdf\z//r;
        my $url = $page->{url} =~ s/\.html\z//r;
        (my $png = $pdf) =~ s/pdf\z/png/;
        is(scalar `zbarimg -q --raw '$png' 2>/dev/null`, "$url\n", "$page->{name}, $format: the QR code is read from the paper");
    }
    my $url = $page->{url} =~ s/\.html\z//r;
    is(scalar `zbarimg -q --raw '$out/$page->{name}-desktop.png' 2>/dev/null`, "$url\n", "$page->{name}: the QR code is read from the screen");
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
