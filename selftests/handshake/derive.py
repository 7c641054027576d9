# SPDX-License-Identifier: MIT
"""
TLS 1.2 from its RFCs, for RSA key exchange: from the private key and the bytes of
a capture to secrets, keys and plaintext. It shares nothing with the engine or the
module.
"""
import hashlib
import hmac
import subprocess

import wire

# Suite: hash of the PRF, MAC (None: an AEAD), lengths of MAC key, key, IV.
SUITES = {
    0x003c: ('sha256', 'sha256', 32, 16, 0),
    0x009c: ('sha256', None, 0, 16, 4),
    0x009d: ('sha384', None, 0, 32, 4),
}
EXTENDED_MASTER_SECRET, ENCRYPT_THEN_MAC = 23, 22
BLOCK = 16


def openssl(*arguments, data=b''):
    return subprocess.run(['openssl', *arguments], input=data,
                          capture_output=True, check=False)


def prf(name, secret, label, seed, length):
    """RFC 5246 section 5."""
    seed, out = label + seed, b''
    a = seed
    while len(out) < length:
        a = hmac.new(secret, a, name).digest()
        out += hmac.new(secret, a + seed, name).digest()
    return out[:length]


def decrypt_premaster(key_file, encrypted):
    """None when the key does not fit."""
    done = openssl('pkeyutl', '-decrypt', '-inkey', key_file,
                   '-pkeyopt', 'rsa_padding_mode:pkcs1', data=encrypted)
    return done.stdout if done.returncode == 0 else None


def split(data):
    """Handshake messages, header included."""
    found = []
    while data:
        length = 4 + int.from_bytes(data[1:4], 'big')
        found.append(data[:length])
        data = data[length:]
    return found


def plaintext_handshake(conversation):
    """Messages in the clear, in order: (sender, type, bytes with header)."""
    sent = {}
    for sender in ('client', 'server'):
        data = b''
        for kind, _, body in conversation.raw_records(sender):
            if kind == wire.CCS:
                break
            if kind == wire.HANDSHAKE:
                data += body
        sent[sender] = [(sender, m[0], m) for m in split(data)]
    # The order of figures 1 and 2, and of RFC 5077's: a ticket comes last.
    tickets = [m for m in sent['server'] if m[1] == wire.NEW_SESSION_TICKET]
    return sent['client'][:1] + \
        [m for m in sent['server'] if m not in tickets] + \
        sent['client'][1:] + tickets


class Secrets:
    """Keys from a master secret, and what they open."""

    def __init__(self, conversation):
        self.conversation = conversation
        hello = conversation.message(wire.SERVER_HELLO)
        self.suite = hello.number('tls.handshake.ciphersuite')
        (self.prf_hash, self.mac, self.mac_len, self.key_len,
         self.iv_len) = SUITES[self.suite]
        self.client_random = conversation.message(
            wire.CLIENT_HELLO).one('tls.handshake.random')
        self.server_random = hello.one('tls.handshake.random')
        self.extended = EXTENDED_MASTER_SECRET in hello.extensions()
        self.etm = ENCRYPT_THEN_MAC in hello.extensions()
        self.transcript = b''.join(
            bytes_ for _, _, bytes_ in plaintext_handshake(conversation))

    def hash(self, data):
        return hashlib.new(self.prf_hash, data).digest()

    def derive_keys(self):
        """RFC 5246 section 6.3: for each side MAC key, write key, IV."""
        lengths = [self.mac_len] * 2 + [self.key_len] * 2 + [self.iv_len] * 2
        block = prf(self.prf_hash, self.master, b'key expansion',
                    self.server_random + self.client_random, sum(lengths))
        parts = []
        for length in lengths:
            parts.append(block[:length])
            block = block[length:]
        return {'client': parts[0::2], 'server': parts[1::2]}

    def verify_data(self, sender, messages):
        return prf(self.prf_hash, self.master, sender.encode() + b' finished',
                   self.hash(messages), 12)

    def open_records(self, sender):
        """Protected records of a side: (type, plaintext), MACs checked."""
        records = self.conversation.raw_records(sender)
        kinds = [kind for kind, _, _ in records]
        behind = records[kinds.index(wire.CCS) + 1:]
        assert wire.CCS not in kinds[kinds.index(wire.CCS) + 1:]
        return [(kind, self.open_cbc(sender, sequence, kind, version, body))
                for sequence, (kind, version, body) in enumerate(behind)]

    def open_cbc(self, sender, sequence, kind, version, body):
        """RFC 5246 section 6.2.3.2, RFC 7366."""
        mac_key, key, _ = self.keys[sender]
        what = f'{self.conversation.name}: record {sequence} of the {sender}'
        if self.etm:
            body, tag = body[:-self.mac_len], body[-self.mac_len:]
            assert tag == self.tag(mac_key, sequence, kind, version, body), \
                what + ' has a wrong MAC'
        assert len(body) % BLOCK == 0 and len(body) >= 2 * BLOCK, what
        plain = openssl('enc', '-d', f'-aes-{8 * len(key)}-cbc', '-nopad',
                        '-K', key.hex(), '-iv', body[:BLOCK].hex(),
                        data=body[BLOCK:]).stdout
        padding = plain[-1] + 1
        assert plain[-padding:] == bytes([padding - 1]) * padding, \
            what + ' has wrong padding'
        plain = plain[:-padding]
        if self.etm:
            return plain
        plain, tag = plain[:-self.mac_len], plain[-self.mac_len:]
        assert tag == self.tag(mac_key, sequence, kind, version, plain), \
            what + ' has a wrong MAC'
        return plain

    def tag(self, mac_key, sequence, kind, version, data):
        header = sequence.to_bytes(8, 'big') + bytes([kind]) + \
            version.to_bytes(2, 'big') + len(data).to_bytes(2, 'big')
        return hmac.new(mac_key, header + data, self.mac).digest()

    def keylog_line(self):
        return f'CLIENT_RANDOM {self.client_random.hex()} {self.master.hex()}'


class Derivation(Secrets):
    """Every secret of one connection with RSA key exchange."""

    def __init__(self, conversation, key_file):
        super().__init__(conversation)
        self.premaster = decrypt_premaster(key_file, conversation.message(
            wire.CLIENT_KEY_EXCHANGE).one('tls.handshake.epms'))
        assert self.premaster, 'the ClientKeyExchange does not decrypt'
        self.master = self.derive_master()
        self.keys = self.derive_keys()

    def derive_master(self):
        """RFC 5246 section 8.1, RFC 7627 section 4."""
        if not self.extended:
            return prf(self.prf_hash, self.premaster, b'master secret',
                       self.client_random + self.server_random, 48)
        # The session hash ends with ClientKeyExchange.
        data = b''
        for _, kind, bytes_ in plaintext_handshake(self.conversation):
            data += bytes_
            if kind == wire.CLIENT_KEY_EXCHANGE:
                break
        return prf(self.prf_hash, self.premaster, b'extended master secret',
                   self.hash(data), 48)


class Resumption(Secrets):
    """The secrets of one that resumes the session of another."""

    def __init__(self, conversation, first):
        super().__init__(conversation)
        self.master = first.master
        self.keys = self.derive_keys()
