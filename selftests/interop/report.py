# SPDX-License-Identifier: MIT
"""The table, as a page."""
import collections

OK, FAIL, LACK = 'ok', 'FAIL', 'lack'
COLUMNS = [(role, resume) for role in ('client', 'server')
           for resume in ('full', 'id', 'ticket or psk')]

INTRODUCTION = """\
# Interoperability

This page is written by `make interop`, which tries every cell: the handshake engine
on ordinary sockets, with the record layer of `selftests/native`, as client and as
server against other implementations of TLS. It needs root, for a tree of Debian
trixie in the cache and a network namespace that has loopback alone. That sockets of
the module do the same is shown by `make check` and `make demo`.

A cell is a connection, or two where the second resumes the first, with a request
and an answer. It passes when the engine reports the version, suite, group, client
certificate and resumption that were asked for, and the answer came. Where a peer
says itself whether it resumed, it must agree. Chromium runs headless, as one process
for each cell, and without its sandbox, for it is root's; a page of a file asks the
server once or twice.

- *full, ID, ticket, PSK*: a full handshake; resumption by session ID (tickets are
  off) and by ticket in TLS 1.2, by PSK from a ticket in TLS 1.3.
- Each cell has two results: without, and with a certificate of the client.
- `ok`, `FAIL`, or a letter: the peer cannot do it, and the list below says why.
"""


def resumption(suite, column):
    if column == 'ticket or psk':
        return 'psk' if suite.version == '1.3' else 'ticket'
    return column


class Letters:
    """A letter for each reason."""

    def __init__(self):
        self.reasons = []

    def of(self, reason):
        if reason not in self.reasons:
            self.reasons.append(reason)
        return chr(ord('a') + self.reasons.index(reason))

    def lines(self):
        return [f'- {self.of(reason)}: {reason}' for reason in self.reasons]


def mark(result, letters):
    kind, text = result
    return letters.of(text) if kind == LACK else kind


def row(table, peer, suite, letters):
    cells = {(c.role, c.resume, c.mutual): c for c in table.cells
             if c.suite is suite}
    marks = []
    for role, column in COLUMNS:
        resume = resumption(suite, column)
        pair = [cells.get((role, resume, mutual)) for mutual in (False, True)]
        found = [table.results[peer.name, cell] for cell in pair
                 if (peer.name, cell) in table.results]
        marks.append(' '.join(mark(r, letters) for r in found) or '-')
    return marks


def peer_section(table, peer):
    """Rows that say the same are one row."""
    letters, groups = Letters(), collections.OrderedDict()
    for suite in table.suites:
        key = (suite.kind, tuple(row(table, peer, suite, letters)))
        groups.setdefault(key, []).append(suite.iana)
    lines = [f'## {peer.name} {peer.version()}', '',
             '| | suites | engine as client: full | ID | ticket, PSK '
             '| engine as server: full | ID | ticket, PSK |',
             '|---|---|---|---|---|---|---|---|']
    for (kind, marks), names in sorted(groups.items()):
        names = ', '.join(f'`{name}`' for name in names)
        lines.append(f'| {kind} | {names} | ' + ' | '.join(marks) + ' |')
    return lines + [''] + letters.lines() + ['']


def group_section(table):
    letters = Letters()
    names = [peer.name for peer in table.peers]
    lines = ['## Groups', '',
             'Full handshakes; the engine as client and as server, in TLS 1.3 '
             'and in', 'TLS 1.2 (but for X25519MLKEM768, which TLS 1.2 has '
             'not). This part runs with the', "tree's libcrypto, "
             f'{table.tree_libcrypto}, which has ML-KEM.', '',
             '| group | ' + ' | '.join(names) + ' |',
             '|---' * (len(names) + 1) + '|']
    for group in dict.fromkeys(cell.group for cell in table.groups):
        marks = []
        for peer in table.peers:
            found = [table.results[peer.name, cell] for cell in table.groups
                     if cell.group == group and
                     (peer.name, cell) in table.results]
            marks.append(' '.join(mark(r, letters) for r in found) or '-')
        lines.append(f'| `{group}` | ' + ' | '.join(marks) + ' |')
    return lines + [''] + letters.lines() + ['']


def external_section(table):
    """Keys that both sides have from elsewhere: not the tickets above."""
    letters = Letters()
    lines = ['## External PSKs', '',
             'TLS 1.3 with a key that both sides had before and no certificate '
             '(the columns', '"ticket, PSK" above are tickets), '
             'TLS_AES_128_GCM_SHA256; by x25519, and by', 'secp384r1.', '',
             '| peer | engine as client | engine as server |', '|---|---|---|']
    for peer in table.peers:
        marks = []
        for role in ('client', 'server'):
            found = [table.results[peer.name, cell] for cell in table.externals
                     if cell.role == role and
                     (peer.name, cell) in table.results]
            marks.append(' '.join(mark(r, letters) for r in found) or '-')
        lines.append(f'| {peer.name} | ' + ' | '.join(marks) + ' |')
    return lines + [''] + letters.lines() + ['']


def summary(table):
    lines = ['## Summary', '',
             f'Engine with libcrypto {table.libcrypto}.', '',
             '| peer | passed | failed | the peer cannot |', '|---|---|---|---|']
    for peer in table.peers:
        counts = collections.Counter(
            kind for (name, _), (kind, _) in table.results.items()
            if name == peer.name)
        lines.append(f'| {peer.name} {peer.version()} | {counts[OK]} | '
                     f'{counts[FAIL]} | {counts[LACK]} |')
    counts = table.counts
    lines.append(f'| all | {counts[OK]} | {counts[FAIL]} | {counts[LACK]} |')
    return lines + ['']


def write(path, table):
    lines = INTRODUCTION.splitlines() + [''] + summary(table)
    for peer in table.peers:
        lines += peer_section(table, peer)
    lines += external_section(table)
    lines += group_section(table)
    with open(path, 'w', encoding='utf-8') as file:
        print('\n'.join(lines).rstrip(), file=file)
