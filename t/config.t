# Configuration: nginx refuses each mistake, and says what it is and where.

use Stockcert::Blocks;
use Test::Nginx::Socket 'no_plan';

# What a block does not say is right.

our $dir = default_sections(
    http_config => <<'END',
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGERS/acme;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
    }
END
    config       => "location / { stockcert acme; }\n",
    must_die     => '',
    more_headers => undef,
    no_error_log => undef,
);

mkdir "$dir/there" or die "mkdir $dir/there: $!";
mkdir "$dir/there/acme" or die "mkdir $dir/there/acme: $!";
symlink 'there', "$dir/link" or die "symlink $dir/link: $!";
symlink 'acme', "$dir/there/link" or die "symlink $dir/there/link: $!";

# A ledger with other directives than usual.

sub ledger {
    my ($lines, $name) = @_;

    $name = 'acme' if !defined $name;
    return "stockcert_ledger $name {\n$lines}\n";
}

our $path    = "path \$TEST_NGINX_LEDGERS/acme;\n";
our $company = qq(company "Impossible Cuts Inc.";\n);
our $class   = qq(class CS 2600000 "Common Stock";\n);

# The whole of a message: in the configuration file, on some line.

sub emerg {
    my ($message, $file) = @_;

    $file = 'conf/nginx.conf:\d+' if !defined $file;
    return qr/\[emerg\] [\d#]+: \Q$message\E in \S+\/$file$/;
}

no_root_location();
no_long_string();
run_tests();

my @left = grep { !m{/(?:there|link|file)$} } glob "$dir/* $dir/there/acme/*";
is("@left", '', 'no ledger was made');

__DATA__

=== a name that no ledger has
--- config
    location / { stockcert acne; }
--- error_log eval
::emerg('unknown stockcert ledger "acne"')



=== a name that no ledger has, with file and line
--- config
    include $TEST_NGINX_SERVER_ROOT/html/location.conf;
--- user_files
>>> location.conf
location / { stockcert acme; }

location /b/ {
    stockcert
        "beta";
}
--- error_log eval
::emerg('unknown stockcert ledger "beta"', 'location\.conf:5')



=== a name that differs in its case, is longer, is shorter
--- http_config eval
::ledger("$::path$::company$::class", 'Acme')
. ::ledger("path \$TEST_NGINX_LEDGERS/2;\n$::company$::class", 'acme2')
. ::ledger("path \$TEST_NGINX_LEDGERS/3;\n$::company$::class", 'acm')
--- error_log eval
::emerg('unknown stockcert ledger "acme"')



=== stockcert without a name, no ledger
--- http_config
--- config
    location / { stockcert; }
--- error_log eval
::emerg('"stockcert" has no ledger: declare one with "stockcert_ledger" in the http block,')



=== stockcert without a name, two ledgers
--- http_config eval
::ledger("$::path$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/2;\n$::company$::class", 'two')
--- config
    location / { stockcert; }
--- error_log eval
::emerg('"stockcert" must name its ledger, as there are 2,')



=== stockcert with an empty name
--- config
    location / { stockcert ""; }
--- error_log eval
::emerg('"stockcert" directive must name a ledger')



=== stockcert with two names
--- config
    location / { stockcert acme acme; }
--- error_log eval
::emerg('invalid number of arguments in "stockcert" directive')



=== stockcert twice in one location
--- config
    location / {
        stockcert acme;
        stockcert acme;
    }
--- error_log eval
::emerg('"stockcert" directive is duplicate')



=== stockcert in a location given by a regular expression
--- config
    location ~ ^/acme/ { stockcert acme; }
--- error_log eval
::emerg('"stockcert" directive cannot be used in a location given by regular expression, or '
        . 'inside named location')



=== stockcert in a location given by a regular expression within another
--- config
    location /acme/ {
        stockcert acme;
        location ~* CS { stockcert acme; }
    }
--- error_log eval
::emerg('"stockcert" directive cannot be used in a location given by regular expression, or '
        . 'inside named location')



=== stockcert in a named location
--- config
    location @acme { stockcert acme; }
--- error_log eval
::emerg('"stockcert" directive cannot be used in a location given by regular expression, or '
        . 'inside named location')



=== stockcert in a server
--- config
    stockcert acme;
--- error_log eval
::emerg('"stockcert" directive is not allowed here')



=== stockcert in http
--- http_config eval
::ledger("$::path$::company$::class") . 'stockcert acme;'
--- error_log eval
::emerg('"stockcert" directive is not allowed here')



=== stockcert in "if"
--- config
    location / {
        if ($arg_x) { stockcert acme; }
    }
--- error_log eval
::emerg('"stockcert" directive is not allowed here')



=== stockcert in limit_except
--- config
    location / {
        limit_except GET { stockcert acme; }
    }
--- error_log eval
::emerg('"stockcert" directive is not allowed here')



=== stockcert before another directive that answers
--- config
    location /   { proxy_pass http://127.0.0.1:1; }
    location /a/ {
        stockcert acme;
        proxy_pass http://127.0.0.1:1;
    }
--- error_log eval
::emerg('"stockcert" conflicts with another directive in its location that answers requests ("proxy_pass" or the like)')



=== stockcert after another directive that answers
--- config
    location / {
        empty_gif;
        stockcert acme;
    }
--- error_log eval
::emerg('"stockcert" directive conflicts with another directive in its location that answers requests ("proxy_pass" or the like)')



=== stockcert before another one that answers, in a location within another
--- config
    location / {
        stockcert acme;
        location /a/ {
            stockcert acme;
            fastcgi_pass 127.0.0.1:1;
        }
    }
--- error_log eval
::emerg('"stockcert" conflicts with another directive in its location that answers requests ("proxy_pass" or the like)')



=== stockcert_status twice
--- config
    location / { stockcert_status; stockcert_status; }
--- error_log eval
::emerg('"stockcert_status" directive is duplicate')



=== stockcert_status after stockcert
--- config
    location / { stockcert acme; stockcert_status; }
--- error_log eval
::emerg('"stockcert_status" directive conflicts with another directive in its location that answers requests ("proxy_pass" or the like)')



=== stockcert after stockcert_health
--- config
    location / { stockcert_health; stockcert acme; }
--- error_log eval
::emerg('"stockcert" directive conflicts with another directive in its location that answers requests ("proxy_pass" or the like)')



=== stockcert_health before another directive that answers
--- config
    location / { stockcert_health; proxy_pass http://127.0.0.1:1; }
--- error_log eval
::emerg('"stockcert_health" conflicts with another directive in its location that answers requests ("proxy_pass" or the like)')



=== stockcert_health in a server
--- config
    stockcert_health;
--- error_log eval
::emerg('"stockcert_health" directive is not allowed here')



=== stockcert_status with an argument
--- config
    location / { stockcert_status acme; }
--- error_log eval
::emerg('invalid number of arguments in "stockcert_status" directive')



=== stockcert_ledger in a server
--- http_config
--- config eval
::ledger("$::path$::company$::class")
--- error_log eval
::emerg('"stockcert_ledger" directive is not allowed here')



=== stockcert_ledger without a name
--- http_config eval
::ledger("$::path$::company$::class", '')
--- error_log eval
::emerg('invalid number of arguments in "stockcert_ledger" directive')



=== stockcert_ledger with two names
--- http_config eval
::ledger("$::path$::company$::class", 'acme two')
--- error_log eval
::emerg('invalid number of arguments in "stockcert_ledger" directive')



=== stockcert_ledger without a block
--- http_config
    stockcert_ledger acme;
--- error_log eval
::emerg('directive "stockcert_ledger" has no opening "{"')



=== stockcert_ledger without an end
--- http_config
    include $TEST_NGINX_SERVER_ROOT/html/ledger.conf;
--- user_files eval
[['ledger.conf' => "stockcert_ledger acme {\n$::company$::class"]]
--- error_log eval
::emerg('unexpected end of file, expecting "}"', 'ledger\.conf:\d+')



=== two ledgers of one name
--- http_config eval
::ledger("$::path$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/2;\n$::company$::class")
--- error_log eval
::emerg('duplicate stockcert ledger "acme"')



=== two ledgers with one path
--- http_config eval
::ledger("$::path$::company$::class") . ::ledger("$::path$::company$::class", 'two')
--- error_log eval
::emerg(qq(stockcert ledgers "acme" and "two" have the same path "$::dir/acme"))



=== two ledgers with one path, spelled with repeated slashes
--- http_config eval
::ledger("$::path$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS///acme//;\n$::company$::class", 'two')
--- error_log eval
::emerg(qq(stockcert ledgers "acme" and "two" have the same path "$::dir/acme"))



=== two ledgers with one path, spelled with dots
--- http_config eval
::ledger("path \$TEST_NGINX_LEDGERS/././/./acme/.;\n$::company$::class")
. ::ledger("$::path$::company$::class", 'two')
--- error_log eval
::emerg(qq(stockcert ledgers "acme" and "two" have the same path "$::dir/acme"))



=== two ledgers with one path, spelled with two dots, that is not there yet
--- http_config eval
::ledger("path \$TEST_NGINX_LEDGERS/there/../acme;\n$::company$::class")
. ::ledger("$::path$::company$::class", 'two')
--- error_log eval
::emerg(qq(stockcert ledgers "acme" and "two" have the same path "$::dir/acme"))



=== two ledgers with one path that is there, spelled with two dots
--- http_config eval
::ledger("path \$TEST_NGINX_LEDGERS/there/../there/acme;\n$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/there/acme;\n$::company$::class", 'two')
--- error_log eval
::emerg(qq(stockcert ledgers "acme" and "two" have the same path "$::dir/there/acme"))



=== two ledgers with one path through a symbolic link
--- http_config eval
::ledger("path \$TEST_NGINX_LEDGERS/there/acme;\n$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/there/link;\n$::company$::class", 'two')
--- error_log eval
::emerg(qq(stockcert ledgers "acme" and "two" have the same path "$::dir/there/acme"))



=== two ledgers with one path below a symbolic link, that is not there yet
--- http_config eval
::ledger("path \$TEST_NGINX_LEDGERS/there/new;\n$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/link/new;\n$::company$::class", 'two')
--- error_log eval
::emerg(qq(stockcert ledgers "acme" and "two" have the same path "$::dir/there/new"))



=== two ledgers with one path, the first of three
--- http_config eval
::ledger("$::path$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/2;\n$::company$::class", 'two')
. ::ledger("$::path$::company$::class", 'three')
--- error_log eval
::emerg(qq(stockcert ledgers "acme" and "three" have the same path "$::dir/acme"))



=== a ledger in another's directory
--- http_config eval
::ledger("$::path$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/acme/sub/two;\n$::company$::class", 'two')
--- error_log eval
::emerg(qq(the path "$::dir/acme/sub/two" of stockcert ledger "two" is in the directory of "acme", "$::dir/acme": give it one of its own))



=== a ledger around another's directory
--- http_config eval
::ledger("path \$TEST_NGINX_LEDGERS/there/acme;\n$::company$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/there/;\n$::company$::class", 'two')
--- error_log eval
::emerg(qq(the path "$::dir/there/acme" of stockcert ledger "acme" is in the directory of "two", "$::dir/there": give it one of its own))



=== a ledger in another's directory, which is all
--- http_config eval
::ledger("path /;\ncreate off;\n$::company$::class") . ::ledger("$::path$::company$::class", 'two')
--- error_log eval
::emerg(qq(the path "$::dir/acme" of stockcert ledger "two" is in the directory of "acme", "/": give it one of its own))



=== no path
--- http_config eval
::ledger("$::company$::class")
--- error_log eval
::emerg('no "path" is defined in stockcert ledger "acme"')



=== no company
--- http_config eval
::ledger("$::path$::class")
--- error_log eval
::emerg('no "company" is defined in stockcert ledger "acme"')



=== no class
--- http_config eval
::ledger("$::path$::company")
--- error_log eval
::emerg('no "class" is defined in stockcert ledger "acme"')



=== nothing at all, with file and line
--- http_config
    include $TEST_NGINX_SERVER_ROOT/html/ledger.conf;
--- user_files
>>> ledger.conf

stockcert_ledger acme {

}
--- error_log eval
::emerg('no "path" is defined in stockcert ledger "acme"', 'ledger\.conf:4')



=== path twice
--- http_config eval
::ledger("$::path$::path$::company$::class")
--- error_log eval
::emerg('"path" directive is duplicate')



=== size twice
--- http_config eval
::ledger("$::path${main::company}size 1m;\nsize 1m;\n$::class")
--- error_log eval
::emerg('"size" directive is duplicate')



=== company twice
--- http_config eval
::ledger("$::path$::company$::company$::class")
--- error_log eval
::emerg('"company" directive is duplicate')



=== a class twice
--- http_config eval
::ledger(qq($::path$::company${main::class}class PS 1 "x";\nclass CS 2600000 "Common Stock";\n))
--- error_log eval
::emerg('duplicate class "CS"')



=== path without a value
--- http_config eval
::ledger("path;\n$::company$::class")
--- error_log eval
::emerg('invalid number of arguments in "path" directive')



=== path with two values
--- http_config eval
::ledger("path a b;\n$::company$::class")
--- error_log eval
::emerg('invalid number of arguments in "path" directive')



=== path empty
--- http_config eval
::ledger(qq(path "";\n$::company$::class))
--- error_log eval
::emerg('invalid path "": must not be empty')



=== path with a variable, which would be none
--- http_config eval
::ledger("path \$TEST_NGINX_LEDGERS/\$host;\n$::company$::class")
--- error_log eval
qr/\[emerg\] [\d#]+: invalid path "[^"]*\/\$host": must not have "\$", as variables have no values here in /



=== path is a file
--- http_config eval
::ledger("path \$TEST_NGINX_LEDGERS/file/;\n$::company$::class")
--- user_files eval
[["$::dir/file" => "not a directory\n"]]
--- error_log eval
::emerg(qq(invalid path "$::dir/file": must be a directory))



=== size without a value
--- http_config eval
::ledger("$::path${main::company}size;\n$::class")
--- error_log eval
::emerg('invalid number of arguments in "size" directive')



=== size with two values
--- http_config eval
::ledger("$::path${main::company}size 1 m;\n$::class")
--- error_log eval
::emerg('invalid number of arguments in "size" directive')



=== size not a size
--- http_config eval
::ledger("$::path${main::company}size 1x;\n$::class")
--- error_log eval
::emerg('invalid size "1x": must be a number of bytes, at least 1m, such as 64g')



=== size empty
--- http_config eval
::ledger(qq($::path${main::company}size "";\n$::class))
--- error_log eval
::emerg('invalid size "": must be a number of bytes, at least 1m, such as 64g')



=== size negative
--- http_config eval
::ledger("$::path${main::company}size -1m;\n$::class")
--- error_log eval
::emerg('invalid size "-1m": must be a number of bytes, at least 1m, such as 64g')



=== size 0, which is not to be taken for no size
--- http_config eval
::ledger("$::path${main::company}size 0;\nsize 0;\n$::class")
--- error_log eval
::emerg('invalid size "0": must be a number of bytes, at least 1m, such as 64g')



=== size too small by one
--- http_config eval
::ledger("$::path${main::company}size 1048575;\n$::class")
--- error_log eval
::emerg('invalid size "1048575": must be a number of bytes, at least 1m, such as 64g')



=== size too small, with its unit
--- http_config eval
::ledger("$::path${main::company}size 1023k;\n$::class")
--- error_log eval
::emerg('invalid size "1023k": must be a number of bytes, at least 1m, such as 64g')



=== size too large for a number
--- http_config eval
::ledger("$::path${main::company}size 9999999999999999999g;\n$::class")
--- error_log eval
::emerg('invalid size "9999999999999999999g": must be a number of bytes, at least 1m, such as 64g')



=== size larger than any address space
--- http_config eval
::ledger("$::path${main::company}size 999999g;\n$::class")
--- error_log eval
qr/\[emerg\] [\d#]+: stockcert ledger "acme" needs 1073740750258176 bytes of address space, which cannot be had: make its "size" smaller, or the limit larger \(ulimit -v, LimitAS= of systemd\): mmap\(\) failed \(12: [^)]+\)/



=== sizes that are too large together
--- http_config eval
::ledger("$::path${main::company}size 60000g;\n$::class")
. ::ledger("path \$TEST_NGINX_LEDGERS/2;\nsize 60000g;\n$::company$::class", 'two')
--- error_log
stockcert ledger "two" needs 64424509440000 bytes of address space, which cannot be had



=== company without a value
--- http_config eval
::ledger("${main::path}company;\n$::class")
--- error_log eval
::emerg('invalid number of arguments in "company" directive')



=== company without quotes
--- http_config eval
::ledger("${main::path}company Impossible Cuts;\n$::class")
--- error_log eval
::emerg('invalid number of arguments in "company" directive')



=== company empty
--- http_config eval
::ledger(qq(${main::path}company "";\n$::class))
--- error_log eval
::emerg('invalid company "": must not be empty')



=== company blank
--- http_config eval
::ledger(qq(${main::path}company " \xc2\xa0";\n$::class))
--- error_log eval
::emerg(qq(invalid company " \xc2\xa0": must not be only white space))



=== company with a control character
--- http_config eval
::ledger(qq(${main::path}company "Impossible\x01Cuts";\n$::class))
--- error_log eval
::emerg(qq(invalid company "Impossible\x01Cuts": must not contain control characters))



=== company with a tab, escaped
--- http_config eval
::ledger(qq(${main::path}company "Impossible\\tCuts";\n$::class))
--- error_log eval
::emerg(qq(invalid company "Impossible\tCuts": must not contain control characters))



=== company not UTF-8
--- http_config eval
::ledger(qq(${main::path}company "Impossible\xffCuts";\n$::class))
--- error_log eval
::emerg(qq(invalid company "Impossible\xffCuts": must be valid UTF-8))



=== company too long
--- http_config eval
::ledger("${main::path}company " . 'x' x 256 . ";\n$::class")
--- error_log eval
::emerg('invalid company "' . 'x' x 256 . '": must have at most 255 bytes in UTF-8')



=== class without a value
--- http_config eval
::ledger("$::path${main::company}class;\n")
--- error_log eval
::emerg('invalid number of arguments in "class" directive')



=== class without a title
--- http_config eval
::ledger("$::path${main::company}class CS 2600000;\n")
--- error_log eval
::emerg('invalid number of arguments in "class" directive')



=== class with a title without quotes
--- http_config eval
::ledger("$::path${main::company}class CS 2600000 Common Stock;\n")
--- error_log eval
::emerg('invalid number of arguments in "class" directive')



=== class code in lower case
--- http_config eval
::ledger(qq($::path${main::company}class cs 1 "Common Stock";\n))
--- error_log eval
::emerg('invalid class code "cs": must be 1 to 8 of A-Z and 0-9, a letter first')



=== class code empty
--- http_config eval
::ledger(qq($::path${main::company}class "" 1 "Common Stock";\n))
--- error_log eval
::emerg('invalid class code "": must be 1 to 8 of A-Z and 0-9, a letter first')



=== class code with a digit first
--- http_config eval
::ledger(qq($::path${main::company}class 1A 1 "Common Stock";\n))
--- error_log eval
::emerg('invalid class code "1A": must be 1 to 8 of A-Z and 0-9, a letter first')



=== class code with a dash
--- http_config eval
::ledger(qq($::path${main::company}class CS-A 1 "Common Stock";\n))
--- error_log eval
::emerg('invalid class code "CS-A": must be 1 to 8 of A-Z and 0-9, a letter first')



=== class code too long
--- http_config eval
::ledger(qq($::path${main::company}class ABCDEFGHI 1 "Common Stock";\n))
--- error_log eval
::emerg('invalid class code "ABCDEFGHI": must be 1 to 8 of A-Z and 0-9, a letter first')



=== class with no shares
--- http_config eval
::ledger(qq($::path${main::company}class CS 0 "Common Stock";\n))
--- error_log eval
::emerg('invalid number of shares "0": must be 1 to 9007199254740991')



=== class with a negative number of shares
--- http_config eval
::ledger(qq($::path${main::company}class CS -1 "Common Stock";\n))
--- error_log eval
::emerg('invalid number of shares "-1": must be 1 to 9007199254740991')



=== class with a number of shares that is none
--- http_config eval
::ledger(qq($::path${main::company}class CS 1x "Common Stock";\n))
--- error_log eval
::emerg('invalid number of shares "1x": must be 1 to 9007199254740991')



=== class with a number of shares with a unit
--- http_config eval
::ledger(qq($::path${main::company}class CS 1m "Common Stock";\n))
--- error_log eval
::emerg('invalid number of shares "1m": must be 1 to 9007199254740991')



=== class with commas in its number of shares
--- http_config eval
::ledger(qq($::path${main::company}class CS 2,600,000 "Common Stock";\n))
--- error_log eval
::emerg('invalid number of shares "2,600,000": must be 1 to 9007199254740991')



=== class with an empty number of shares
--- http_config eval
::ledger(qq($::path${main::company}class CS "" "Common Stock";\n))
--- error_log eval
::emerg('invalid number of shares "": must be 1 to 9007199254740991')



=== class with 2^53 shares
--- http_config eval
::ledger(qq($::path${main::company}class CS 9007199254740992 "Common Stock";\n))
--- error_log eval
::emerg('invalid number of shares "9007199254740992": must be 1 to 9007199254740991')



=== class with more shares than any number
--- http_config eval
::ledger(qq($::path${main::company}class CS 18446744073709551617 "Common Stock";\n))
--- error_log eval
::emerg('invalid number of shares "18446744073709551617": must be 1 to 9007199254740991')



=== class title empty
--- http_config eval
::ledger(qq($::path${main::company}class CS 1 "";\n))
--- error_log eval
::emerg('invalid class title "": must not be empty')



=== class title with a control character
--- http_config eval
::ledger(qq($::path${main::company}class CS 1 "Common\x7fStock";\n))
--- error_log eval
::emerg(qq(invalid class title "Common\x7fStock": must not contain control characters))



=== class title not UTF-8
--- http_config eval
::ledger(qq($::path${main::company}class CS 1 "Common\xe2\x82Stock";\n))
--- error_log eval
::emerg(qq(invalid class title "Common\xe2\x82Stock": must be valid UTF-8))



=== class title too long
--- http_config eval
::ledger(qq($::path${main::company}class CS 1 "x) . "\xc3\xbc" x 128 . qq(";\n))
--- error_log eval
::emerg('invalid class title "x' . "\xc3\xbc" x 128 . '": must have at most 255 bytes in UTF-8')



=== more than 64 classes
--- http_config eval
::ledger($::path . $::company . CORE::join('', map { qq(class C$_ 1 "Class $_";\n) } 1 .. 65))
--- error_log eval
::emerg('stockcert ledger "acme" has more than 64 classes')



=== a directive that is none
--- http_config eval
::ledger("$::path$::company${main::class}classes CS;\n")
--- error_log eval
::emerg('unknown directive "classes"')



=== a directive that is none but begins like one, with file and line
--- http_config
    include $TEST_NGINX_SERVER_ROOT/html/ledger.conf;
--- user_files
>>> ledger.conf
stockcert_ledger acme {
    path     /nowhere;
    compan   "Impossible Cuts Inc.";
    class    CS 2600000 "Common Stock";
}
--- error_log eval
::emerg('unknown directive "compan"', 'ledger\.conf:3')



=== a wrong value, with file and line
--- http_config
    include $TEST_NGINX_SERVER_ROOT/html/ledger.conf;
--- user_files
>>> ledger.conf
stockcert_ledger acme {
    path     /nowhere;
    company  "Impossible Cuts Inc.";
    # none yet
    class    CS 0
             "Common Stock";
}
--- error_log eval
::emerg('invalid number of shares "0": must be 1 to 9007199254740991', 'ledger\.conf:6')



=== a block inside the block
--- http_config eval
::ledger(qq($::path${main::company}class CS 1 "Common Stock" { }\n))
--- error_log eval
::emerg('unexpected "{"')



=== a block inside the block, another ledger
--- http_config eval
::ledger($::path . ::ledger("$::path$::company$::class", 'two') . "$::company$::class")
--- error_log eval
::emerg('unexpected "{"')



=== an nginx directive inside the block
--- http_config eval
::ledger("$::path$::company${main::class}server_tokens off;\n")
--- error_log eval
::emerg('unknown directive "server_tokens"')



=== include of a file that is not there
--- http_config eval
::ledger("$::path$::company${main::class}include no_such_file.conf;\n")
--- error_log eval
qr/\[emerg\] [\d#]+: open\(\) "[^"]*no_such_file\.conf" failed/



=== include without a file
--- http_config eval
::ledger("$::path$::company${main::class}include;\n")
--- error_log eval
::emerg('invalid number of arguments in "include" directive')



=== a wrong value in an included file, with file and line
--- http_config eval
::ledger("$::path${main::company}include \$TEST_NGINX_SERVER_ROOT/html/classes.conf;\n")
--- user_files
>>> classes.conf
class PS 1 "Preferred Stock";
class CS 0 "Common Stock";
--- error_log eval
::emerg('invalid number of shares "0": must be 1 to 9007199254740991', 'classes\.conf:2')



=== an included file that ends the block
--- http_config eval
::ledger("$::path$::company${main::class}include \$TEST_NGINX_SERVER_ROOT/html/end.conf;\n")
--- user_files
>>> end.conf
}
--- error_log eval
::emerg('unexpected "}"', 'end\.conf:1')
