# SPDX-License-Identifier: MIT
"""
verify.py DIR [NAME...]: judges what selftests/handshake/guest captured in DIR.
The tests are in steps.py and resume.py; each looks at both roles, that is, at a
conversation whose server is a socket of the module and at one whose client is.
"""
import os
import sys

import derive
import netlink
import resume
import steps
import wire

SPEC = 'Documentation/netlink/specs/socktls.yaml'


def read_keylog(path):
    """{(label, client random): secret}"""
    with open(path, encoding='ascii') as file:
        rows = [line.split() for line in file if not line.startswith('#')]
    return {(label, bytes.fromhex(random)): bytes.fromhex(secret)
            for label, random, secret in rows}


class World:
    """All that a test may look at."""

    def __init__(self, directory):
        self.directory = directory
        with open(self.path('conns'), encoding='ascii') as file:
            table = [line.split() for line in file]
        table = [(name, role, int(port)) for name, role, port in table]
        self.our_keys = read_keylog(self.path('keys.socktls'))
        self.peer_keys = read_keylog(self.path('keys.openssl'))
        self.conversations = wire.load(
            self.path('wire.pcap'), self.path('keys.socktls'), table)
        self.handshakes = netlink.load(self.path('netlink.pcap'), SPEC)
        self.derivations = {}

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def identity(self, name, file='key.pem'):
        return self.path('pki', 'identities', name, file)

    def certificate(self, name):
        """The leaf of an identity, in DER."""
        return derive.openssl('x509', '-in', self.identity(name, 'chain.pem'),
                              '-outform', 'DER').stdout

    def both(self, name):
        """The conversation of that name with our server, with our client."""
        return [self.conversations['s-' + name],
                self.conversations['c-' + name]]

    def derivation(self, conversation):
        if conversation.name not in self.derivations:
            self.derivations[conversation.name] = derive.Derivation(
                conversation, self.identity('server-rsa'))
        return self.derivations[conversation.name]

    def handshake(self, conversation):
        hello = conversation.messages('client')[0]
        return self.handshakes[hello.one('tls.handshake.random')]

    def text(self, conversation, side):
        """What a program of that conversation printed, errors included."""
        names = {'client': ['.client', '.client.err'], 'server': ['.server']}
        text = ''
        for name in names[side]:
            with open(self.path(conversation.name + name),
                      encoding='utf-8') as file:
                text += file.read()
        return text

    def status(self, conversation):
        """Exit status of the client."""
        with open(self.path(conversation.name + '.client.status'),
                  encoding='ascii') as file:
            return int(file.read())


def run(name, test, world):
    try:
        test(world)
    except AssertionError as error:
        return str(error) or f'line {error.__traceback__.tb_next.tb_lineno}'
    except (LookupError, ValueError) as error:
        return f'{type(error).__name__}: {error}'
    return None


def main(directory, names):
    world = World(directory)
    tests = {**steps.TESTS, **resume.TESTS}
    unknown = set(names) - set(tests)
    failed = 0

    assert not unknown, f'no test is called {unknown}'
    tests = {n: t for n, t in tests.items() if not names or n in names}
    print(f'1..{len(tests)}')
    for number, (name, test) in enumerate(tests.items(), 1):
        why = run(name, test, world)
        print(f'{"not ok" if why else "ok"} {number} - {name}')
        for line in (why or '').splitlines():
            print('#', line)
        failed += why is not None
    print(f'{len(tests) - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2:]))
