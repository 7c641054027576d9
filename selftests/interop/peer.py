# SPDX-License-Identifier: MIT
"""What cells are, how processes run, and what every peer can be asked."""
import dataclasses
import itertools
import os
import re
import signal
import subprocess
import tempfile
import time

import suites

TIMEOUT = 30
REQUEST = b'GET / HTTP/1.0\r\n\r\n'
PAGE = '<title>socktls</title>'
PSK_IDENTITY = 'device-7'
PSK = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'


@dataclasses.dataclass(frozen=True)
class Cell:
    """One thing that is tried."""
    role: str			# of the engine: 'client' or 'server'
    suite: suites.Suite
    resume: str = 'full'	# 'full', 'id', 'ticket', 'psk' (a ticket of TLS 1.3)
				# or 'external' (a PSK that both had before)
    mutual: bool = False
    group: str = ''		# IANA name; empty: whatever both like best

    @property
    def count(self):
        """Connections that it takes."""
        return 1 if self.resume in ('full', 'external') else 2

    @property
    def external(self):
        return self.resume == 'external'

    @property
    def identity(self):
        return 'server-ecdsa' if self.suite.ecdsa else 'server-rsa'

    @property
    def client_identity(self):
        return 'client-ecdsa' if self.suite.ecdsa else 'client-rsa'

    def __str__(self):
        words = [f'engine as {self.role}', self.suite.iana, self.resume]
        words += ['mutual'] if self.mutual else []
        words += [self.group] if self.group else []
        return ', '.join(words)


class Failure(Exception):
    """A cell fails."""


class Place:
    """Where processes run: the tree with the peers, a port for each, files.

    The directory of files is below the tree's root, so that it has two names.
    """

    def __init__(self, root, build):
        self.root, self.build = root, build
        self.outer = tempfile.mkdtemp(prefix='interop.', dir=root + '/run')
        self.inner = self.outer[len(root):]
        self.ids = self.inner + '/pki/identities'
        self.ca = self.inner + '/pki/trust/ca.pem'
        self.ports = itertools.count(20000)
        self.names = itertools.count()
        self.engine_inside = False

    def port(self):
        return next(self.ports)

    def file(self, suffix=''):
        """A new file's name, as the peer sees it."""
        return f'{self.inner}/{next(self.names)}{suffix}'

    def parameters(self, group):
        """File of the DH parameters of a group of RFC 7919."""
        return f'{self.inner}/{group if "ffdhe" in group else "ffdhe2048"}.pem'

    def write(self, name, text):
        with open(self.root + name, 'w', encoding='utf-8') as file:
            file.write(text)

    def read(self, name):
        try:
            with open(self.root + name, encoding='utf-8',
                      errors='replace') as file:
                return file.read()
        except FileNotFoundError:
            return ''

    def inside(self, *argv, cwd='/'):
        """A command line that runs in the tree."""
        return ['chroot', self.root, '/usr/bin/env', '-i', '-C', cwd,
                'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
                'LC_ALL=C.UTF-8', 'HOME=/root', *argv]

    def engine(self, name, *argv):
        if self.engine_inside:
            return self.inside(f'{self.inner}/{name}', *argv)
        return [f'{self.build}/selftests/native/{name}', *argv]

    def engine_path(self, path):
        return path if self.engine_inside else self.root + path

    def run(self, argv, data=b''):
        """(status, output and errors as text)"""
        with subprocess.Popen(argv, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              start_new_session=True) as process:
            try:
                out, _ = process.communicate(data, TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                out, _ = process.communicate()
                out += b'\n(killed: no end)'
        return process.returncode, out.decode(errors='replace')

    def tool(self, *argv):
        status, text = self.run(self.inside(*argv))
        if status:
            raise Failure(f'{argv[0]}: {text}')

    def nss_database(self, directory, identities):
        """Makes one for NSS, with the CA and certificates of one's own."""
        database = 'sql:' + directory
        self.tool('mkdir', '-p', directory)
        self.tool('certutil', '-N', '-d', database, '--empty-password')
        self.tool('certutil', '-A', '-d', database, '-n', 'ca', '-t', 'CT,C,',
                  '-a', '-i', self.ca)
        for name in identities:
            files, p12 = f'{self.ids}/{name}', self.file('.p12')
            self.tool('openssl', 'pkcs12', '-export', '-in',
                      f'{files}/chain.pem', '-inkey', f'{files}/key.pem',
                      '-name', name, '-out', p12, '-passout', 'pass:')
            self.tool('pk12util', '-i', p12, '-d', database, '-W', '')

    def output(self, *argv):
        return self.run(self.inside(*argv))[1]


def listens(port):
    """Does anything in this network namespace listen on it?"""
    wanted = f':{port:04X} '
    for path in ('/proc/net/tcp', '/proc/net/tcp6'):
        with open(path, encoding='ascii') as file:
            for line in file:
                fields = line.split()
                if fields[3] == '0A' and (fields[1] + ' ').endswith(wanted):
                    return True
    return False


class Server:
    """A process that listens; its output goes to a file."""

    def __init__(self, place, argv, port, stdin=subprocess.DEVNULL):
        self.place = place
        self.log = place.file('.log')
        with open(place.root + self.log, 'wb') as log:
            self.process = subprocess.Popen(
                argv, stdin=stdin, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True)
        self.wait_for(port)

    def wait_for(self, port):
        end = time.monotonic() + TIMEOUT
        while not listens(port):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise Failure('the server does not listen: ' + self.text())
            time.sleep(0.01)

    def text(self):
        return self.place.read(self.log)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


NEGOTIATED = re.compile(r'^negotiated: TLS (\S+), (\w+), group (\w+), '
                        r'signature \w+, alpn .*, resumed (\w+), peer (.*)$',
                        re.M)


def check_report(cell, text):
    """The engine's own report is what the cell is about."""
    found = NEGOTIATED.findall(text)
    if len(found) < cell.count:
        raise Failure('no handshake: ' + text)
    for number, row in enumerate(found):
        version, suite, group, resumed, peer = row
        wanted = 'yes' if number and cell.resume != 'full' else 'no'
        if (version, suite) != (cell.suite.version, cell.suite.iana):
            raise Failure(f'{suite} was negotiated')
        if cell.group and group != cell.group:
            raise Failure(f'{group} was negotiated')
        if resumed != wanted:
            raise Failure(f'connection {number + 1}: resumed {resumed}')
        if cell.external and peer != 'psk:' + PSK_IDENTITY:
            raise Failure(f'no external PSK: peer {peer}')
        if cell.role == 'server' and cell.mutual and \
                cell.client_identity not in peer:
            raise Failure(f'connection {number + 1}: peer {peer}')


class Peer:
    """An implementation of TLS; one below for each."""
    name = ''
    external = False		# its programs take an external PSK in TLS 1.3

    def __init__(self, place):
        self.place = place
        self.suites = {}	# code: the peer's name of it

    def version(self):
        raise NotImplementedError

    def lack(self, cell):
        """Why the peer cannot do it, or None."""
        if cell.suite.code not in self.suites:
            return 'the peer has no such suite'
        return self.lack_more(cell)

    def lack_external(self, cell):
        del cell
        if self.external:
            return None
        return 'not tried: its program has no options for identity and key'

    def lack_more(self, cell):
        return None

    def serve(self, cell, port):
        """Start the peer's server; returns a Server."""
        raise NotImplementedError

    def connect(self, cell, port):
        """Connect with the peer's client as often as the cell says, resuming
        on the second; returns what came back. Raises Failure."""
        raise NotImplementedError

    # --- a cell ---------------------------------------------------------------

    def trust(self, cell):
        """What the engine trusts."""
        return self.place.ca

    def engine_options(self, cell):
        path = self.place.engine_path
        options = ['--tls', cell.suite.version,
                   '--suite', f'0x{cell.suite.code:04x}',
                   '--policy', 'legacy', '--trust', path(self.trust(cell))]
        if cell.external:
            options += ['--psk', f'{PSK_IDENTITY}:{PSK}']
        return options + (['--group', cell.group] if cell.group else [])

    def try_client(self, cell):
        port, path = self.place.port(), self.place.engine_path
        argv = [f'127.0.0.1:{port}', '--name', 'localhost', '--get',
                str(cell.count), *self.engine_options(cell)]
        if cell.mutual:
            argv += ['--identity-dir',
                     path(f'{self.place.ids}/{cell.client_identity}')]
        with self.serve(cell, port) as server:
            status, text = self.place.run(
                self.place.engine('engine-client', *argv))
        try:
            check_report(cell, text)
            if status:
                raise Failure(text)
        except Failure as failure:
            raise Failure(f'{failure}; peer: {server.text()[-600:]}') from None

    def try_server(self, cell):
        port, path = self.place.port(), self.place.engine_path
        argv = ['--port', str(port), '--http', *self.engine_options(cell)]
        if not cell.external:
            argv += ['--identity-dir',
                     path(f'{self.place.ids}/{cell.identity}')]
        if cell.mutual:
            argv += ['--client-auth', 'require']
        if cell.count > 1:
            argv += ['--resume', 'id' if cell.resume == 'id' else 'ticket']
        with Server(self.place, self.place.engine('engine-server', *argv),
                    port) as server:
            text = self.connect(cell, port)
        try:
            check_report(cell, server.text())
            if PAGE not in text:
                raise Failure('no page came')
        except Failure as failure:
            raise Failure(f'{failure}; peer: {text[-600:]}') from None

    def attempt(self, cell):
        """Raises Failure."""
        (self.try_client if cell.role == 'client' else self.try_server)(cell)

    def client_run(self, *argv, data=REQUEST, cwd='/', status=(0,)):
        code, text = self.place.run(self.place.inside(*argv, cwd=cwd), data)
        if status and code not in status:
            raise Failure(f'exit status {code}: {text[-800:]}')
        return text
