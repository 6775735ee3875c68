package Stockcert::HTTP2;

# A connection of HTTP/2 (RFC 9113) with prior knowledge, as little as the tests
# need: header fields are literals, flow control is left to large windows.

use strict;
use warnings;

use Cpanel::JSON::XS;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Stockcert::Client;

our @ISA = 'Stockcert::Client';

my %type = (DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PING => 6, GOAWAY => 7, WINDOW_UPDATE => 8);
my %name = reverse %type;

sub connect {
    my ($self) = @_;
    $self->SUPER::connect or die "connect: $!\n";
    setsockopt $self->{socket}, IPPROTO_TCP, TCP_NODELAY, 1;
    @$self{qw(next streams)} = (1, {});
    # all a stream may send at once, and the connection
    $self->write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", frame('SETTINGS', 0, 0, pack 'nN', 4, 2**31 - 1),
        frame('WINDOW_UPDATE', 0, 0, pack 'N', 2**30));
    return $self;
}

sub frame {
    my ($type, $flags, $stream, $payload) = @_;
    return substr(pack('N', length $payload), 1) . pack('CCN', $type{$type}, $flags, $stream) . $payload;
}

sub fields {
    my $text = '';
    while (my ($name, $value) = splice @_, 0, 2) {
        $text .= pack 'C C/a', 0, $name;
        $text .= length $value < 127 ? pack 'C/a', $value : die "$name is too long\n";
    }
    return $text;
}

sub write {
    my ($self, @frames) = @_;
    my $text = join '', @frames;
    while (length $text) {
        my $n = syswrite $self->{socket}, $text or return;
        substr($text, 0, $n, '');
    }
}

# the frames of a request, and its stream; DATA in pieces of at most $size bytes

sub request {
    my ($self, $method, $path, $body, $size, @fields) = @_;
    my $stream = $self->{next};
    $self->{next} += 2;
    push @fields, 'content-type' => 'application/json' if defined $body;
    my $head = fields(':method' => $method, ':scheme' => 'http', ':path' => $path, ':authority' => 'a', @fields);
    my @frames = frame('HEADERS', defined $body ? 4 : 5, $stream, $head);
    if (defined $body) {
        my @data = length $body ? unpack "(a$size)*", $body : '';
        push @frames, map { frame('DATA', $_ == $#data, $stream, $data[$_]) } 0 .. $#data;
    }
    return ($stream, @frames);
}

sub reset { my ($self, $stream) = @_; return frame('RST_STREAM', 0, $stream, pack 'N', 8) }

# reads until the stream has ended, or, with 0, until a PING is answered; returns
# the answer of the stream

sub answer {
    my ($self, $wanted) = @_;
    my $end = Stockcert::now() + $Stockcert::TIMEOUT;
    while (!$wanted or !$self->{streams}{$wanted}{end}) {
        while (length $self->{buffer} < 9 or length $self->{buffer} < 9 + unpack 'N', "\0$self->{buffer}") {
            my $error = $self->fill($end);
            return { status => 0, error => $error, body => '' } if $error;
        }
        my ($type, $flags, $stream) = unpack 'x3 C C N', $self->{buffer};
        my $payload = substr $self->{buffer}, 0, 9 + unpack('N', "\0$self->{buffer}"), '';
        substr $payload, 0, 9, '';
        $type = $name{$type} // '';
        my $s = $self->{streams}{$stream} ||= { status => 0, body => '', error => '' };

        if ($type eq 'HEADERS') {
            # literal, the name ":status" from the static table; or from there as a whole
            my %whole = ("\x88" => 200, "\x8c" => 400, "\x8d" => 404, "\x8e" => 500);
            $payload =~ s/^\x20//;
            $s->{status} = $whole{substr $payload, 0, 1} || ($payload =~ /^[\x08\x48]\x03(\d{3})/)[0] || 0;
        } elsif ($type eq 'DATA') {
            $s->{body} .= $payload;
        } elsif ($type eq 'RST_STREAM') {
            @$s{qw(end error)} = (1, 'reset');
        } elsif ($type eq 'GOAWAY') {
            return { status => 0, error => 'goaway', body => '' };
        } elsif ($type eq 'SETTINGS' and !($flags & 1)) {
            $self->write(frame('SETTINGS', 1, 0, ''));
        } elsif ($type eq 'PING') {
            return { status => 0, error => 'ping', body => '' } if !$wanted;
        }
        $s->{end} = 1 if ($type eq 'HEADERS' or $type eq 'DATA') and $flags & 1;
    }
    my $s = delete $self->{streams}{$wanted};
    $s->{json} = decode_json($s->{body}) if $s->{body} =~ /^\{/;
    return $s;
}

1;
