# SPDX-License-Identifier: MIT
"""OpenSSL, and the programs that use it: curl, nginx, Node."""
import re
import urllib.request

from peer import PSK, PSK_IDENTITY, Failure, Peer, Server

GROUPS = {'secp256r1': 'P-256', 'secp384r1': 'P-384', 'secp521r1': 'P-521',
          'x25519': 'X25519', 'x448': 'X448'}


class OpenSSLFamily(Peer):
    """What all of them have in common."""

    def __init__(self, place):
        super().__init__(place)
        listing = place.output('openssl', 'ciphers', '-V', '-ciphersuites',
                               ':'.join((
                                   'TLS_AES_128_GCM_SHA256',
                                   'TLS_AES_256_GCM_SHA384',
                                   'TLS_CHACHA20_POLY1305_SHA256',
                                   'TLS_AES_128_CCM_SHA256',
                                   'TLS_AES_128_CCM_8_SHA256')),
                               'ALL:@SECLEVEL=0')
        for high, low, name in re.findall(
                r'^\s*0x(\w\w),0x(\w\w) - (\S+)', listing, re.M):
            self.suites[int(high + low, 16)] = name

    def suite_name(self, cell):
        return self.suites[cell.suite.code]

    def group_name(self, cell):
        return GROUPS.get(cell.group, cell.group)

    def cipher_list(self, cell):
        """In the syntax of TLS 1.2's list."""
        if cell.suite.version == '1.3':
            return 'ALL:@SECLEVEL=0'
        return self.suite_name(cell) + ':@SECLEVEL=0'


class OpenSSL(OpenSSLFamily):
    name = 'OpenSSL'
    external = True

    def version(self):
        return self.place.output('openssl', 'version').split()[1]

    def options(self, cell, identity):
        options = ['-tls1_2'] if cell.suite.version == '1.2' else \
            ['-tls1_3', '-ciphersuites', self.suite_name(cell)]
        options += ['-cipher', self.cipher_list(cell),
                    '-CAfile', self.place.ca, '-verify_return_error']
        if identity:
            directory = f'{self.place.ids}/{identity}'
            options += ['-cert', f'{directory}/chain.pem',
                        '-key', f'{directory}/key.pem']
        if cell.group:
            options += ['-groups', self.group_name(cell)]
        if cell.external:
            options += ['-psk_identity', PSK_IDENTITY, '-psk', PSK]
        return options

    def serve(self, cell, port):
        argv = ['openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-www',
                *self.options(cell, None if cell.external else cell.identity)]
        argv += ['-nocert'] if cell.external else []
        if cell.suite.kind == '1.2 DHE':
            argv += ['-dhparam', self.place.parameters(cell.group)]
        argv += ['-no_ticket'] if cell.resume == 'id' else []
        argv += ['-Verify', '2'] if cell.mutual else []
        return Server(self.place, self.place.inside(*argv), port)

    def connect(self, cell, port):
        session, text = self.place.file('.session'), ''
        for number in range(cell.count):
            argv = ['openssl', 's_client', '-connect', f'127.0.0.1:{port}',
                    '-servername', 'localhost', '-verify_hostname',
                    'localhost', '-ign_eof',
                    *self.options(cell, cell.mutual and cell.client_identity)]
            if cell.count > 1:
                argv += ['-sess_in' if number else '-sess_out', session]
            text = self.client_run(*argv)
        if cell.count > 1 and 'Reused, ' not in text:
            raise Failure('s_client says that it did not resume')
        return text


class Curl(OpenSSLFamily):
    name = 'curl'

    def version(self):
        words = self.place.output('curl', '--version').split()
        return f'{words[1]} with {words[4]}'

    def lack_more(self, cell):
        if cell.role == 'client':
            return 'curl is a client only'
        if cell.resume == 'ticket':
            return 'curl asks for no tickets in TLS 1.2 (SSL_OP_NO_TICKET)'
        return None

    def connect(self, cell, port):
        url = f'https://localhost:{port}/'
        argv = ['curl', '-sS', '-4', '--cacert', self.place.ca,
                f'--tlsv{cell.suite.version}', '--tls-max',
                cell.suite.version, '--ciphers', self.cipher_list(cell)]
        if cell.suite.version == '1.3':
            argv += ['--tls13-ciphers', self.suite_name(cell)]
        if cell.mutual:
            directory = f'{self.place.ids}/{cell.client_identity}'
            argv += ['--cert', f'{directory}/chain.pem',
                     '--key', f'{directory}/key.pem']
        if cell.group:
            argv += ['--curves', self.group_name(cell)]
        return self.client_run(*argv, *[url] * cell.count)


NGINX = '''daemon off; master_process off; pid {base}.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {base}.1;
proxy_temp_path {base}.2; fastcgi_temp_path {base}.3;
uwsgi_temp_path {base}.4; scgi_temp_path {base}.5;
server {{ listen 127.0.0.1:{listen}{ssl}; {more} }} }}
'''


class Nginx(OpenSSLFamily):
    name = 'nginx'

    def version(self):
        text = self.place.output('nginx', '-v').split('/')[-1].strip()
        openssl = self.place.output('openssl', 'version').split()[1]
        return f'{text} with OpenSSL {openssl}'

    def start(self, listen, ssl, more):
        base = self.place.file()
        self.place.write(base + '.conf', NGINX.format(
            base=base, listen=listen, ssl=ssl, more=more))
        return Server(self.place, self.place.inside(
            'nginx', '-e', 'stderr', '-c', base + '.conf'), listen)

    def directives(self, cell, prefix, identity):
        lines = [f'ssl_protocols TLSv{cell.suite.version}',
                 f'ssl_ciphers {self.cipher_list(cell)}']
        if cell.suite.version == '1.3':
            lines.append('ssl_conf_command Ciphersuites ' +
                         self.suite_name(cell))
        if cell.group:
            lines.append(f'ssl_conf_command Groups {self.group_name(cell)}')
        if identity:
            lines += [f'ssl_certificate {self.place.ids}/{identity}/chain.pem',
                      'ssl_certificate_key '
                      f'{self.place.ids}/{identity}/key.pem']
        return [prefix + line for line in lines]

    def serve(self, cell, port):
        lines = self.directives(cell, '', cell.identity)
        lines.append('ssl_session_tickets ' +
                     ('off' if cell.resume == 'id' else 'on'))
        lines.append('ssl_session_cache ' +
                     ('shared:s:1m' if cell.resume == 'id' else 'none'))
        if cell.suite.kind == '1.2 DHE':
            lines.append(f'ssl_dhparam {self.place.parameters(cell.group)}')
        if cell.mutual:
            lines += ['ssl_verify_client on',
                      f'ssl_client_certificate {self.place.ca}']
        more = '; '.join(lines) + '; location / { return 200 "nginx"; }'
        return self.start(port, ' ssl', more)

    def connect(self, cell, port):
        listen = self.place.port()
        lines = self.directives(cell, 'proxy_',
                                cell.mutual and cell.client_identity)
        lines += ['proxy_ssl_verify on', 'proxy_ssl_server_name on',
                  f'proxy_ssl_trusted_certificate {self.place.ca}',
                  'proxy_ssl_name localhost', 'proxy_ssl_session_reuse on',
                  f'proxy_pass https://127.0.0.1:{port}']
        more = 'location / { ' + '; '.join(lines) + '; }'
        with self.start(listen, '', more) as proxy:
            text = ''
            for _ in range(cell.count):
                try:
                    with urllib.request.urlopen(
                            f'http://127.0.0.1:{listen}/', timeout=20) as page:
                        text = page.read().decode()
                except OSError as error:
                    raise Failure(f'{error}: {proxy.text()}') from None
        return text


class Node(OpenSSLFamily):
    name = 'Node'

    def version(self):
        return self.place.output(
            'node', '-p', 'process.versions.node + " with OpenSSL " + '
            'process.versions.openssl').strip()

    def argv(self, cell, role, port, identity):
        """What node.js wants to know, in its order."""
        directory = f'{self.place.ids}/{identity}' if identity else ''
        ciphers = self.suite_name(cell)
        if cell.suite.version == '1.2':
            ciphers += ':@SECLEVEL=0'
        return ['node', f'{self.place.inner}/node.js', role, str(port),
                f'TLSv{cell.suite.version}', ciphers, cell.resume,
                'mutual' if cell.mutual else 'none', self.place.ca, directory,
                self.group_name(cell) or 'auto',
                self.place.parameters(cell.group)]

    def serve(self, cell, port):
        return Server(self.place, self.place.inside(
            *self.argv(cell, 'server', port, cell.identity)), port)

    def connect(self, cell, port):
        return self.client_run(*self.argv(
            cell, 'client', port, cell.mutual and cell.client_identity))


PEERS = [OpenSSL, Curl, Nginx, Node]
