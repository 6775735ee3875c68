package Stockcert::Blocks;

# For suites of Test::Nginx: what a block has that does not say otherwise. It is used
# before Test::Nginx, which then has a port of its own, and a directory: t/servroot/http
# for t/http.t.

use strict;
use warnings;

use Exporter 'import';
use Cwd qw(realpath);
use File::Path qw(make_path);
use File::Spec;
use File::Temp qw(tempdir);
use Stockcert::Port;

our @EXPORT = qw(default_sections);

die "use Stockcert::Blocks before Test::Nginx\n" if $INC{'Test/Nginx/Socket.pm'};
delete @ENV{qw(TEST_NGINX_SERVER_PORT TEST_NGINX_CLIENT_PORT TEST_NGINX_RANDOMIZE)};
$ENV{TEST_NGINX_PORT} = free_port;
$ENV{TEST_NGINX_SERVROOT} = File::Spec->rel2abs('t/servroot/' . $0 =~ s{^(?:.*/)?t/|\.t\z}{}gr =~ tr{/}{-}r);
make_path('t/servroot');

# Makes a directory for ledgers and returns it; it is $TEST_NGINX_LEDGERS. Each block
# gets a new ledger in there, $TEST_NGINX_LEDGER. Arguments are sections and their
# texts, which replace those below; undef removes one.

sub default_sections {
    my %default = (
        http_config => <<'END_OF_SECTION',
    stockcert_ledger acme {
        path     $TEST_NGINX_LEDGER;
        size     16m;
        company  "Impossible Cuts Inc.";
        class    CS 2600000 "Common Stock";
        class    PS  750000 "Preferred Stock";
    }
END_OF_SECTION
        config       => "location / { stockcert; }\n",
        more_headers => "Content-Type: application/json\n",
        no_error_log => "[alert]\n[crit]\n[emerg]\n",
        @_,
    );
    my $dir = $ENV{TEST_NGINX_LEDGERS} = realpath(tempdir(TMPDIR => 1, CLEANUP => 1));
    chmod 0755, $dir or die "chmod $dir: $!";    # workers may be another user's
    my $ledgers = 0;

    &Test::Nginx::Socket::add_block_preprocessor(sub {
        my ($block) = @_;
        $ENV{TEST_NGINX_LEDGER} = "$dir/" . ++$ledgers;
        my %section = %default;
        delete $section{no_error_log} if defined $block->error_log;
        delete $section{more_headers} if defined $block->raw_request;
        for my $name (grep { defined $section{$_} } keys %section) {
            $block->set_value($name, $section{$name}) if !defined $block->$name;
        }
    });
    return $dir;
}

1;
