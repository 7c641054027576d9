# SPDX-License-Identifier: MIT
"""Cipher suites, from their IANA names, in the dialects of the peers."""
import re


class Suite:
    """A suite: what its name says."""

    def __init__(self, code, iana):
        self.code, self.iana = code, iana
        match = re.fullmatch(r'TLS_(?:(\w+)_WITH_)?(\w+?)(?:_(SHA\d*))?', iana)
        self.exchange, self.cipher, self.hash = match.groups()
        self.version = '1.2' if self.exchange else '1.3'
        self.ecdsa = bool(self.exchange) and 'ECDSA' in self.exchange

    @property
    def kind(self):
        """The key exchange as the table has it."""
        if not self.exchange:
            return '1.3'
        return '1.2 ' + self.exchange.split('_')[0]

    def gnutls(self):
        """A priority string that allows nothing else."""
        cipher = self.cipher.replace('_', '-')
        mac = 'AEAD'
        if cipher.endswith('CBC'):
            mac = 'SHA1' if self.hash == 'SHA' else self.hash
        parts = ['NONE', f'+VERS-TLS{self.version}', f'+{cipher}', f'+{mac}',
                 '+SIGN-ALL', '+COMP-NULL', '+GROUP-ALL', '+CTYPE-X509']
        parts += [f'+{self.exchange.replace("_", "-")}'] if self.exchange \
            else ['+ECDHE-RSA', '+ECDHE-ECDSA']
        return ':'.join(parts)

    def mbedtls(self):
        name = self.iana.replace('TLS_', 'TLS1-3-', 1) \
            if self.version == '1.3' else self.iana
        return name.replace('_', '-')

    def wolfssl(self, openssl_name):
        """wolfSSL follows OpenSSL, mostly."""
        if self.version == '1.2':
            return openssl_name.replace('CCM8', 'CCM-8')
        name = self.iana.replace('TLS_', 'TLS13-', 1).replace('AES_', 'AES')
        return name.replace('_', '-')

    def nss(self):
        return f':{self.code:04x}'


def parse(listing):
    """Suites from the engine's own list: lines of code and name."""
    return [Suite(int(code, 16), name) for code, name in
            (line.split() for line in listing.splitlines())]
