#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints TLS records that OpenSSL made, and their keys, as C.

usage: vectors.py cbc > cbc_vectors.h; vectors.py aead > aead_vectors.h

For each suite a client and a server of OpenSSL (Python's ssl module) shake hands
in memory. The secret comes from the key log; the client's write keys are derived
from it here (RFC 5246 sections 5 and 6.3, RFC 8446 sections 7.1 and 7.3). The
vector is the client's first record of application data: its sequence number is 1
in TLS 1.2, as the Finished had 0, and 0 in TLS 1.3.
"""

import hmac
import os
import ssl
import subprocess
import sys
import tempfile

OP_NO_ENCRYPT_THEN_MAC = 1 << 19
PLAINTEXT = b"socktls: a record that OpenSSL protected\n"
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

# OpenSSL's name, the hash of its key schedule, size of the write key, of the IV
# in the key block; then size of the MAC key and hash of the MAC, or the cipher
CBC = [
    ("AES128-SHA", "sha256", 16, 0, 20, "sha1"),
    ("AES256-SHA", "sha256", 32, 0, 20, "sha1"),
    ("AES128-SHA256", "sha256", 16, 0, 32, "sha256"),
    ("AES256-SHA256", "sha256", 32, 0, 32, "sha256"),
    ("ECDHE-RSA-AES256-SHA384", "sha384", 32, 0, 48, "sha384"),
]
AEAD = [
    ("AES128-GCM-SHA256", "sha256", 16, 4, 0, "TLS_CIPHER_AES_GCM_128"),
    ("AES256-GCM-SHA384", "sha384", 32, 4, 0, "TLS_CIPHER_AES_GCM_256"),
    ("AES128-CCM", "sha256", 16, 4, 0, "TLS_CIPHER_AES_CCM_128"),
    ("ECDHE-RSA-CHACHA20-POLY1305", "sha256", 32, 12, 0,
     "TLS_CIPHER_CHACHA20_POLY1305"),
    ("ECDHE-ARIA128-GCM-SHA256", "sha256", 16, 4, 0,
     "TLS_CIPHER_ARIA_GCM_128"),
    ("ECDHE-ARIA256-GCM-SHA384", "sha384", 32, 4, 0,
     "TLS_CIPHER_ARIA_GCM_256"),
    ("TLS_AES_128_GCM_SHA256", "sha256", 16, 12, 0, "TLS_CIPHER_AES_GCM_128"),
    ("TLS_AES_256_GCM_SHA384", "sha384", 32, 12, 0, "TLS_CIPHER_AES_GCM_256"),
    ("TLS_AES_128_CCM_SHA256", "sha256", 16, 12, 0, "TLS_CIPHER_AES_CCM_128"),
    ("TLS_CHACHA20_POLY1305_SHA256", "sha256", 32, 12, 0,
     "TLS_CIPHER_CHACHA20_POLY1305"),
]


def prf(name, secret, label, seed, size):
    out, a = b"", label + seed
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + label + seed, name)
    return out[:size]


def expand_label(name, secret, label, size):
    label = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
    return hmac.digest(secret, info + b"\1", name)[:size]


class Peer:
    def __init__(self, context, server):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing,
                                    server_side=server)
        self.sent = b""

    def step(self, peer):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        data = self.outgoing.read()
        self.sent += data
        peer.incoming.write(data)


def make_context(protocol, suite, etm):
    version = V13 if suite.startswith("TLS_") else V12
    context = ssl.SSLContext(protocol)
    context.minimum_version = context.maximum_version = version
    if version == V12:
        context.set_ciphers(suite + ":@SECLEVEL=0")
    if not etm:
        context.options |= OP_NO_ENCRYPT_THEN_MAC
    return context


def handshake(suite, etm, directory):
    """Returns the peers and the lines of the key log, by label."""
    cert, key = os.path.join(directory, "cert"), os.path.join(directory, "key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
         "2", "-subj", "/CN=vectors", "-keyout", key, "-out", cert],
        check=True, stderr=subprocess.DEVNULL)
    log = os.path.join(directory, "keys")
    context = make_context(ssl.PROTOCOL_TLS_SERVER, suite, etm)
    context.load_cert_chain(cert, key)
    server = Peer(context, True)
    context = make_context(ssl.PROTOCOL_TLS_CLIENT, suite, etm)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.keylog_filename = log
    client = Peer(context, False)
    for _ in range(4):
        client.step(server)
        server.step(client)
    assert client.tls.cipher()[0] == suite, client.tls.cipher()
    with open(log, encoding="ascii") as lines:
        words = [line.split() for line in lines if line[0] != "#"]
    return client, server, {w[0]: bytes.fromhex(w[2]) for w in words}


def derive(suite, name, key_size, iv_size, mac_size, client, server, log):
    if suite.startswith("TLS_"):
        secret = log["CLIENT_TRAFFIC_SECRET_0"]
        return (b"", expand_label(name, secret, b"key", key_size),
                expand_label(name, secret, b"iv", iv_size))
    seed = server.sent[11:43] + client.sent[11:43]
    block = prf(name, log["CLIENT_RANDOM"], b"key expansion", seed,
                2 * (mac_size + key_size + iv_size))
    key, iv = 2 * mac_size, 2 * (mac_size + key_size)
    return block[:mac_size], block[key:key + key_size], block[iv:iv + iv_size]


def c_bytes(field, data):
    lines = [f"\t\t.{field} = {{"]
    for i in range(0, len(data), 8):
        lines.append("\t\t\t" + " ".join(f"0x{b:02x}," for b in data[i:i + 8]))
    return "\n".join(lines + ["\t\t},"])


def print_vector(row, etm):
    """In a process of its own, as OpenSSL reads its configuration once."""
    suite, name, key_size, iv_size, mac_size, algorithm = row
    with tempfile.TemporaryDirectory() as directory:
        client, server, log = handshake(suite, etm, directory)
    mac_key, key, iv = derive(suite, name, key_size, iv_size, mac_size, client,
                              server, log)
    client.tls.write(PLAINTEXT)
    record = client.outgoing.read()
    assert record[:3] == b"\x17\x03\x03"
    assert len(record) == 5 + int.from_bytes(record[3:5], "big")
    print("\t{")
    if mac_size:
        way = "encrypt-then-mac" if etm else "mac-then-encrypt"
        print(f'\t\t.name = "{suite} {way}",')
        print(f'\t\t.hash = "{algorithm}",')
        print(f"\t\t.encrypt_then_mac = {str(etm).lower()},")
        print(c_bytes("mac_key", mac_key))
    else:
        version = 4 if suite.startswith("TLS_") else 3
        print(f'\t\t.name = "{suite}",')
        print(f"\t\t.cipher = {algorithm},")
        print(f"\t\t.version = 0x030{version},")
        print(f"\t\t.seq = {int(version == 3)},")
        print(f"\t\t.iv_size = {iv_size},")
        print(c_bytes("iv", iv))
    print(f"\t\t.key_size = {key_size},")
    print(c_bytes("key", key))
    print(f"\t\t.record_len = {len(record)},")
    print(c_bytes("record", record))
    print("\t},")


def configured(suite, arguments):
    """Runs this again, with TLS 1.3 restricted to the suite."""
    with tempfile.NamedTemporaryFile("w", suffix=".cnf") as config:
        config.write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\n"
                     "system_default = c\n[c]\n")
        if suite.startswith("TLS_"):
            config.write(f"Ciphersuites = {suite}\n")
        config.flush()
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__] + arguments, check=True,
                       env=dict(os.environ, OPENSSL_CONF=config.name))


def main():
    kind = sys.argv[1]
    rows = {"cbc": CBC, "aead": AEAD}[kind]
    if len(sys.argv) > 2:
        print_vector(rows[int(sys.argv[2])], sys.argv[3] == "etm")
        return
    text = PLAINTEXT.decode().replace("\n", "\\n")
    print("/* SPDX-License-Identifier: GPL-2.0 */")
    print(f"/* Made by vectors.py with {ssl.OPENSSL_VERSION} */\n")
    print(f'#define {kind.upper()}_VECTOR_PLAINTEXT "{text}"\n')
    print(f"static const struct {kind}_vector {kind}_vectors[] = {{")
    for i, row in enumerate(rows):
        for way in ("mte", "etm") if kind == "cbc" else ("",):
            configured(row[0], [kind, str(i), way])
    print("};")


if __name__ == "__main__":
    main()
