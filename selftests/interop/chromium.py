# SPDX-License-Identifier: MIT
"""Chromium, headless: a client of BoringSSL."""
import json
import os
import re
import socket
import threading

from peer import Failure, Peer

POLICIES = '/etc/chromium/policies/managed'
# Shows whatever certificate the database has, without asking anybody.
POLICY = {'AutoSelectCertificateForUrls':
          [json.dumps({'pattern': 'https://localhost', 'filter': {}})]}
OPTIONS = (
    '--headless', '--disable-gpu', '--no-first-run', '--dump-dom',
    '--disable-background-networking', '--disable-dev-shm-usage',
    '--no-sandbox',		# it runs as root
    '--disable-web-security',	# the page of a file may read from a server
)


def vector(data, at, width):
    """(the vector at that place, where it ends)"""
    end = at + width + int.from_bytes(data[at:at + width])
    return data[at + width:end], end


def numbers(data):
    return {int.from_bytes(data[i:i + 2]) for i in range(0, len(data), 2)}


def parse_hello(record):
    """(cipher suites, groups) of a record with a ClientHello"""
    at = 5 + 4 + 2 + 32
    _, at = vector(record, at, 1)
    suites, at = vector(record, at, 2)
    _, at = vector(record, at, 1)
    extensions, _ = vector(record, at, 2)
    at, groups = 0, b''
    while at < len(extensions):
        kind = int.from_bytes(extensions[at:at + 2])
        body, at = vector(extensions, at + 2, 2)
        if kind == 10:
            groups = vector(body, 0, 2)[0]
    return numbers(suites), numbers(groups)


def receive(connection):
    """A whole record."""
    data = b''
    while len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5]):
        part = connection.recv(65536)
        if not part:
            break
        data += part
    return data


class Chromium(Peer):
    name = 'Chromium'
    groups = {'x25519': 29, 'secp256r1': 23, 'secp384r1': 24,
              'secp521r1': 25, 'x448': 30, 'ffdhe2048': 256,
              'ffdhe3072': 257, 'ffdhe4096': 258, 'X25519MLKEM768': 4588}

    def __init__(self, place):
        super().__init__(place)
        for name in ('', 'client-rsa', 'client-ecdsa'):
            self.make_home(name)
        os.makedirs(place.root + POLICIES, exist_ok=True)
        place.write(POLICIES + '/socktls.json', json.dumps(POLICY))
        self.offers = self.hello('1.3'), self.hello('1.2')

    def home(self, identity):
        return f'{self.place.inner}/chromium.{identity}'

    def make_home(self, identity):
        """Where Chromium looks for CAs and its own certificate."""
        self.place.nss_database(self.home(identity) + '/.pki/nssdb',
                                [identity] if identity else [])

    def version(self):
        return self.place.output('dpkg-query', '-W', '-f', '${Version}',
                                 'chromium').split('-')[0]

    def browse(self, version, port, count, identity=''):
        place, limit = self.place, f'tls{version}'
        argv = ['env', 'HOME=' + self.home(identity), 'chromium', *OPTIONS,
                '--user-data-dir=' + place.file('.profile'),
                f'--ssl-version-min={limit}' if version == '1.3' else
                f'--ssl-version-max={limit}',
                f'file://{place.inner}/chromium.html?{port},{count}']
        return place.run(place.inside(*argv))

    def hello(self, version):
        """What it offers, from a ClientHello that nobody answers."""
        port, records = self.place.port(), []

        def accept(listener):
            connection, _ = listener.accept()
            records.append(receive(connection))
            connection.close()

        with socket.create_server(('127.0.0.1', port)) as listener:
            listener.settimeout(30)
            thread = threading.Thread(target=accept, args=(listener,))
            thread.start()
            text = self.browse(version, port, 1)[1]
            thread.join()
        if not records or not records[0]:
            raise Failure('Chromium does not connect: ' + text[-600:])
        return parse_hello(records[0])

    def lack(self, cell):
        if cell.role == 'client':
            return 'Chromium is a client only'
        suites, groups = self.offers[cell.suite.version == '1.2']
        if cell.suite.code not in suites:
            return 'the peer has no such suite'
        if cell.group and self.groups[cell.group] not in groups:
            return 'the peer has no such group'
        return None

    def connect(self, cell, port):
        status, text = self.browse(
            cell.suite.version, port, cell.count,
            cell.client_identity if cell.mutual else '')
        # What it says of the desktop that is not there.
        text = re.sub(r'^.*dbus.*\n', '', text, flags=re.M)
        if status:
            raise Failure(f'exit status {status}: {text[-800:]}')
        return text


PEERS = [Chromium]
