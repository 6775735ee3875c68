package Test::Nginx::Socket;

# Runs test files in the format of CPAN's Test::Nginx::Socket, for systems that
# do not package it.  It knows the part of the format that our tests use, and
# refuses the rest, so that no check passes because it was not understood.

use strict;
use warnings;

use Test::Base -base;
use Errno qw(EAGAIN);
use File::Basename qw(dirname);
use File::Find qw(find);
use File::Glob qw(bsd_glob);
use File::Path qw(make_path remove_tree);
use File::Spec;
use IO::Select;
use IO::Socket::INET;
use List::Util qw(shuffle);
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);
use Stockcert::Exchanges;

our @EXPORT = qw(
    run_tests plan repeat_each log_level workers worker_connections timeout server_addr
    server_port server_root html_dir master_on master_process_enabled no_shuffle
    no_long_string no_root_location env_to_nginx add_block_preprocessor add_cleanup_handler
);

my @Checks = qw(
    error_code error_code_like response_headers response_headers_like response_body
    response_body_like response_body_unlike raw_response_headers_like
    raw_response_headers_unlike
);
my %Known = map { $_ => 1 } @Checks, qw(
    main_config http_config config user_files init log_level request pipelined_requests
    raw_request raw_request_middle_delay more_headers timeout wait abort ignore_response
    must_die error_log no_error_log ONLY SKIP LAST
);
# Of each of these groups the format looks at one section only.
my @Exclusive = (
    [qw(request pipelined_requests raw_request)], [qw(raw_request more_headers)],
    [qw(error_code error_code_like)], [qw(response_headers response_headers_like)],
    [qw(response_body response_body_like response_body_unlike)],
    map { ['must_die', $_], ['ignore_response', $_] } @Checks,
);

my $Binary = $ENV{TEST_NGINX_BINARY} || 'nginx';
my $Root   = File::Spec->rel2abs($ENV{TEST_NGINX_SERVROOT} || 't/servroot');
my $Conf   = "$Root/conf/nginx.conf";
my $Log    = "$Root/logs/error.log";
$ENV{TEST_NGINX_SERVER_ROOT} = $Root;

my $StartTime    = 30;     # seconds for nginx to be up, or to have died
my $ExchangeTime = 120;    # seconds for one connection, even if it is never idle

my %Opt = (
    repeat_each => 1, workers => 1, worker_connections => 64, server_addr => '127.0.0.1',
    server_port => $ENV{TEST_NGINX_SERVER_PORT} || $ENV{TEST_NGINX_PORT} || 1984,
    log_level   => $ENV{TEST_NGINX_LOG_LEVEL} || 'debug',
    timeout     => $ENV{TEST_NGINX_TIMEOUT} || 3,
    master      => $ENV{TEST_NGINX_MASTER_PROCESS} || 'off',
    hup         => $ENV{TEST_NGINX_USE_HUP},
    no_shuffle  => $ENV{TEST_NGINX_NO_SHUFFLE},
);
for my $name (qw(repeat_each workers worker_connections server_addr server_port log_level
                 timeout))
{
    no strict 'refs';
    *$name = sub { $Opt{$name} = shift if @_; $Opt{$name} };
}

my (@Env, @Preprocessors, @CleanupHandlers, @WithoutModule, $LogPos, %RandPort);
my $Parent = $$;

sub html_dir ()               { "$Root/html" }
sub server_root ()            { $Root }
sub no_shuffle ()             { $Opt{no_shuffle} = 1 }
sub no_root_location ()       { $Opt{no_root_location} = 1 }
sub no_long_string ()         { }    # differences are always shown in full
sub master_on ()              { $Opt{master} = 'on' }
sub master_process_enabled    { $Opt{master} = $_[0] ? 'on' : 'off' if @_; $Opt{master} }
sub env_to_nginx              { push @Env, @_ }
sub add_block_preprocessor(&) { unshift @Preprocessors, shift }
sub add_cleanup_handler       { unshift @CleanupHandlers, shift }

sub run_tests () {
    return if eval { run_blocks(); 1 };
    my $why = $@;
    fail('the test file is read and run to its end');    # no plan could look like a skip
    die $why;
}

sub run_blocks {
    my @mode = grep { $ENV{"TEST_NGINX_$_"} } qw(
        BENCHMARK CHECK_LEAK RANDOMIZE USE_HTTP2 USE_HTTP3 USE_STAP USE_VALGRIND);
    die "TEST_NGINX_$mode[0] is not supported\n" if @mode;

    my $version = qx{"$Binary" -V 2>&1} // '';
    die "cannot run $Binary -V: $version\n" if $?;
    @WithoutModule = $version =~ /--without-http_(\w+)_module/g;

    $ENV{TEST_NGINX_SERVER_PORT} //= $Opt{server_port};
    local $SIG{PIPE} = 'IGNORE';
    local @SIG{qw(INT TERM)} = (sub { exit 1 }) x 2;    # END stops nginx

    my @blocks = blocks();
    check_sections($_) for @blocks;
    for my $block ($Opt{no_shuffle} ? @blocks : shuffle @blocks) {
        $_->($block) for @Preprocessors;
        check_sections($block);
        run_block($block);
    }
    $_->() for @CleanupHandlers;
}

END {
    if ($$ == $Parent) {
        local $?;
        $_->() for @CleanupHandlers;
        stop_nginx();
    }
}

sub check_sections {
    my ($block) = @_;
    my $name = $block->name;
    my %seen;
    for my $section (@{ $block->_section_order }) {
        die "$name: section $section is given twice\n" if $seen{$section}++;
    }
    # A preprocessor may have set more; the other keys are Test::Base's own.
    for my $section (sort keys %$block) {
        die "$name: unknown section $section\n" if !$Known{$section} && $section !~
            /^(?:_.*|name|description|seq_num|is_filtered|blocks_object|original_values)$/;
    }
    for my $group (@Exclusive) {
        my @given = grep { defined $block->$_ } @$group;
        die "$name: not both sections $given[0] and $given[1]\n" if @given > 1;
    }
}

sub run_block {
    my ($block) = @_;
    my $name = $block->name;
    local $Opt{hup} = $Opt{hup} && !defined $block->must_die;
    local $Opt{log_level} = $block->log_level || $Opt{log_level};
    %RandPort = ();
    # Without it the genuine module goes on with the server of the block before.
    die "$name: no section config\n" if !defined $block->config;

    my $pid = $Opt{hup} && nginx_pid();
    stop_nginx() if !$pid;
    my $version = join '', map { int rand 10 } 1 .. 10;
    setup_root($pid);
    write_user_files($block);
    write_config($block, $version);
    $LogPos = 0;
    return check_must_die($block) if defined $block->must_die;

    if (!($pid ? reload_nginx($pid, $version)
               : !start_nginx() && wait_for($StartTime, \&nginx_pid)))
    {
        fail("$name - nginx runs with the configuration of the block");
        my @lines = grep { /\[(?:warn|error|crit|alert|emerg)\]/ } new_log_lines();
        diag(@lines > 20 ? @lines[-20 .. -1] : @lines);
        return stop_nginx();
    }
    eval($block->init // '');
    die "$name: init: $@" if $@;
    for my $i (1 .. $Opt{repeat_each}) {
        write_user_files($block) if $i > 1;
        run_requests($block);
    }
}

sub check_must_die {
    my ($block) = @_;
    my ($name, $want) = (scalar $block->name, scalar $block->must_die);
    for (1 .. $Opt{repeat_each}) {
        my $status = start_nginx();
        $status & 127      ? fail("$name - nginx was ended by signal " . ($status & 127))
        : $want =~ /^\d+$/ ? is($status >> 8, $want, "$name - die with the expected exit code")
        :                    isnt($status, 0, "$name - die as expected");
        check_error_log($block);
        stop_nginx() if !$status && wait_for($StartTime, \&nginx_pid);
    }
}

sub run_requests {
    my ($block) = @_;
    my $name = $block->name;
    my ($timeout, $ms) = ($block->timeout // $Opt{timeout}) =~ /^\s*([\d.]+)\s*(?:(m)?s)?\s*$/
        or die "$name: bad section timeout\n";
    my @requests = requests($block);
    my $count = map { @{ $_->{methods} } } @requests;
    my $many = $block->pipelined_requests || $count > 1;
    my $i = 0;

    # What a section says of the response at hand.
    my $expected = sub {
        my ($section) = @_;
        my $value = $block->$section;
        die "$name: section $section must be a list of $count values\n"
            if ref $value eq 'ARRAY' ? @$value != $count : $many;
        $value = $value->[$i] if ref $value eq 'ARRAY';
        die "$name: section $section has no value for response $i\n"
            if !defined $value && $section !~ /^response_headers/;
        return $value;
    };
    for my $request (@requests) {
        my ($raw, $problem) = exchange($request->{packets}, $ms ? $timeout / 1000 : $timeout,
                                       scalar $block->raw_request_middle_delay);
        fail("$name - $problem")
            if $problem && !($problem =~ /timed out/ && defined $block->abort);
        my @methods = @{ $request->{methods} };
        my @texts = @{ $request->{texts} };
        while (defined(my $method = shift @methods)) {
            if (!defined $block->ignore_response) {
                my $res = parse_response($name, \$raw, $method, !@methods);
                exchanged(shift @texts, @$res{qw(code head body)}) if $res->{code};
                check_response($block, $res, $expected);
                warn "WARNING: $name - extra bytes after the response\n"
                    if !@methods && length $raw;
            }
            sleep $block->wait if $block->wait;
            # nginx logs the end of a request after the response
            sleep 0.05 if $i == $count - 1;
            check_error_log($block);
            $i++;
        }
    }
}

sub check_response {
    my ($block, $res, $expected) = @_;
    my $name = $block->name;

    if (defined $block->error_code_like) {
        my $re = $expected->('error_code_like');
        like($res->{code}, qr/$re/sm, "$name - status code ok");
    } else {
        is($res->{code}, defined $block->error_code ? $expected->('error_code') : 200,
           "$name - status code ok");
    }
    for my $section (qw(response_headers response_headers_like)) {
        for (split /\n/, (defined $block->$section ? $expected->($section) : undef) // '') {
            /^\s*(!?)\s*([^\s:]+)\s*(?::\s*(.*?)\s*)?$/ && ($1 xor defined $3)
                or die "$name: bad line in section $section: $_\n";
            my ($key, $want) = ($2, $3);
            my $got = join ', ', @{ $res->{headers}{lc $key} || [] };
            !defined $want ? unlike($res->{head}, qr/^\Q$key\E[ \t]*:/mi, "$name - no header $key")
            : $section =~ /like/ ? like($got, qr/^$want$/, "$name - header $key like ok")
            : is($got, server_port_in($want), "$name - header $key ok");
        }
    }
    if (defined $block->response_body) {
        my $want = server_port_in($expected->('response_body'));
        ref $want ? like($res->{body}, $want, "$name - response_body")
                  : is($res->{body}, expand($block, $want), "$name - response_body");
    }
    for (['response_body', 'body'], ['raw_response_headers', 'head']) {
        my ($section, $part) = @$_;
        for my $like (grep { defined $block->$_ } "${section}_like", "${section}_unlike") {
            my $re = server_port_in($expected->($like));
            ($like =~ /unlike/ ? \&unlike : \&like)->($res->{$part}, qr/$re/s, "$name - $like");
        }
    }
}

sub check_error_log {
    my ($block) = @_;
    my $name = $block->name;
    my @lines = new_log_lines();
    my $all = '';
    for my $section (grep { defined $block->$_ } qw(error_log no_error_log)) {
        my $value = $block->$section;
        my @patterns = ref $value eq 'ARRAY' ? @$value : ref $value ? $value : split /\n+/, $value;
        die "$name: section $section has an empty pattern\n"
            if !@patterns || grep { !defined || !length } @patterns;
        for my $pattern (@patterns) {
            my $hit;
            my $seen = sub {
                push @lines, new_log_lines();
                ($hit) = grep { ref $pattern ? /$pattern/ : /\Q$pattern\E/ } @lines;
                return defined $hit;
            };
            $section eq 'error_log' ? wait_for($Opt{timeout}, $seen) : $seen->();
            $section eq 'error_log' ? ok(defined $hit, "$name - \"$pattern\" is in error.log")
            : ok(!defined $hit, "$name - \"$pattern\" is not in error.log") || diag($hit);
            $all .= $pattern;
        }
    }
    for my $line (@lines) {    # what a test does not speak of shall at least be seen
        warn "WARNING: $name - $line"
            if $line =~ /(\[(?:alert|crit|emerg))\]/ && index($all, $1) < 0;
        fail("$name - $line") if $line =~ /\bAssertion .*?failed\b/;
    }
}

# The lines that have come into the error log since the last call.
sub new_log_lines {
    open my $in, '<', $Log or return;
    seek $in, $LogPos, 0;
    my @lines = <$in>;
    $LogPos = tell $in;
    return @lines;
}

# A list of connections to make: the packets to send, the requests in them, their methods.
sub requests {
    my ($block) = @_;
    my $name = $block->name;
    if (defined(my $raw = $block->raw_request)) {
        my @packets = ref $raw ? @$raw : $raw;
        my $text = join '', @packets;
        return { packets => \@packets, texts => [$text], methods => [$text =~ /^\s*(\w*)/] };
    }
    my $pipelined = $block->pipelined_requests;
    my $given = $pipelined // $block->request // die "$name: no section request\n";
    die "$name: section pipelined_requests must be a list\n" if $pipelined && !ref $pipelined;
    my @given = ref $given ? @$given : $given;
    my @requests;
    for my $i (0 .. $#given) {
        die "$name: a request must be a string; for packets use raw_request\n" if ref $given[$i];
        my $more = $block->more_headers // '';
        $more = $more->[$i] // die "$name: no more_headers for request $i\n" if ref $more;
        my $text = build_request($name, $pipelined ? expand($block, $given[$i]) : $given[$i],
                                 $more, $pipelined && $i < $#given ? 'keep-alive' : 'close');
        push @requests, { packets => [$text], texts => [$text], methods => [$text =~ /^(\S+)/] };
    }
    return @requests if !$pipelined;
    my @texts = map { @{ $_->{texts} } } @requests;
    return { packets => [join '', @texts], texts => \@texts,
             methods => [map { @{ $_->{methods} } } @requests] };
}

sub build_request {
    my ($name, $text, $more, $connection) = @_;
    $text =~ s/\A(?:\s+|#.*\n)+//;
    my ($line, $body) = split /\n/, $text, 2;
    ($line // '') =~ /^(\S+)(?: +(\S+))?(?: +(\S+))?\s*$/ or die "$name: bad request line\n";
    my $head = join(' ', $1, $2 // '/', $3 // 'HTTP/1.1') . "\r\n";

    my $headers = '';
    for (grep { !/^\s*#/ } split /\n+/, $more) {
        my ($key, $value) = split /:\s*/, $_, 2;
        $headers .= "$key: " . ($value // '') . "\r\n";
    }
    $head .= "Host: localhost\r\n" if $headers !~ /^Host:/mi;
    $head .= "Connection: $connection\r\n" if $headers !~ /^Connection/mi;
    $head .= $headers;
    if (length($body //= '') && $headers !~ /^Content-Length:/m
        && $headers !~ /^Transfer-Encoding: chunked\r$/mi)
    {
        $body =~ s/^\s+|\s+$//g;
        $head .= 'Content-Length: ' . length($body) . "\r\n";
    }
    return "$head\r\n$body";
}

# Sends the packets over one connection and reads until the server closes it; returns
# what was read, and what went wrong.
sub exchange {
    my ($packets, $timeout, $delay) = @_;
    my $sock;
    wait_for($StartTime, sub { $sock = IO::Socket::INET->new(
        PeerAddr => $Opt{server_addr}, PeerPort => $Opt{server_port}, Timeout => $timeout) })
        or return ('', "cannot connect to port $Opt{server_port}: $!");
    $sock->blocking(0);

    my ($got, $out, @next) = ('', @$packets);
    my $all = IO::Select->new($sock);
    my $end = time + $ExchangeTime;
    while (1) {
        my ($readable, $writable) =
            IO::Select->select($all, defined $out ? $all : undef, undef, $timeout);
        return ($got, 'client socket timed out') if !$readable || time > $end;
        if (@$writable) {
            my $n = syswrite $sock, $out;
            # If the server has closed, what it sent before may still be there to read.
            $out = defined $n ? substr $out, $n : $! == EAGAIN ? $out : undef;
            if (defined $out && $out eq '') {
                $out = shift @next;
                sleep $delay if $delay && defined $out;
            }
        }
        if (@$readable) {
            my $n = sysread $sock, $got, 65536, length $got;
            return $got if defined $n && !$n;
            return ($got, "reading the response: $!") if !defined $n && $! != EAGAIN;
        }
    }
}

# Takes one response off the text; a body that its head does not delimit is all the rest.
sub parse_response {
    my ($name, $text, $method, $last) = @_;
    my %res = (code => '', head => '', body => '', headers => {});
    $$text =~ s/\A(.*?\r\n)\r\n//s or return \%res;
    $res{head} = $1;
    $res{code} = $1 if $res{head} =~ /\AHTTP\S+ +(\d+)/;
    push @{ $res{headers}{lc $1} }, $2 while $res{head} =~ /^([^\s:]+)[ \t]*: ?(.*)\r$/mg;

    my $length  = $res{headers}{'content-length'}[0];
    my $chunked = ($res{headers}{'transfer-encoding'}[0] // '') eq 'chunked';
    if ($method eq 'HEAD' || $res{code} =~ /^[23]04$/) {
        $res{body} = $$text if $last;    # it should have none, but a test wants to see that
        $$text = '' if $last;
    } elsif ($chunked) {
        while ($$text =~ s/\A[ \t]*([0-9A-Fa-f]+)[ \t]*\r\n//) {
            my $size = hex $1;
            $res{body} .= substr $$text, 0, $size, '';
            $$text =~ s/\A\r\n// or last;
            return \%res if !$size;
        }
        fail("$name - invalid chunked body");
        $$text = '';
    } else {
        warn "WARNING: $name - response body truncated\n" if length $$text < ($length // 0);
        $res{body} = substr $$text, 0, $length // length $$text, '';
    }
    return \%res;
}

sub server_port_in {
    my ($text) = @_;
    $text =~ s/\$ServerPort(?:ForClient)?\b/$Opt{server_port}/g if defined $text && !ref $text;
    return $text;
}

sub expand {
    my ($block, $text) = @_;
    $text //= '';
    $text =~ s{\$(TEST_NGINX_RAND_PORT_[0-9]+)}{
        $RandPort{$1} //= IO::Socket::INET->new(Listen => 1)->sockport }ge;
    $text =~ s{\$(TEST_NGINX_[_A-Z0-9]+)}{
        $ENV{$1} // die $block->name . ": no \$$1 in the environment\n" }ge;
    return $text;
}

sub write_file {
    my ($path, $text) = @_;
    make_path(dirname($path));
    open my $out, '>:raw', $path or die "cannot write $path: $!\n";
    print $out $text;
    close $out or die "cannot write $path: $!\n";
}

# Removes only what nginx and tests make here: TEST_NGINX_SERVROOT could be a mistake.
sub setup_root {
    my ($running) = @_;
    remove_tree("$Root/conf", map { bsd_glob("$Root/*_$_") } 'temp', 'cache');
    if ($Opt{hup} && -d $Root) {
        find({ no_chdir => 1, wanted => sub {
            unlink if !-d && !($running && /(?:\bnginx\.pid|\.sock|\.crt|\.key)$/);
        } }, $Root);
    } elsif (-d $Root) {
        remove_tree(map { "$Root/$_" } 'cache', 'html', 'logs');
        rmdir $Root or die "cannot remove $Root: $!\n";
    }
    make_path("$Root/logs");
    write_file("$Root/html/index.html", '<html><head><title>It works!</title></head>'
                                        . '<body>It works!</body></html>');
}

sub write_user_files {
    my ($block) = @_;
    my $files = $block->user_files // return;
    if (!ref $files) {
        my (undef, @parts) = split /^>>> (.*?)[ \t]*\n/m, $files;
        die $block->name . ": user_files names no file\n" if !@parts;
        $files = [];
        push @$files, [splice @parts, 0, 2] while @parts;
    }
    for (@$files) {
        my ($path, $text, $date) = @$_;
        die $block->name . ": user_files: bad name $path\n" if $date || $path !~ /^\S+$/;
        write_file($path =~ m{^/} ? $path : "$Root/html/$path", expand($block, $text));
    }
}

sub write_config {
    my ($block, $version) = @_;
    my ($main, $http, $server) =
        map { expand($block, scalar $block->$_) } qw(main_config http_config config);
    my $modules = join '', map { "load_module $_;\n" }
                  split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '';
    my %without = map { $_ => 1 } @WithoutModule, $http =~ /\b(\w+)_temp_path\b/g;
    my $temp = join ' ', map { "${_}_temp_path $Root/${_}_temp;" }
               grep { !$without{$_} } qw(client_body proxy fastcgi scgi uwsgi);
    my $env = join '', map { /\s/ ? "env '$_';\n" : "env $_;\n" }
              qw(LD_PRELOAD LD_LIBRARY_PATH ASAN_OPTIONS UBSAN_OPTIONS), @Env;
    my $location = $Opt{no_root_location} ? ''
                 : "location / { root $Root/html; index index.html index.htm; }";
    my $user = $> == 0 ? 'user root;' : '';
    my $master = $Opt{hup} ? 'on' : $Opt{master};
    my $hup = !$Opt{hup} ? '' : "server { listen $Opt{server_port}; server_name Test-Nginx;\n"
                                . "location = /ver { return 200 $version; } }";

    write_file($Conf, <<"END_OF_CONFIG");
worker_processes $Opt{workers};
daemon on;
master_process $master;
error_log $Log $Opt{log_level};
pid $Root/logs/nginx.pid;
$user
$env
$modules
$main
http {
    access_log $Root/logs/access.log;
    $temp
    default_type text/plain;
    keepalive_timeout 68000ms;
$http
    server {
        listen $Opt{server_port};
        server_name localhost;
        client_max_body_size 30M;
$server
        $location
    }
$hup
}
events {
    accept_mutex off;
    worker_connections $Opt{worker_connections};
}
END_OF_CONFIG
}

# Runs nginx until it is in the background or has died; returns its status.
sub start_nginx {
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec { $Binary } $Binary, '-e', $Log, '-p', "$Root/", '-c', $Conf or POSIX::_exit(127);
    }
    if (!wait_for($StartTime, sub { waitpid($pid, WNOHANG) > 0 })) {
        kill KILL => $pid;
        waitpid $pid, 0;
    }
    return $?;
}

sub reload_nginx {
    my ($pid, $version) = @_;
    kill USR1 => $pid;    # setup_root() has removed the logs
    wait_for($StartTime, sub { -e $Log });
    kill HUP => $pid;
    # The old workers accept for 100 ms yet, and log as they were configured: give them
    # that time, and do not take one answer for a proof.
    sleep 0.15;
    my $request = build_request('reload', 'GET /ver', 'Host: Test-Nginx', 'close');
    my $hits = 0;
    return wait_for($StartTime, sub {
        my ($raw) = exchange([$request], 1);
        $hits = $raw =~ /\n$version\z/ ? $hits + 1 : 0;
        return $hits >= 20;
    });
}

sub stop_nginx {
    my $pid = nginx_pid() or return;
    kill QUIT => $pid;
    return if wait_for($Opt{timeout}, sub { !is_ours($pid) });
    warn "nginx $pid does not end, killing it\n";
    kill KILL => -$pid;    # a daemon leads its process group
    wait_for($StartTime, sub { !is_ours($pid) });
}

sub nginx_pid {
    open my $in, '<', "$Root/logs/nginx.pid" or return;
    my ($pid) = (<$in> // '') =~ /^(\d+)$/;
    return $pid && is_ours($pid) ? $pid : undef;
}

# False also for a zombie, and for a process that has been given the id since.
sub is_ours {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/cmdline" or return 0;
    return index(<$in> // '', $Conf) >= 0;
}

sub wait_for {
    my ($seconds, $done) = @_;
    my $end = time + $seconds;
    until ($done->()) {
        return 0 if time > $end;
        sleep 0.01;
    }
    return 1;
}

# Test::Base takes the message of a failed eval for the value of the section.
package Test::Nginx::Socket::Filter;

our @ISA = ('Test::Base::Filter');

sub eval {
    my ($self, @in) = @_;
    my @value = $self->SUPER::eval(@in);
    my $name = $self->current_block->name;
    die "$name: eval of a section: $@" if $@;
    die "$name: eval of a section must give one value\n" if @value != 1 || !defined $value[0];
    return @value;
}

1;
