# SPDX-License-Identifier: MIT
"""What went over the wire, decoded by tshark."""
import subprocess
import xml.etree.ElementTree as ElementTree

CCS, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23

(CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, CERTIFICATE,
 SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE,
 CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED) = (
    1, 2, 4, 11, 12, 13, 14, 15, 16, 20)


class Fields:
    """An element of tshark's output, its fields looked up by name."""

    def __init__(self, element):
        self.element = element

    def elements(self, name):
        return [f for f in self.element.iter('field') if f.get('name') == name]

    def all(self, name):
        """Values of every field of that name, as bytes."""
        return [bytes.fromhex(f.get('value', '')) for f in self.elements(name)]

    def one(self, name):
        values = self.all(name)
        assert len(values) == 1, f'{name} occurs {len(values)} times'
        return values[0]

    def number(self, name):
        return int.from_bytes(self.one(name), 'big')

    def numbers(self, name):
        return [int.from_bytes(value, 'big') for value in self.all(name)]


class Message(Fields):
    """A handshake message that tshark could read."""

    def __init__(self, element, record):
        super().__init__(element)
        self.record = record
        self.type = self.number('tls.handshake.type')

    def extensions(self):
        return self.numbers('tls.handshake.extension.type')

    def certificates(self):
        return self.all('tls.handshake.certificate')


class Record(Fields):
    """A TLS record; messages are those that tshark found in it."""

    def __init__(self, element, sender):
        super().__init__(element)
        self.sender = sender
        outer = [f for f in element.findall('field')
                 if f.get('name', '').startswith('tls.record.')]
        values = {f.get('name'): f for f in outer}
        # Where tshark knows the inner type of TLS 1.3, the outer is opaque.
        kind = values.get('tls.record.content_type',
                          values.get('tls.record.opaque_type'))
        self.type = int(kind.get('show'))
        self.length = int(values['tls.record.length'].get('show'))
        self.version = int(values['tls.record.version'].get('show'), 16)
        self.messages = [Message(f, self)
                         for f in self.elements('tls.handshake')
                         if any(g.get('name') == 'tls.handshake.type'
                                for g in f)]

    def alert(self):
        """(level, description), where tshark could read it."""
        levels = self.numbers('tls.alert_message.level')
        return (levels[0], self.number('tls.alert_message.desc')) \
            if levels else None


class Conversation:
    """Records and bytes of one connection."""

    def __init__(self, name, role, port):
        self.name, self.role, self.port = name, role, port
        self.records = []
        self.stream = {'client': b'', 'server': b''}

    def sender(self, port):
        return 'server' if port == self.port else 'client'

    def messages(self, sender=None):
        return [message for record in self.records
                if sender in (None, record.sender)
                for message in record.messages]

    def types(self, sender=None):
        return [message.type for message in self.messages(sender)]

    def message(self, kind, sender=None):
        found = [m for m in self.messages(sender) if m.type == kind]
        assert len(found) == 1, \
            f'{self.name}: {len(found)} messages of type {kind}'
        return found[0]

    def alerts(self):
        return [(record.sender, record.alert()) for record in self.records
                if record.type == ALERT and record.alert()]

    def of(self, sender, kind=None):
        return [record for record in self.records
                if record.sender == sender and kind in (None, record.type)]

    def raw_records(self, sender):
        """(type, version, body) of each record, cut from the bytes."""
        stream, at, found = self.stream[sender], 0, []

        while at + 5 <= len(stream):
            length = int.from_bytes(stream[at + 3:at + 5], 'big')
            found.append((stream[at],
                          int.from_bytes(stream[at + 1:at + 3], 'big'),
                          stream[at + 5:at + 5 + length]))
            at += 5 + length
        assert at == len(stream), f'{self.name}: a record is cut off'
        return found


def tshark(capture, *options):
    """tshark's output for the capture, every port of it being TLS."""
    command = ['tshark', '-r', capture, '-d', 'tcp.port==4434-4600,tls',
               '-o', 'tcp.desegment_tcp_streams:TRUE', *options]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def numbers(table, capture):
    """{tcp.stream: conversation}: those of a port in order of their begin."""
    out = tshark(capture, '-Y', 'tcp.flags.syn == 1 && tcp.flags.ack == 0',
                 '-T', 'fields', '-e', 'tcp.stream', '-e', 'tcp.dstport')
    left, found = list(table), {}
    for line in out.decode().splitlines():
        stream, port = (int(field) for field in line.split())
        mine = [c for c in left if c.port == port]
        if stream in found:	# a SYN once more
            continue
        assert mine, f'port {port} has more connections than expected'
        found[stream] = mine[0]
        left.remove(mine[0])
    assert not left, f'no connection for {left[0].name}'
    return found


def attach_streams(capture, by_stream):
    """The bytes of each direction; a slow VM retransmits some."""
    out = tshark(capture, '-Y', 'tcp.len > 0', '-T', 'fields',
                 '-e', 'tcp.stream', '-e', 'tcp.srcport', '-e', 'tcp.seq',
                 '-e', 'tcp.payload').decode()
    for line in out.splitlines():
        number, source, sequence, payload = line.split('\t')
        conversation = by_stream[int(number)]
        sender = conversation.sender(int(source))
        stream, start = conversation.stream[sender], int(sequence) - 1
        assert start <= len(stream), \
            f'{conversation.name}: TCP segments are missing'
        conversation.stream[sender] = stream + \
            bytes.fromhex(payload)[len(stream) - start:]


def attach_records(capture, keys, by_stream):
    out = tshark(capture, '-o', f'tls.keylog_file:{keys}', '-Y', 'tls',
                 '-T', 'pdml')
    for packet in ElementTree.fromstring(out).findall('packet'):
        fields = Fields(packet)
        stream = fields.elements('tcp.stream')[0].get('show')
        conversation = by_stream[int(stream)]
        sender = conversation.sender(fields.number('tcp.srcport'))
        for proto in packet.findall('proto'):
            if proto.get('name') != 'tls':
                continue
            conversation.records += [
                Record(f, sender) for f in proto.findall('field')
                if f.get('name') == 'tls.record']


def load(capture, keys, table):
    """Conversations by name; table is a list of (name, role, port)."""
    conversations = [Conversation(*row) for row in table]
    by_stream = numbers(conversations, capture)

    attach_streams(capture, by_stream)
    attach_records(capture, keys, by_stream)
    return {c.name: c for c in conversations}
