# "scripts/build install": three files, where they belong, with their modes.

use strict;
use warnings;
use File::Temp;
use Test::More;

my $dest = File::Temp->newdir;
my ($build) = $ENV{TEST_NGINX_LOAD_MODULES} =~ m{^(.*)/};

sub installed {
    local $ENV{BUILD} = $build;
    is(system("$_[0] scripts/build install >/dev/null 2>&1"), 0, "$_[0]");
    return join ' ', map { sprintf '%s %o', substr($_, length $dest), (stat)[2] & 07777 } split /\n/, `find "$dest" -type f | sort`;
}

is(installed("DESTDIR=$dest"), '/usr/lib/nginx/modules/ngx_http_stockcert_module.so 644 /usr/local/bin/stockcert 755 /usr/local/share/man/man1/stockcert.1 644',
    'the module, the tool, the manual');
system('rm', '-rf', "$dest/usr");
is(installed("DESTDIR=$dest PREFIX=/opt MODULES=/opt/modules"), '/opt/bin/stockcert 755 /opt/modules/ngx_http_stockcert_module.so 644 /opt/share/man/man1/stockcert.1 644',
    'elsewhere');
is(system("$dest/opt/bin/stockcert --version >/dev/null"), 0, 'the tool runs');
is(system('scripts/build instal >/dev/null 2>&1') >> 8, 2, 'an unknown argument is refused');

done_testing();
