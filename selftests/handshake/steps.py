# SPDX-License-Identifier: MIT
"""The full handshake of TLS 1.2 with RSA key exchange, step by step."""
import subprocess
import tempfile

import derive
import wire

HANDSHAKE_FAILURE, FATAL = 40, 2
RSA_ENCRYPTION, EC_PUBLIC_KEY = '1.2.840.113549.1.1.1', '1.2.840.10045.2.1'
SUPPORTED_VERSIONS, SESSION_TICKET = 43, 35
CBC_SHA256, GCM_SHA256, GCM_SHA384 = 0x003c, 0x009c, 0x009d

TESTS = {}


def test(function):
    TESTS[function.__name__] = function
    return function


def expect(value, wanted, what):
    assert value == wanted, f'{what}: {value}, expected {wanted}'


def check_data(world, conversation):
    """The line that the client sent came back: as it was from our server,
    reversed from OpenSSL's."""
    line = f'from the client of {conversation.name}'
    if conversation.role == 'client':
        line = line[::-1]
    assert line in world.text(conversation, 'client'), \
        f'{conversation.name}: no answer'


def check_refused(world, conversation, told):
    """The server refuses with handshake_failure; our program learns why."""
    name = conversation.name
    expect(conversation.alerts(),
           [('server', (FATAL, HANDSHAKE_FAILURE))], f'{name}: alerts')
    expect(conversation.of('server', wire.DATA), [], f'{name}: data')
    assert world.status(conversation), f'{name}: the client succeeded'
    assert told in world.text(conversation, conversation.role), \
        f'{name}: our program was not told "{told}"'
    handshake = world.handshake(conversation)
    expect([k for k in handshake.actions('key') if k['direction'] == 'rx'] +
           handshake.actions('done'), [], f'{name}: keys to read with')


# --- negotiation and authentication ------------------------------------------

@test
def handshake_negotiation(world):
    for conversation, chosen in zip(world.both('choice'),
                                    (GCM_SHA256, CBC_SHA256)):
        name = conversation.name
        client = conversation.message(wire.CLIENT_HELLO, 'client')
        server = conversation.message(wire.SERVER_HELLO, 'server')
        offered = client.numbers('tls.handshake.ciphersuite')
        # What the other side prefers, 0x003d, is not in our policy.
        if conversation.role == 'server':
            expect(offered[:3], [0x3d, CBC_SHA256, GCM_SHA256],
                   f'{name}: offered')
        else:
            assert 0x3d not in offered and CBC_SHA256 in offered, offered
            assert offered.index(GCM_SHA256) < offered.index(CBC_SHA256)
        expect(server.number('tls.handshake.ciphersuite'), chosen,
               f'{name}: suite')
        expect(server.number('tls.handshake.version'), 0x0303,
               f'{name}: version')
        assert SUPPORTED_VERSIONS not in server.extensions(), name
        expect(server.number('tls.handshake.comp_method'), 0, name)
        check_agreed(world, conversation, 0x0303, chosen)
    for conversation in world.both('tls13'):
        server = conversation.message(wire.SERVER_HELLO, 'server')
        expect(server.number('tls.handshake.extensions.supported_version'),
               0x0304, f'{conversation.name}: version')
        suite = server.number('tls.handshake.ciphersuite')
        assert suite in conversation.message(wire.CLIENT_HELLO).numbers(
            'tls.handshake.ciphersuite')
        check_agreed(world, conversation, 0x0304, suite)


def check_agreed(world, conversation, version, suite):
    """The module was told what the wire says, and it works."""
    done = world.handshake(conversation).action('done')
    expect((done['version'], done['suite']), (version, suite),
           f'{conversation.name}: done')
    check_data(world, conversation)


@test
def handshake_no_common_suite(world):
    for conversation in world.both('none'):
        name = conversation.name
        expect(conversation.types(), [wire.CLIENT_HELLO], f'{name}: messages')
        offered = conversation.message(wire.CLIENT_HELLO).numbers(
            'tls.handshake.ciphersuite')
        if conversation.role == 'server':
            assert not set(offered) & set(derive.SUITES), offered
            told = 'no cipher suite in common'
            expect(world.handshake(conversation).action('fail')['alert'],
                   HANDSHAKE_FAILURE, f'{name}: alert asked for')
        else:
            assert 0xc076 not in offered, f'{name}: Camellia is offered'
            told = 'handshake_failure'
        check_refused(world, conversation, told)


def public_key_algorithm(message):
    """Of the leaf, by its OID."""
    leaf = wire.Fields(message.elements('tls.handshake.certificate')[0])
    key = wire.Fields(leaf.elements('x509af.subjectPublicKeyInfo_element')[0])
    return key.elements('x509af.algorithm.id')[0].get('show')


def check_server_signature(conversation, pss):
    """ServerKeyExchange is signed with the key of the certificate."""
    message = conversation.message(wire.SERVER_KEY_EXCHANGE, 'server')
    randoms = b''.join(
        conversation.message(kind).one('tls.handshake.random')
        for kind in (wire.CLIENT_HELLO, wire.SERVER_HELLO))
    point = message.one('tls.handshake.server_point')
    params = b'\3' + message.one('tls.handshake.server_named_curve') + \
        bytes([len(point)]) + point
    certificate = conversation.message(wire.CERTIFICATE, 'server')
    assert signature_fits(certificate.certificates()[0], randoms + params,
                          message.one('tls.handshake.sig'), pss), \
        f'{conversation.name}: the ServerKeyExchange is not signed by it'


def signature_fits(certificate, data, signature, pss, digest='-sha256'):
    with tempfile.TemporaryDirectory() as directory:
        names = [f'{directory}/{n}' for n in ('key', 'signature')]
        key = derive.openssl('x509', '-inform', 'DER', '-pubkey', '-noout',
                             data=certificate).stdout
        for path, content in zip(names, (key, signature)):
            with open(path, 'wb') as file:
                file.write(content)
        options = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt',
                   'rsa_pss_saltlen:digest'] if pss else []
        done = derive.openssl('dgst', digest, '-verify', names[0], *options,
                              '-signature', names[1], data=data)
        return done.returncode == 0


@test
def handshake_auth_follows_suite(world):
    table = (('auth-ecdsa', 0xc02b, EC_PUBLIC_KEY, 0x0403),
             ('auth-rsa', 0xc02f, RSA_ENCRYPTION, 0x0804),
             ('rsa', CBC_SHA256, RSA_ENCRYPTION, None))
    for name, suite, key, scheme in table:
        for conversation in world.both(name):
            server = conversation.message(wire.SERVER_HELLO)
            expect(server.number('tls.handshake.ciphersuite'), suite,
                   f'{conversation.name}: suite')
            certificate = conversation.message(wire.CERTIFICATE, 'server')
            expect(public_key_algorithm(certificate), key,
                   f'{conversation.name}: key of the certificate')
            check_signed(conversation, scheme)
            check_data(world, conversation)
    # A server with an ECDSA certificate cannot do RSA key exchange.
    for conversation in world.both('auth-neither'):
        expect(conversation.types(), [wire.CLIENT_HELLO], conversation.name)
        told = 'no cipher suite in common' \
            if conversation.role == 'server' else 'handshake_failure'
        check_refused(world, conversation, told)


def check_signed(conversation, scheme):
    if scheme is None:
        assert wire.SERVER_KEY_EXCHANGE not in conversation.types()
        return
    message = conversation.message(wire.SERVER_KEY_EXCHANGE, 'server')
    expect(message.number('tls.handshake.sig_hash_alg'), scheme,
           f'{conversation.name}: scheme of the signature')
    check_server_signature(conversation, pss=scheme == 0x0804)


@test
def handshake_client_auth_none(world):
    for conversation in world.both('empty') + world.both('required'):
        name = conversation.name
        conversation.message(wire.CERTIFICATE_REQUEST, 'server')
        certificate = conversation.message(wire.CERTIFICATE, 'client')
        expect(certificate.number('tls.handshake.certificates_length'), 0,
               f'{name}: length of the client\'s list')
        expect(certificate.number('tls.handshake.length'), 3, name)
        assert wire.CERTIFICATE_VERIFY not in conversation.types(), name
    for conversation in world.both('empty'):
        finished = conversation.types().count(wire.FINISHED)
        expect(finished, 2, f'{conversation.name}: Finished messages')
        check_data(world, conversation)
    for conversation in world.both('required'):
        assert wire.FINISHED not in conversation.types('server')
        told = 'one is required' if conversation.role == 'server' else \
            'handshake_failure'
        check_refused(world, conversation, told)


# --- secrets and keys ---------------------------------------------------------

def check_secrets(world, conversation, suite, extended):
    derivation = world.derivation(conversation)
    name, random = conversation.name, derivation.client_random
    expect(derivation.suite, suite, f'{name}: suite')
    expect(derivation.extended, extended, f'{name}: extended master secret')
    expect(derivation.premaster[:2], b'\3\3', f'{name}: premaster version')
    for keys in (world.our_keys, world.peer_keys):
        assert keys['CLIENT_RANDOM', random] == derivation.master, \
            f'{name}: another master secret'
    directions = {'server': 'rx', 'client': 'tx'} \
        if conversation.role == 'client' else {'client': 'rx', 'server': 'tx'}
    for side, direction in directions.items():
        installed = world.handshake(conversation).key(direction)
        expect([installed.get(field, b'')
                for field in ('mac-key', 'key', 'iv')],
               derivation.keys[side], f'{name}: keys installed for {direction}')


@test
def handshake_master_secret(world):
    for name, suite, extended in (('rsa', CBC_SHA256, True),
                                  ('plain', CBC_SHA256, False),
                                  ('gcm', GCM_SHA384, True)):
        for conversation in world.both(name):
            check_secrets(world, conversation, suite, extended)
    # MAC keys where the suite has them, IVs where it has those.
    for conversation in world.both('rsa'):
        lengths = [[len(part) for part in parts] for parts in
                   world.derivation(conversation).keys.values()]
        expect(lengths, [[32, 16, 0]] * 2, 'MAC key, write key, IV')
    for conversation in world.both('gcm'):
        lengths = [[len(part) for part in parts] for parts in
                   world.derivation(conversation).keys.values()]
        expect(lengths, [[0, 32, 4]] * 2, 'MAC key, write key, IV')
    check_tshark_opens(world)


def check_tshark_opens(world):
    """tshark opens the Finished of all with nothing but our derivation."""
    conversations = [c for name in ('rsa', 'plain', 'gcm')
                     for c in world.both(name)]
    with tempfile.NamedTemporaryFile('w') as keys:
        for conversation in conversations:
            print(world.derivation(conversation).keylog_line(), file=keys)
        keys.flush()
        table = [(c.name, c.role, c.port)
                 for c in world.conversations.values()]
        again = wire.load(world.path('wire.pcap'), keys.name, table)
    for conversation in conversations:
        expect(again[conversation.name].types().count(wire.FINISHED), 2,
               f'{conversation.name}: Finished that tshark opens')
    expect(again['s-choice'].types().count(wire.FINISHED), 0,
           'Finished that tshark opens without a key')


# --- the nine steps -----------------------------------------------------------

def stepped(world):
    """Without and with client authentication, each in both roles."""
    return world.both('rsa') + world.both('mutual')


def wants_certificate(conversation):
    return conversation.name.endswith('mutual')


@test
def handshake_step1(world):
    """ClientHello with client random and suites."""
    randoms = set()
    for conversation in stepped(world):
        first = conversation.records[0]
        expect((first.sender, first.type), ('client', wire.HANDSHAKE),
               conversation.name)
        expect([m.type for m in first.messages], [wire.CLIENT_HELLO],
               conversation.name)
        hello = first.messages[0]
        expect(hello.number('tls.handshake.version'), 0x0303, 'version')
        assert CBC_SHA256 in hello.numbers('tls.handshake.ciphersuite')
        random = hello.one('tls.handshake.random')
        expect(len(random), 32, 'length of the client random')
        assert random not in randoms and len(set(random)) > 8, random.hex()
        randoms.add(random)
        # What our helper made, or got, is what went over the wire.
        body = conversation.raw_records('client')[0][2]
        handshake = world.handshake(conversation)
        seen = handshake.actions('send')[0] \
            if conversation.role == 'client' else handshake.items()[0]
        assert seen['bytes'] == body, f'{conversation.name}: other bytes'


@test
def handshake_step2(world):
    """ServerHello with server random."""
    randoms = set()
    for conversation in stepped(world):
        second = conversation.records[1]
        expect((second.sender, second.type), ('server', wire.HANDSHAKE),
               conversation.name)
        hello = second.messages[0]
        expect(hello.type, wire.SERVER_HELLO, conversation.name)
        expect(hello.number('tls.handshake.version'), 0x0303, 'version')
        expect(hello.number('tls.handshake.ciphersuite'), CBC_SHA256, 'suite')
        random = hello.one('tls.handshake.random')
        expect(len(random), 32, 'length of the server random')
        assert random not in randoms and len(set(random)) > 8, random.hex()
        randoms.add(random)
        randoms.add(conversation.message(wire.CLIENT_HELLO).one(
            'tls.handshake.random'))
    expect(len(randoms), 2 * len(stepped(world)), 'different randoms')


@test
def handshake_step3(world):
    """Certificate, CertificateRequest where asked, ServerHelloDone."""
    for conversation in stepped(world):
        name = conversation.name
        flight = [wire.SERVER_HELLO, wire.CERTIFICATE]
        if wants_certificate(conversation):
            flight.append(wire.CERTIFICATE_REQUEST)
        flight.append(wire.SERVER_HELLO_DONE)
        types = [t for t in conversation.types('server')
                 if t not in (wire.FINISHED, wire.NEW_SESSION_TICKET)]
        expect(types, flight, f'{name}: flight of the server')
        certificate = conversation.message(wire.CERTIFICATE, 'server')
        assert certificate.certificates()[0] == \
            world.certificate('server-rsa'), f'{name}: another certificate'
        done = conversation.message(wire.SERVER_HELLO_DONE)
        expect(done.number('tls.handshake.length'), 0, f'{name}: length')
        # The client keeps silent until it has all of this.
        records = conversation.records
        behind = records.index(done.record) + 1
        expect([r.sender for r in records[1:behind]],
               ['server'] * (behind - 1), f'{name}: senders')
        if wants_certificate(conversation):
            request = conversation.message(wire.CERTIFICATE_REQUEST)
            assert 1 in request.numbers('tls.handshake.cert_type'), \
                f'{name}: rsa_sign is not asked for'


@test
def handshake_step4(world):
    """The client's Certificate where asked, signed for by its key."""
    for conversation in world.both('rsa'):
        assert wire.CERTIFICATE not in conversation.types('client')
        assert wire.CERTIFICATE_VERIFY not in conversation.types('client')
    for conversation in world.both('mutual'):
        name = conversation.name
        expect(conversation.types('client'),
               [wire.CLIENT_HELLO, wire.CERTIFICATE, wire.CLIENT_KEY_EXCHANGE,
                wire.CERTIFICATE_VERIFY, wire.FINISHED], name)
        certificate = conversation.message(wire.CERTIFICATE, 'client')
        leaf = certificate.certificates()[0]
        assert leaf == world.certificate('client-rsa'), \
            f'{name}: another certificate'
        check_certificate_verify(conversation, leaf)
        if conversation.role == 'server':
            done = world.handshake(conversation).action('done')
            assert 'client-rsa' in done['peer-identity'], done


def check_certificate_verify(conversation, leaf):
    """RFC 5246 section 7.4.8: over all messages so far."""
    data = b''
    for _, kind, bytes_ in derive.plaintext_handshake(conversation):
        if kind == wire.CERTIFICATE_VERIFY:
            break
        if kind != wire.NEW_SESSION_TICKET:
            data += bytes_
    verify = conversation.message(wire.CERTIFICATE_VERIFY)
    scheme = verify.number('tls.handshake.sig_hash_alg')
    hashes = {0x0401: '-sha256', 0x0501: '-sha384', 0x0601: '-sha512',
              0x0804: '-sha256', 0x0805: '-sha384', 0x0806: '-sha512'}
    assert signature_fits(
        leaf, data, verify.one('tls.handshake.client_cert_vrfy.sig'),
        pss=scheme >> 8 == 8, digest=hashes[scheme]), \
        f'{conversation.name}: CertificateVerify does not fit'


@test
def handshake_step5(world):
    """The pre-master secret, encrypted to the key of the certificate."""
    secrets = set()
    for conversation in stepped(world):
        exchange = conversation.message(wire.CLIENT_KEY_EXCHANGE, 'client')
        encrypted = exchange.one('tls.handshake.epms')
        expect(len(encrypted), 256, 'as long as the modulus')
        premaster = derive.decrypt_premaster(
            world.identity('server-rsa'), encrypted)
        assert premaster and len(premaster) == 48, \
            f'{conversation.name}: no pre-master secret in there'
        expect(premaster[:2], b'\3\3', 'version inside it')
        assert premaster not in secrets and len(set(premaster)) > 16
        secrets.add(premaster)
        # Another RSA key yields nothing of the kind.
        other = derive.decrypt_premaster(
            world.identity('client-rsa'), encrypted)
        assert other != premaster
        assert premaster not in conversation.stream['client'] + \
            conversation.stream['server']


@test
def handshake_step6(world):
    """Both sides have the same master secret and session keys."""
    for conversation in stepped(world):
        check_secrets(world, conversation, CBC_SHA256, True)
        # OpenSSL's session keys: its records open with the derived ones.
        peer = 'client' if conversation.role == 'server' else 'server'
        opened = world.derivation(conversation).open_records(peer)
        expect([kind for kind, _ in opened][:2],
               [wire.HANDSHAKE, wire.DATA], conversation.name)


def finished(world, conversation, sender):
    """Checks a side's ChangeCipherSpec and its Finished; returns that."""
    name = f'{conversation.name}: {sender}'
    records = conversation.of(sender)
    types = [r.type for r in records]
    at = types.index(wire.CCS)
    expect(types[:at], [wire.HANDSHAKE] * at, f'{name}: records before CCS')
    expect(records[at].length, 1, f'{name}: length of CCS')
    raw = conversation.raw_records(sender)
    expect(raw[at][2], b'\1', f'{name}: ChangeCipherSpec')
    expect([m.type for m in records[at + 1].messages], [wire.FINISHED],
           f'{name}: message behind it')
    # IV, Finished, MAC and padding: nothing of it in the clear.
    kind, _, body = raw[at + 1]
    expect((kind, len(body)), (wire.HANDSHAKE, 80), f'{name}: record')
    kind, message = world.derivation(conversation).open_records(sender)[0]
    expect((kind, message[:4]), (wire.HANDSHAKE, b'\x14\0\0\x0c'), name)
    assert message[4:] not in body, f'{name}: it is in the clear'
    return message


def messages_before(conversation, sender):
    """Handshake messages in the clear that a Finished covers."""
    found = derive.plaintext_handshake(conversation)
    tickets = [b for _, kind, b in found if kind == wire.NEW_SESSION_TICKET]
    found = [b for _, kind, b in found if kind != wire.NEW_SESSION_TICKET]
    return b''.join(found), b''.join(tickets) if sender == 'server' else b''


@test
def handshake_step7(world):
    """The client's ChangeCipherSpec and Finished."""
    for conversation in stepped(world):
        message = finished(world, conversation, 'client')
        covered, _ = messages_before(conversation, 'client')
        expect(message[4:], world.derivation(conversation).verify_data(
            'client', covered), f'{conversation.name}: verify_data')


@test
def handshake_step8(world):
    """The server switches on ChangeCipherSpec, and sends its own."""
    for conversation in stepped(world):
        message = finished(world, conversation, 'server')
        theirs = finished(world, conversation, 'client')
        covered, tickets = messages_before(conversation, 'server')
        expect(message[4:], world.derivation(conversation).verify_data(
            'server', covered + theirs + tickets),
            f'{conversation.name}: verify_data')
        records = conversation.records
        first = [i for i, r in enumerate(records)
                 if r.sender == 'server' and r.type == wire.CCS][0]
        last = [i for i, r in enumerate(records) if r.sender == 'client'
                and wire.FINISHED in [m.type for m in r.messages]][0]
        assert first > last, f'{conversation.name}: too early'
        check_switch(world.handshake(conversation), conversation)


def check_switch(handshake, conversation):
    """Our rx key comes with the answer to the item that is the peer's CCS,
    our tx key between our own CCS and our Finished."""
    events = handshake.events
    at = [i for i, (what, event) in enumerate(events)
          if what == 'item' and event.get('content-type') == wire.CCS]
    expect(len(at), 1, f'{conversation.name}: items that are a CCS')
    what, event = events[at[0] + 1]
    expect((what, event['kind'], event.get('direction')),
           ('action', 'key', 'rx'), f'{conversation.name}: answer to CCS')
    steps = [(a['kind'], a.get('content-type') or a.get('direction'))
             for a in handshake.actions()
             if a['kind'] == 'key' or a['kind'] == 'send']
    ccs = steps.index(('send', wire.CCS))
    expect(steps[ccs:ccs + 3],
           [('send', wire.CCS), ('key', 'tx'), ('send', wire.HANDSHAKE)],
           f'{conversation.name}: our actions')


@test
def handshake_step9(world):
    """Application data both ways, every record encrypted."""
    for conversation in stepped(world):
        line = f'from the client of {conversation.name}\n'.encode()
        answer = line if conversation.role == 'server' else \
            line[-2::-1] + b'\n'
        for sender, text in (('client', line), ('server', answer)):
            check_encrypted(world, conversation, sender, text)
        check_data(world, conversation)


def check_encrypted(world, conversation, sender, text):
    name = f'{conversation.name}: {sender}'
    opened = world.derivation(conversation).open_records(sender)
    data = [plain for kind, plain in opened if kind == wire.DATA]
    expect(b''.join(data), text, f'{name}: data')
    assert text.strip() not in conversation.stream[sender], \
        f'{name}: the text is on the wire'
    # Alerts too: the last is close_notify.
    expect(opened[-1], (wire.ALERT, b'\1\0'), f'{name}: the end')
    records = conversation.of(sender)
    at = [r.type for r in records].index(wire.CCS)
    for record in records[at + 1:]:
        assert record.length >= 16 + 48 and record.length % 16 == 0, \
            f'{name}: a record of {record.length} bytes is not encrypted'
