# SPDX-License-Identifier: MIT
"""GnuTLS, mbedTLS, wolfSSL, NSS."""
import re

from peer import PSK, PSK_IDENTITY, Failure, PAGE, Peer, REQUEST, Server

WOLFSSL = '/usr/local/share/wolfssl'


class GnuTLS(Peer):
    name = 'GnuTLS'
    external = True
    groups = {'x25519': 'X25519', 'x448': 'X448', 'secp256r1': 'SECP256R1',
              'secp384r1': 'SECP384R1', 'secp521r1': 'SECP521R1',
              'X25519MLKEM768': 'X25519-MLKEM768'}

    def __init__(self, place):
        super().__init__(place)
        listing = place.output('gnutls-cli', '--list')
        for name, high, low in re.findall(
                r'^(TLS_\w+)\s+0x(\w\w), 0x(\w\w)', listing, re.M):
            self.suites[int(high + low, 16)] = name
        self.known_groups = listing.split('Groups:')[-1].split('\n')[0]

    def version(self):
        return self.place.output('gnutls-cli', '--version').split()[1]

    def group(self, cell):
        return 'GROUP-' + self.groups.get(cell.group, cell.group.upper())

    def lack_more(self, cell):
        if cell.group and self.group(cell) not in self.known_groups:
            return 'the peer has no such group'
        return None

    def priority(self, cell):
        priority = cell.suite.gnutls()
        if cell.external:
            priority += ':-KX-ALL:+ECDHE-PSK:+DHE-PSK'
        if cell.group:
            priority = priority.replace('+GROUP-ALL', '+' + self.group(cell))
        return priority

    def files(self, identity):
        directory = f'{self.place.ids}/{identity}'
        return ['--x509certfile', f'{directory}/chain.pem',
                '--x509keyfile', f'{directory}/key.pem']

    def serve(self, cell, port):
        argv = ['gnutls-serv', '--port', str(port), '--http', '-q',
                '--priority', self.priority(cell)]
        if cell.external:
            keys = self.place.file('.psk')
            self.place.write(keys, f'{PSK_IDENTITY}:{PSK}\n')
            argv += ['--pskpasswd', keys]
        else:
            argv += self.files(cell.identity)
        if cell.mutual:
            argv += ['--x509cafile', self.place.ca, '--require-client-cert',
                     '--verify-client-cert']
        else:
            argv += ['--disable-client-cert']
        argv += ['--noticket'] if cell.resume == 'id' else []
        return Server(self.place, self.place.inside(*argv), port)

    def connect(self, cell, port):
        argv = ['gnutls-cli', '--port', str(port), '--x509cafile',
                self.place.ca, '--priority', self.priority(cell)]
        argv += self.files(cell.client_identity) if cell.mutual else []
        if cell.external:
            argv += ['--pskusername', PSK_IDENTITY, '--pskkey', PSK]
        argv += ['--resume'] if cell.count > 1 else []
        argv += ['--waitresumption'] if cell.resume == 'psk' else []
        text = self.client_run(*argv, 'localhost')
        if cell.count > 1 and 'resumed session' not in text:
            raise Failure('gnutls-cli says that it did not resume: ' + text)
        return text


class MbedTLS(Peer):
    name = 'mbedTLS'
    external = True

    def __init__(self, place):
        super().__init__(place)
        self.listing = set(re.findall(r'TLS[\w-]+', place.output(
            'ssl_client2', 'help_ciphersuites')))

    def version(self):
        text = self.place.output('ssl_client2', 'build_version=1')
        return re.search(r'TLS ([\d.]+)', text).group(1)

    def lack(self, cell):
        if cell.suite.mbedtls() not in self.listing:
            return 'the peer has no such suite'
        if cell.group == 'X25519MLKEM768':
            return 'the peer has no such group'
        return None

    def options(self, cell, identity):
        version = cell.suite.version.replace('.', '')
        options = [f'force_ciphersuite={cell.suite.mbedtls()}',
                   f'force_version=tls{version}', f'ca_file={self.place.ca}']
        if identity:
            directory = f'{self.place.ids}/{identity}'
            options += [f'crt_file={directory}/chain.pem',
                        f'key_file={directory}/key.pem']
        if cell.group:
            options.append(f'groups={cell.group}')
        if cell.external:
            options += [f'psk={PSK}', f'psk_identity={PSK_IDENTITY}',
                        'tls13_kex_modes=psk_ephemeral']
        return options

    def serve(self, cell, port):
        tickets = 0 if cell.resume == 'id' else 1
        argv = ['ssl_server2', 'server_addr=127.0.0.1', f'server_port={port}',
                'auth_mode=' + ('required' if cell.mutual else 'none'),
                f'tickets={tickets}', *self.options(
                    cell, None if cell.external else cell.identity)]
        if cell.suite.kind == '1.2 DHE':
            argv.append('dhm_file=' + self.place.parameters(cell.group))
        return Server(self.place, self.place.inside(*argv), port)

    def connect(self, cell, port):
        argv = ['ssl_client2', 'server_addr=127.0.0.1', f'server_port={port}',
                'server_name=localhost', 'auth_mode=required',
                'request_page=/', f'reconnect={cell.count - 1}',
                'new_session_tickets=1', *self.options(
                    cell, cell.mutual and cell.client_identity)]
        if not cell.mutual:
            argv += ['crt_file=none', 'key_file=none']
        return self.client_run(*argv)


class WolfSSL(Peer):
    name = 'wolfSSL'

    def __init__(self, place):
        super().__init__(place)
        text = place.run(place.inside('wolfssl-client', '-e', cwd=WOLFSSL))[1]
        self.listing = set(text.strip().split(':'))
        self.openssl = {}	# the names it goes by: filled by table.py

    def version(self):
        text = self.place.run(self.place.inside(
            'wolfssl-client', '-?', cwd=WOLFSSL))[1]
        return re.search(r'client ([\d.]+)', text).group(1)

    def wants_rsa_issuer(self, cell):
        """Its server has these only with a certificate that RSA signed."""
        return cell.role == 'client' and \
            cell.suite.exchange == 'RSA' and cell.suite.cipher.endswith('CCM_8')

    def identity(self, cell):
        return 'self-signed-rsa' if self.wants_rsa_issuer(cell) else \
            cell.identity

    def trust(self, cell):
        if self.wants_rsa_issuer(cell):
            return f'{self.place.ids}/self-signed-rsa/chain.pem'
        return self.place.ca

    def suite_name(self, cell):
        return cell.suite.wolfssl(self.openssl.get(cell.suite.code, ''))

    def lack(self, cell):
        if self.suite_name(cell) not in self.listing:
            return 'the peer has no such suite'
        if cell.group == 'X25519MLKEM768':
            return 'the peer has no such group'
        return None

    def options(self, cell, identity):
        options = ['-v', '4' if cell.suite.version == '1.3' else '3',
                   '-l', self.suite_name(cell), '-A', self.place.ca, '-C']
        if identity:
            directory = f'{self.place.ids}/{identity}'
            options += ['-c', f'{directory}/chain.pem',
                        '-k', f'{directory}/key.pem']
        return options

    def serve(self, cell, port):
        options = self.options(cell, self.identity(cell))
        options[options.index('-C')] = '-V'
        argv = ['wolfssl-server', '-p', str(port), '-i', '-g', '-x', *options]
        argv += ['-F'] if cell.mutual else ['-d']
        argv += ['-Ta'] if cell.resume == 'id' else []
        return Server(self.place, self.place.inside(*argv, cwd=WOLFSSL), port)

    def connect(self, cell, port):
        argv = ['wolfssl-client', '-h', '127.0.0.1', '-p', str(port), '-g',
                '-S', 'localhost', *self.options(
                    cell, cell.mutual and cell.client_identity)]
        argv += [] if cell.mutual else ['-x']
        argv += ['-r'] if cell.resume != 'full' else []
        return self.client_run(*argv, cwd=WOLFSSL)


class NSS(Peer):
    name = 'NSS'
    external = True
    groups = {'x25519': 'x25519', 'secp256r1': 'P256', 'secp384r1': 'P384',
              'secp521r1': 'P521', 'ffdhe2048': 'FF2048',
              'ffdhe3072': 'FF3072', 'ffdhe4096': 'FF4096',
              'X25519MLKEM768': 'mlkem768x25519'}

    def __init__(self, place):
        super().__init__(place)
        self.database = place.inner + '/nss'
        place.nss_database(self.database, (
            'server-rsa', 'server-ecdsa', 'client-rsa', 'client-ecdsa'))

    def lack(self, cell):
        code = cell.suite.nss()
        if code not in self.suites:
            self.suites[code] = 'UNKNOWN_CIPHER' not in self.place.output(
                'tstclnt', '-h', 'localhost', '-p', '1', '-D', '-c', code)
        if not self.suites[code]:
            return 'the peer has no such suite'
        return self.lack_more(cell)

    def version(self):
        return self.place.output('dpkg-query', '-W', '-f', '${Version}',
                                 'libnss3').split(':')[-1].split('-')[0]

    def lack_more(self, cell):
        if cell.group and cell.group not in self.groups:
            return 'the peer has no such group'
        return None

    def lack_external(self, cell):
        if cell.role == 'client':
            return 'selfserv -z goes on with its certificate; why is not known'
        return None

    def options(self, cell):
        options = ['-d', self.database, '-V',
                   f'tls{cell.suite.version}:tls{cell.suite.version}',
                   '-c', cell.suite.nss()]
        options += ['-u'] if cell.resume != 'id' else []
        options += ['-I', self.groups[cell.group]] if cell.group else []
        if cell.external:
            options += ['-z', f'0x{PSK}:{PSK_IDENTITY}']
        return options

    def serve(self, cell, port):
        argv = ['selfserv', '-p', str(port), '-H', '1', *self.options(cell),
                '-e' if cell.suite.ecdsa else '-n', cell.identity]
        argv += ['-r', '-r'] if cell.mutual else []
        return Server(self.place, self.place.inside(*argv), port)

    def connect(self, cell, port):
        if cell.count > 1:
            return self.connect_again(cell, port)
        argv = ['tstclnt', '-h', 'localhost', '-p', str(port), '-4',
                *self.options(cell)]
        argv += ['-n', cell.client_identity] if cell.mutual else []
        # It ends by itself only when the request comes from a file.
        request = self.place.file('.request')
        self.place.write(request, REQUEST.decode())
        return self.client_run(*argv, '-A', request, status=None)

    def connect_again(self, cell, port):
        """strsclnt: one connection, then as many as it is told to."""
        argv = ['strsclnt', '-p', str(port), '-4', '-q', '-c', '2', '-t', '1',
                *self.options(cell)]
        argv[argv.index('-c', argv.index('-V'))] = '-C'
        argv += ['-n', cell.client_identity] if cell.mutual else []
        text = self.client_run(*argv, 'localhost')
        if not re.search(r'\b[1-9]\d* cache hits', text):
            raise Failure('strsclnt says that it did not resume: ' + text)
        return text + PAGE	# it keeps what it reads to itself


PEERS = [GnuTLS, MbedTLS, WolfSSL, NSS]
