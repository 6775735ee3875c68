# The directives about etcd: nginx refuses each mistake, and says what it is and where.

use Stockcert::Blocks;
use Test::Nginx::Socket 'no_plan';

use Stockcert qw(spew);

our $dir = default_sections(
    config       => "location / { stockcert acme; }\n",
    must_die     => '',
    more_headers => undef,
    no_error_log => undef,
);

# files beside the configuration

our %file = map { $_ => "$dir/$_" } qw(password line empty large nowhere);
spew($file{password}, "secret\n");
spew($file{line}, "\nsecret\n");
spew($file{empty}, '');
spew($file{large}, 'x' x 65536);

# A ledger with these lines.

sub ledger {
    my ($lines) = @_;

    $lines =~ s/ (password|line|empty|large|nowhere);/ $file{$1};/g;
    return qq(stockcert_ledger acme {\npath \$TEST_NGINX_LEDGERS/acme;\ncompany "Acme Inc.";\nclass CS 1 "Common";\n$lines}\n);
}

# The whole of a message; in the configuration file, on some line, if it is about one.

sub emerg {
    my ($message) = @_;

    return qr/\[emerg\] [\d#]+: \Q$message\E in \S+\/conf\/nginx\.conf:\d+$/;
}

no_root_location();
no_long_string();
run_tests();

__DATA__

=== etcd twice
--- http_config eval
::ledger("etcd http://a;\netcd http://b;\n")
--- error_log eval
::emerg('"etcd" directive is duplicate')



=== etcd without a value
--- http_config eval
::ledger("etcd;\n")
--- error_log eval
::emerg('invalid number of arguments in "etcd" directive')



=== too many URLs
--- http_config eval
::ledger('etcd' . ' http://a' x 17 . ";\n")
--- error_log eval
::emerg('"etcd" directive has too many URLs')



=== a URL without a scheme
--- http_config eval
::ledger("etcd 127.0.0.1:2379;\n")
--- error_log eval
::emerg('invalid URL of etcd "127.0.0.1:2379": must begin with https:// or http://')



=== a URL with a path
--- http_config eval
::ledger("etcd http://a http://b/v3;\n")
--- error_log eval
::emerg('invalid URL of etcd "http://b/v3": must be a host, and maybe a port, and nothing else')



=== an empty URL
--- http_config eval
::ledger("etcd \"\";\n")
--- error_log eval
::emerg('invalid URL of etcd "": must begin with https:// or http://')



=== etcd_prefix twice
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_prefix /a/;\netcd_prefix /a/;\n")
--- error_log eval
::emerg('"etcd_prefix" directive is duplicate')



=== a prefix without a / at its end
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_prefix /a;\n")
--- error_log eval
::emerg('invalid etcd_prefix "/a": must begin and end with "/"')



=== a prefix with a space
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_prefix \"/a b/\";\n")
--- error_log eval
::emerg('invalid etcd_prefix "/a b/": must be printable ASCII without spaces')



=== an empty prefix
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_prefix \"\";\n")
--- error_log eval
::emerg('invalid etcd_prefix "": must begin and end with "/"')



=== etcd_timeout twice
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_timeout 2s;\netcd_timeout 2s;\n")
--- error_log eval
::emerg('"etcd_timeout" directive is duplicate')



=== a time that is none
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_timeout 2x;\n")
--- error_log eval
::emerg('invalid etcd_timeout "2x": must be a time from 1s to 1h')



=== too short a time
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_timeout 999ms;\n")
--- error_log eval
::emerg('invalid etcd_timeout "999ms": must be a time from 1s to 1h')



=== too long a time
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_timeout 3601s;\n")
--- error_log eval
::emerg('invalid etcd_timeout "3601s": must be a time from 1s to 1h')



=== etcd_keep twice
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_keep 10000;\netcd_keep 10000;\n")
--- error_log eval
::emerg('"etcd_keep" directive is duplicate')



=== too few entries
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_keep 9999;\n")
--- error_log eval
::emerg('invalid etcd_keep "9999": must be a number of entries, at least 10000')



=== entries that are no number
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_keep 1m;\n")
--- error_log eval
::emerg('invalid etcd_keep "1m": must be a number of entries, at least 10000')



=== etcd_user twice
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_user a password;\netcd_user a password;\n")
--- error_log eval
::emerg('"etcd_user" directive is duplicate')



=== etcd_user without a file
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_user a;\n")
--- error_log eval
::emerg('invalid number of arguments in "etcd_user" directive')



=== an empty user
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_user \"\" password;\n")
--- error_log eval
::emerg('"etcd_user" directive needs a name, and a file whose first line is the password')



=== a password that is an empty line
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_user a line;\n")
--- error_log eval
::emerg('"etcd_user" directive needs a name, and a file whose first line is the password')



=== etcd_trusted_certificate twice
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_trusted_certificate password;\netcd_trusted_certificate password;\n")
--- error_log eval
::emerg('"etcd_trusted_certificate" directive is duplicate')



=== a certificate that is empty
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_trusted_certificate empty;\n")
--- error_log eval
::emerg(qq("$::file{empty}" cannot be read, is empty or too large))



=== a certificate that is too large
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_certificate large;\n")
--- error_log eval
::emerg(qq("$::file{large}" cannot be read, is empty or too large))



=== a certificate that is not there
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_certificate nowhere;\n")
--- error_log eval
::emerg(qq(open() "$::file{nowhere}" failed (2: No such file or directory)))



=== a certificate without its key
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_certificate password;\n")
--- error_log eval
::emerg('"etcd_certificate" and "etcd_certificate_key" need each other in stockcert ledger "acme"')



=== a key without its certificate
--- http_config eval
::ledger("etcd http://127.0.0.1:1;\netcd_certificate_key password;\n")
--- error_log eval
::emerg('"etcd_certificate" and "etcd_certificate_key" need each other in stockcert ledger "acme"')



=== etcd_timeout without etcd
--- http_config eval
::ledger("etcd_timeout 2s;\n")
--- error_log eval
::emerg('no "etcd" is defined in stockcert ledger "acme", but other directives about it are')



=== etcd_prefix without etcd
--- http_config eval
::ledger("etcd_prefix /a/;\n")
--- error_log eval
::emerg('no "etcd" is defined in stockcert ledger "acme", but other directives about it are')



=== etcd_keep without etcd
--- http_config eval
::ledger("etcd_keep 10000;\n")
--- error_log eval
::emerg('no "etcd" is defined in stockcert ledger "acme", but other directives about it are')



=== etcd_user without etcd
--- http_config eval
::ledger("etcd_user a password;\n")
--- error_log eval
::emerg('no "etcd" is defined in stockcert ledger "acme", but other directives about it are')



=== etcd_certificate and its key without etcd
--- http_config eval
::ledger("etcd_certificate password;\netcd_certificate_key password;\n")
--- error_log eval
::emerg('no "etcd" is defined in stockcert ledger "acme", but other directives about it are')



=== etcd_trusted_certificate without etcd
--- http_config eval
::ledger("etcd_trusted_certificate password;\n")
--- error_log eval
::emerg('no "etcd" is defined in stockcert ledger "acme", but other directives about it are')
