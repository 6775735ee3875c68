package Stockcert::Tool;

# The command "stockcert", with a bound on how long it may take.

use strict;
use warnings;

use Exporter 'import';
use File::Temp;
use POSIX ();
use Stockcert;

our @EXPORT = qw(tool tool_start tool_out tool_is);

# in the background: returns the process, for reap(), and the files that it writes to; an
# argument { as => user } comes first

sub tool_start {
    my %arg = ref $_[0] ? %{+shift} : ();
    my @arg = @_;
    my ($out, $err) = map { File::Temp->new } 1, 2;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        eval {
            if ($arg{as}) {
                chown +(getpwnam $arg{as})[2], -1, $out->filename, $err->filename;
                become($arg{as});
            }
            open STDIN, '<', $arg{in} // '/dev/null' or die "stdin: $!\n";
            open STDOUT, '>', $arg{out} // $out->filename or die "stdout: $!\n";
            open STDERR, '>', $err->filename or die "stderr: $!\n";
            exec $ENV{STOCKCERT}, @arg or die "$ENV{STOCKCERT}: $!\n";
        };
        POSIX::_exit(127);
    }
    $Stockcert::clients{$pid} = 1;
    return ($pid, $out, $err);
}

# returns the exit code (or "signal N"), standard output and standard error

sub tool {
    my ($pid, $out, $err) = tool_start(@_);
    reap($pid);
    my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
    return ($status, slurp($out->filename), slurp($err->filename));
}

# A command that succeeds, with nothing on standard error: its output.

sub tool_out {
    my ($status, $out, $err) = tool(@_);
    Test::More::is("$status$err", '0', join ' ', 'stockcert', grep { !ref } @_);
    return $out;
}

# A command that fails: this exit code, nothing on standard output, and one line
# like this on standard error.

sub tool_is {
    my ($name, $expected, $like, @arg) = @_;
    my ($status, $out, $err) = tool(@arg);
    my $ok = $status eq $expected && $out eq '' && $err =~ /\Astockcert: [^\n]*\n\z/ && $err =~ $like;
    Test::More::ok($ok, $name) or Test::More::diag("exit $status, out: $out, err: $err");
}

1;
