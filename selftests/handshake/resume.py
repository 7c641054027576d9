# SPDX-License-Identifier: MIT
"""Resumption of TLS 1.2 by session ID: RFC 5246 section 7.3, figure 2."""
import derive
import wire
from steps import check_data, expect, CBC_SHA256, SESSION_TICKET

TESTS = {}


def test(function):
    TESTS[function.__name__] = function
    return function


def session_id(conversation, kind):
    message = conversation.message(kind)
    if message.number('tls.handshake.session_id_length') == 0:
        return b''
    return message.one('tls.handshake.session_id')


def check_full(conversation):
    for kind in (wire.CERTIFICATE, wire.SERVER_HELLO_DONE,
                 wire.CLIENT_KEY_EXCHANGE):
        conversation.message(kind)
    check_finished(conversation, 'client')


def check_finished(conversation, first):
    """Both ChangeCipherSpecs, both Finished, that of a side first."""
    name, order = conversation.name, []
    for sender in ('client', 'server'):
        types = [r.type for r in conversation.of(sender)]
        expect(types.count(wire.CCS), 1, f'{name}: CCS of the {sender}')
        record = conversation.message(wire.FINISHED, sender).record
        expect(conversation.of(sender)[types.index(wire.CCS) + 1] is record,
               True, f'{name}: Finished of the {sender} follows its CCS')
        order.append(conversation.records.index(record))
    expect(order[0] < order[1], first == 'client', f'{name}: {first} first')


def resumed(world, conversation, first):
    """Keys of an abbreviated handshake: the first one's master secret, from its
    ClientKeyExchange, and the randoms of this one."""
    return derive.Resumption(conversation, world.derivation(first))


@test
def resume_hit(world):
    for first, hit in zip(world.both('first'), world.both('hit')):
        name = hit.name
        check_full(first)
        wanted = session_id(first, wire.SERVER_HELLO)
        assert wanted, f'{first.name}: the server gave no session ID'
        assert SESSION_TICKET not in first.message(
            wire.SERVER_HELLO).extensions(), f'{first.name}: a ticket'
        expect(session_id(hit, wire.CLIENT_HELLO), wanted,
               f'{name}: session ID that the client offers')
        expect(session_id(hit, wire.SERVER_HELLO), wanted,
               f'{name}: session ID that the server sends')
        expect(hit.types(), [wire.CLIENT_HELLO, wire.SERVER_HELLO,
                             wire.FINISHED, wire.FINISHED],
               f'{name}: messages')
        check_finished(hit, 'server')
        expect(hit.message(wire.SERVER_HELLO).number(
            'tls.handshake.ciphersuite'), CBC_SHA256, f'{name}: suite')
        check_fresh_keys(world, first, hit)


def check_fresh_keys(world, first, hit):
    """The same master secret, other randoms, other keys, the right ones."""
    name, keys = hit.name, resumed(world, hit, first)
    for log in (world.our_keys, world.peer_keys):
        assert log['CLIENT_RANDOM', keys.client_random] == keys.master, \
            f'{name}: another master secret'
    assert keys.keys != world.derivation(first).keys, f'{name}: the old keys'
    for sender in ('server', 'client'):
        kind, message = keys.open_records(sender)[0]
        covered = keys.transcript if sender == 'server' else \
            keys.transcript + keys.open_records('server')[0][1]
        expect((kind, message[4:]), (wire.HANDSHAKE, keys.verify_data(
            sender, covered)), f'{name}: Finished of the {sender}')
    handshake = world.handshake(hit)
    ours, theirs = ('server', 'client') if hit.role == 'server' else \
        ('client', 'server')
    for side, direction in ((ours, 'tx'), (theirs, 'rx')):
        installed = handshake.key(direction)
        expect([installed.get(field, b'')
                for field in ('mac-key', 'key', 'iv')],
               keys.keys[side], f'{name}: keys installed for {direction}')


@test
def resume_miss_new_id(world):
    for miss in world.both('miss'):
        offered = session_id(miss, wire.CLIENT_HELLO)
        sent = session_id(miss, wire.SERVER_HELLO)
        assert offered, f'{miss.name}: the client offers no session ID'
        assert sent and sent != offered, \
            f'{miss.name}: session ID {sent.hex()}, offered {offered.hex()}'
        check_full(miss)
        check_data(world, miss)
        # A secret of its own, from its own ClientKeyExchange.
        derivation = world.derivation(miss)
        for log in (world.our_keys, world.peer_keys):
            assert log['CLIENT_RANDOM', derivation.client_random] == \
                derivation.master, f'{miss.name}: another master secret'


@test
def resume_data(world):
    for first, hit in zip(world.both('first'), world.both('hit')):
        keys = resumed(world, hit, first)
        line = f'from the client of {hit.name}\n'.encode()
        answer = line if hit.role == 'server' else line[-2::-1] + b'\n'
        for sender, text in (('client', line), ('server', answer)):
            data = [plain for kind, plain in keys.open_records(sender)
                    if kind == wire.DATA]
            expect(b''.join(data), text, f'{hit.name}: data of the {sender}')
            assert text.strip() not in hit.stream[sender], \
                f'{hit.name}: the text is on the wire'
        check_data(world, hit)
