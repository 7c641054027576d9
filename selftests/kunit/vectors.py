#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints TLS records that others than the kernel made, and their keys, as C.

usage: vectors.py cbc > cbc_vectors.h; vectors.py aead > aead_vectors.h

For each suite a client and a server of OpenSSL (Python's ssl module) shake hands
in memory. The secret comes from the key log; the client's write keys are derived
from it here (RFC 5246 sections 5 and 6.3, RFC 8446 sections 7.1 and 7.3). The
vector is the client's first record of application data: its sequence number is 1
in TLS 1.2, as the Finished had 0, and 0 in TLS 1.3.

OpenSSL has no TLS with SM4. Those records are put together here, from the block
cipher of the command "openssl enc"; GCM and CCM are checked with RFC 8998
appendix A first.
"""

import hashlib
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
    ("AES256-CCM", "sha256", 32, 4, 0, "SOCKTLS_CIPHER_AES_256_CCM"),
    ("AES128-CCM8", "sha256", 16, 4, 0, "SOCKTLS_CIPHER_AES_128_CCM_8"),
    ("AES256-CCM8", "sha256", 32, 4, 0, "SOCKTLS_CIPHER_AES_256_CCM_8"),
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


def sm4(mode, key, data):
    """Without padding; CBC with an IV of zeros."""
    command = ["openssl", "enc", f"-sm4-{mode}", "-nopad", "-K", key.hex()]
    if mode == "cbc":
        command += ["-iv", "00" * 16]
    return subprocess.run(command, input=data, check=True,
                          stdout=subprocess.PIPE).stdout


def pad(data):
    return data + bytes(-len(data) % 16)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def counted(key, prefix, size, first, data):
    """Counter mode: (the key stream's block for the tag, what it makes of data)"""
    blocks = 1 + (len(data) + 15) // 16
    stream = sm4("ecb", key, b"".join(
        prefix + (first + i).to_bytes(size, "big") for i in range(blocks)))
    return stream[:16], xor(data, stream[16:])


def gf_multiply(x, y):
    """NIST SP 800-38D algorithm 1."""
    z = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            z ^= y
        y = y >> 1 ^ (0xe1 << 120) * (y & 1)
    return z


def sm4_gcm(key, nonce, aad, plain):
    """NIST SP 800-38D"""
    h = int.from_bytes(sm4("ecb", key, bytes(16)), "big")
    mask, cipher = counted(key, nonce, 4, 1, plain)
    data = pad(aad) + pad(cipher) + (8 * len(aad)).to_bytes(8, "big")
    data += (8 * len(cipher)).to_bytes(8, "big")
    y = 0
    for i in range(0, len(data), 16):
        y = gf_multiply(y ^ int.from_bytes(data[i:i + 16], "big"), h)
    return cipher + xor(y.to_bytes(16, "big"), mask)


def sm4_ccm(key, nonce, aad, plain):
    """RFC 3610 with M = 16 and L = 3"""
    mask, cipher = counted(key, b"\2" + nonce, 3, 0, plain)
    data = bytes([64 + 8 * 7 + 2]) + nonce + len(plain).to_bytes(3, "big")
    data += pad(len(aad).to_bytes(2, "big") + aad) + pad(plain)
    return cipher + xor(sm4("cbc", key, data)[-16:], mask)


def check_rfc8998():
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    nonce = bytes.fromhex("00001234567800000000abcd")
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = b"".join(bytes([b]) * 8 for b in bytes.fromhex("aabbccddeeffeeaa"))
    assert sm4_gcm(key, nonce, aad, plain).hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec")
    assert sm4_ccm(key, nonce, aad, plain).hex() == (
        "48af93501fa62adbcd414cce6034d895dda1bf8f132f042098661572e7483094"
        "fd12e518ce062c98acee28d95df4416bed31a2f04476c18bb40c84a74b97dc5b"
        "16842d4fa186f56ab33256971fa110f4")


def print_sm4(mode, version):
    """A record with the sequence number 1, its key made from its name."""
    seal = {"GCM": sm4_gcm, "CCM": sm4_ccm}[mode]
    name = f"SM4-{mode} TLS 1.{version - 1}"
    random = hashlib.sha512(name.encode()).digest()
    key, iv, plain = random[:16], random[16:28], PLAINTEXT
    if version == 4:
        plain += b"\x17"
        header = b"\x17\3\3" + (len(plain) + 16).to_bytes(2, "big")
        nonce = xor(iv, bytes(11) + b"\1")
        record = header + seal(key, nonce, header, plain)
    else:
        explicit, iv = iv[4:], iv[:4]
        header = b"\x17\3\3" + (len(plain) + 24).to_bytes(2, "big")
        aad = bytes(7) + b"\1\x17\3\3" + len(plain).to_bytes(2, "big")
        record = header + explicit + seal(key, iv + explicit, aad, plain)
    print_aead(name, f"TLS_CIPHER_SM4_{mode}", version, 1, iv, key, record)


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
    if not mac_size:
        version = 4 if suite.startswith("TLS_") else 3
        print_aead(suite, algorithm, version, int(version == 3), iv, key,
                   record)
        return
    way = "encrypt-then-mac" if etm else "mac-then-encrypt"
    print("\t{")
    print(f'\t\t.name = "{suite} {way}",')
    print(f'\t\t.hash = "{algorithm}",')
    print(f"\t\t.encrypt_then_mac = {str(etm).lower()},")
    print(c_bytes("mac_key", mac_key))
    print_end(key, record)


def print_aead(name, cipher, version, seq, iv, key, record):
    print("\t{")
    print(f'\t\t.name = "{name}",')
    print(f"\t\t.cipher = {cipher},")
    print(f"\t\t.version = 0x030{version},")
    print(f"\t\t.seq = {seq},")
    print(f"\t\t.iv_size = {len(iv)},")
    print(c_bytes("iv", iv))
    print_end(key, record)


def print_end(key, record):
    print(f"\t\t.key_size = {len(key)},")
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
    if kind == "aead":
        check_rfc8998()
        for mode in "GCM", "CCM":
            for version in 3, 4:
                print_sm4(mode, version)
    print("};")


if __name__ == "__main__":
    main()
