# What the module exports: what nginx looks for in it, and none of its functions' names,
# which other modules may have.

use strict;
use warnings;
use Test::More;

my @names = sort grep { !/^__/ } map { /^\S+ [A-Z] (\S+)/ } `nm -D --defined-only "$ENV{TEST_NGINX_LOAD_MODULES}"`;

is_deeply(\@names, [map { "ngx_$_" } qw(http_stockcert_module module_names module_order modules)], 'the names in the module');

done_testing();
