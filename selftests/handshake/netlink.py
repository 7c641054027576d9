# SPDX-License-Identifier: MIT
"""What went over generic netlink, captured by nlmon, read as the YAML says."""
import struct

import yaml

NLMSG_HEADER, GENL_HEADER, COOKED_HEADER = 16, 4, 16
GENL_ID_CTRL, CTRL_NEWFAMILY = 16, 1
CTRL_FAMILY_ID, CTRL_FAMILY_NAME = 1, 2
REQUEST = 1


def align(length):
    return (length + 3) & ~3


def attributes(data):
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from('=HH', data, at)
        assert length >= 4, 'a netlink attribute without a header'
        yield kind & 0x3fff, data[at + 4:at + length]
        at += align(length)


def packets(path):
    """Payloads of a pcap file of link type NETLINK."""
    with open(path, 'rb') as file:
        data = file.read()
    magic, link_type = struct.unpack_from('<I16xI', data)
    assert magic == 0xa1b2c3d4 and link_type == 253
    at = 24
    while at < len(data):
        captured, original = struct.unpack_from('<8xII', data, at)
        assert captured == original, 'a netlink message was cut off'
        yield data[at + 16 + COOKED_HEADER:at + 16 + captured]
        at += 16 + captured


def messages(path):
    """(type, flags, generic netlink command, payload)"""
    for packet in packets(path):
        at = 0
        while at + NLMSG_HEADER + GENL_HEADER <= len(packet):
            length, kind, flags = struct.unpack_from('=IHH', packet, at)
            if length < NLMSG_HEADER:
                break
            body = packet[at + NLMSG_HEADER:at + length]
            if len(body) >= GENL_HEADER:
                yield kind, flags, body[0], body[GENL_HEADER:]
            at += align(length)


class Spec:
    """Names and types of attributes, from the specification."""

    def __init__(self, path):
        with open(path, encoding='utf-8') as file:
            spec = yaml.safe_load(file)
        self.sets = {s['name']: [a for a in s['attributes']]
                     for s in spec['attribute-sets']}
        self.enums = {d['name']: self.entries(d)
                      for d in spec['definitions'] if d['type'] == 'enum'}
        names = [o['name'] for o in spec['operations']['list']]
        self.commands = dict(enumerate(names, 1))

    @staticmethod
    def entries(definition):
        start = definition.get('value-start', 0)
        return {start + i: e['name']
                for i, e in enumerate(definition['entries'])}

    def decode(self, name, data):
        """A dictionary; values of a multi-attr are lists."""
        found = {}
        for kind, value in attributes(data):
            attribute = self.sets[name][kind - 1]
            value = self.value(attribute, value)
            if attribute.get('multi-attr'):
                found.setdefault(attribute['name'], []).append(value)
            else:
                found[attribute['name']] = value
        return found

    def value(self, attribute, data):
        kind = attribute['type']
        if kind == 'nest':
            return self.decode(attribute['nested-attributes'], data)
        if kind in ('u32', 'u64'):
            number = int.from_bytes(data, 'little')
            enum = self.enums.get(attribute.get('enum'))
            return enum.get(number, number) if enum else number
        if kind == 'string':
            return data.rstrip(b'\0').decode()
        return True if kind == 'flag' else data


class Handshake:
    """Items and actions of one connection, in the order of the capture."""

    def __init__(self):
        self.events = []	# ('item' or 'action', dictionary)

    def items(self):
        return [e for what, e in self.events if what == 'item']

    def actions(self, kind=None):
        return [e for what, e in self.events
                if what == 'action' and kind in (None, e['kind'])]

    def action(self, kind):
        found = self.actions(kind)
        assert len(found) == 1, f'{len(found)} actions of kind {kind}'
        return found[0]

    def key(self, direction, level='application'):
        found = [a for a in self.actions('key')
                 if (a['direction'], a['level']) == (direction, level)]
        assert len(found) == 1, f'{len(found)} keys for {direction}, {level}'
        return found[0]

    def client_random(self):
        """Bytes 6 to 37 of the ClientHello, whoever made it."""
        for what, event in self.events:
            bytes_ = event.get('bytes', b'')
            if (what == 'item' or event['kind'] == 'send') and \
                    bytes_[:1] == b'\1':
                return bytes_[6:38]
        return None


def family_id(path):
    for kind, _, command, payload in messages(path):
        if kind != GENL_ID_CTRL or command != CTRL_NEWFAMILY:
            continue
        found = dict(attributes(payload))
        if found.get(CTRL_FAMILY_NAME) == b'socktls\0':
            return int.from_bytes(found[CTRL_FAMILY_ID], 'little')
    raise AssertionError('the capture does not name the family socktls')


def load(path, spec_path):
    """Handshakes by client random."""
    spec, family, by_id = Spec(spec_path), family_id(path), {}

    for kind, flags, command, payload in messages(path):
        if kind != family:
            continue
        name = spec.commands.get(command)
        if name == 'reply' and flags & REQUEST:
            what = 'action'
        elif name == 'next' and not flags & REQUEST:
            what = 'item'
        else:
            continue
        for event in spec.decode('socktls', payload).get(what, []):
            by_id.setdefault(event['id'], Handshake()).events.append(
                (what, event))
    return {h.client_random(): h for h in by_id.values()}
