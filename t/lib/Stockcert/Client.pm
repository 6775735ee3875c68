package Stockcert::Client;

# A request that fails has status 0 and an error: "refused", "closed" before the
# answer began, "broken" in the middle of it, "timeout".

use strict;
use warnings;

use Errno qw(EINTR);
use IO::Select;
use IO::Socket::INET;
use Cpanel::JSON::XS;
use Stockcert::Exchanges;

sub new {
    my ($class, $port) = @_;
    return bless { port => $port, buffer => '', pending => 0, answers => 0, asked => [] }, $class;
}

sub close {
    my ($self) = @_;
    delete $self->{socket};
    @$self{qw(buffer pending answers asked)} = ('', 0, 0, []);
}

# closed by the server while nothing was asked

sub stale {
    my ($self) = @_;
    return !$self->{socket} || !$self->{pending} && IO::Select->new($self->{socket})->can_read(0);
}

# whose worker is not known yet

sub connect {
    my ($self) = @_;
    $self->close;
    delete $self->{worker};
    $self->{socket} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port},
        Timeout => $Stockcert::TIMEOUT);
    return $self->{socket};
}

sub send {
    my ($self, $method, $uri, $body, @headers) = @_;
    $self->connect if $self->stale;
    $self->{pending}++;
    my $socket = $self->{socket} or return;
    unshift @headers, 'Content-Type: application/json', 'Content-Length: ' . length $body if defined $body;
    my $text = join "\r\n", "$method $uri HTTP/1.1", 'Host: localhost', @headers, '', $body // '';
    push @{$self->{asked}}, $text;
    while (length $text) {
        my $n = syswrite $socket, $text;
        next if !defined $n and $! == EINTR;
        return if !$n;       # reading will tell
        substr($text, 0, $n, '');
    }
}

sub fill {
    my ($self, $end) = @_;
    while (1) {
        my $left = $end - Stockcert::now();
        return 'timeout' if $left <= 0;
        IO::Select->new($self->{socket})->can_read($left) or next;
        my $n = sysread $self->{socket}, $self->{buffer}, 65536, length $self->{buffer};
        next if !defined $n and $! == EINTR;
        return $n ? undef : length $self->{buffer} ? 'broken' : 'closed';
    }
}

# so many bytes, or undef and an error

sub take {
    my ($self, $length, $end) = @_;
    while (length $self->{buffer} < $length) {
        my $error = $self->fill($end);
        return (undef, $error eq 'closed' ? 'broken' : $error) if $error;
    }
    return substr $self->{buffer}, 0, $length, '';
}

sub take_chunks {
    my ($self, $end) = @_;
    my $body = '';
    while (1) {
        if ($self->{buffer} =~ s/^([0-9a-f]+)\r\n//) {
            my $length = hex $1;
            my ($chunk, $error) = $self->take($length + 2, $end);
            return (undef, $error) if !defined $chunk;
            return $body if $length == 0;
            $body .= substr $chunk, 0, $length;
            next;
        }
        my $error = $self->fill($end);
        return (undef, $error eq 'closed' ? 'broken' : $error) if $error;
    }
}

sub failed {
    my ($self, $error) = @_;
    my $answers = $self->{answers};
    $self->close;
    return { status => 0, error => $error, answers => $answers, body => '' };
}

sub receive {
    my ($self, $method) = @_;
    $self->{socket} or return $self->failed('refused');
    my $end = Stockcert::now() + $Stockcert::TIMEOUT;
    while ($self->{buffer} !~ /\r\n\r\n/) {
        my $error = $self->fill($end);
        return $self->failed($error) if $error;
    }
    $self->{buffer} =~ s/^HTTP\/1\.1 (\d{3})[^\r]*\r\n(.*?\r\n)\r\n//s or return $self->failed('broken');
    my ($status, $head, %headers) = ($1, $2);
    for my $line (split /\r\n/, $head) {
        my ($name, $value) = split /:\s*/, $line, 2;
        $headers{lc $name} = $value;
    }
    my $length = $headers{'content-length'};
    $length = 0 if ($method // '') eq 'HEAD' or $status == 304;
    my ($body, $error) = defined $length ? $self->take($length, $end)
        : lc($headers{'transfer-encoding'} // '') eq 'chunked' ? $self->take_chunks($end) : (undef, 'broken');
    return $self->failed($error) if !defined $body;
    $self->{pending}--;
    $self->{answers}++;
    exchanged(shift @{$self->{asked}}, $status, $head, $body);
    $self->close if lc($headers{connection} // '') eq 'close';
    my $r = { status => $status, headers => \%headers, body => $body, worker => $headers{'x-worker'}, error => '' };
    $r->{json} = decode_json($body) if $body ne '' and ($headers{'content-type'} // '') =~ /json/;
    return $r;
}

sub ask {
    my ($self, $method, @arg) = @_;
    $self->send($method, @arg);
    return $self->receive($method);
}

sub issue {
    my ($self, $class, $amount, $name, $uri) = @_;
    return $self->ask('POST', $uri // '/', Stockcert::grant($class, $amount, $name));
}

# whether an answer, or the connection's end, is there already

sub has_answer {
    my ($self) = @_;
    return length $self->{buffer} || IO::Select->new($self->{socket})->can_read(0);
}

1;
