# SPDX-License-Identifier: MIT
"""
table.py ROOT BUILD [--write FILE] [--only TEXT] [PEER...]: tries every cell of
the table, several at a time, prints failures and counts, and writes the table.
"""
import argparse
import collections
import concurrent.futures
import os
import shutil
import subprocess
import sys

import chromium
import openssl_peers
import other_peers
import report
import suites
from peer import Cell, Failure, Place

PEERS = openssl_peers.PEERS + other_peers.PEERS + chromium.PEERS
ROLES = ('client', 'server')
GROUPS = ('x25519', 'x448', 'secp256r1', 'secp384r1', 'secp521r1',
          'ffdhe2048', 'ffdhe3072', 'ffdhe4096', 'X25519MLKEM768')
OK, FAIL, LACK = report.OK, report.FAIL, report.LACK


def resumptions(suite):
    return ('full', 'psk') if suite.version == '1.3' else \
        ('full', 'id', 'ticket')


def cells_of(suite):
    return [Cell(role, suite, resume, mutual) for role in ROLES
            for resume in resumptions(suite) for mutual in (False, True)]


def group_cells(by_code):
    cells = []
    for group in GROUPS:
        for code in (0x1301, 0xc02f):
            if group.startswith('ffdhe') and code == 0xc02f:
                code = 0x009e	# DHE
            if group == 'X25519MLKEM768' and code != 0x1301:
                continue
            cells += [Cell(role, by_code[code], group=group)
                      for role in ROLES]
    return cells


def external_cells(by_code):
    """With the hash that the peers bind such keys to."""
    return [Cell(role, by_code[0x1301], 'external', group=group)
            for role in ROLES for group in ('', 'secp384r1')]


class Table:
    """Results by peer and cell."""

    def __init__(self, place, names, only):
        self.place, self.only = place, only
        listing = place.run(place.engine('engine-client', '--list'))[1]
        self.suites = suites.parse(listing)
        by_code = {suite.code: suite for suite in self.suites}
        self.cells = [c for suite in self.suites for c in cells_of(suite)]
        self.groups = group_cells(by_code)
        self.externals = external_cells(by_code)
        self.peers = [kind(place) for kind in PEERS
                      if not names or kind.name in names]
        openssl = openssl_peers.OpenSSL(place).suites
        for peer in self.peers:
            if hasattr(peer, 'openssl'):
                peer.openssl = openssl
        self.tree_libcrypto = place.output('openssl', 'version').split()[1]
        self.libcrypto = place.run(['openssl', 'version'])[1].split()[1]
        self.results = {}
        self.counts = collections.Counter()

    def attempt(self, peer, cell):
        reason = peer.lack(cell) or (cell.external and
                                     peer.lack_external(cell))
        if reason:
            return LACK, reason
        try:
            peer.attempt(cell)
        except Failure as failure:
            return FAIL, str(failure)
        return OK, ''

    def wanted(self, peer, cell):
        return self.only in f'{peer.name}: {cell}'

    def run(self, cells, workers):
        jobs = [(peer, cell) for peer in self.peers for cell in cells
                if self.wanted(peer, cell)]
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for (peer, cell), (result, text) in zip(jobs, pool.map(
                    lambda job: self.attempt(*job), jobs)):
                self.results[peer.name, cell] = result, text
                self.counts[result] += 1
                if result == FAIL:
                    print(f'FAIL {peer.name}: {cell}')
                    print('    ' + text.strip().replace('\n', '\n    '),
                          flush=True)


def prepare(place, pki_tool):
    os.chmod(place.outer, 0o755)
    subprocess.run([pki_tool, place.outer + '/pki'], check=True)
    for size in (2048, 3072, 4096):
        place.output('openssl', 'genpkey', '-genparam', '-algorithm', 'DH',
                     '-pkeyopt', f'group:ffdhe{size}', '-out',
                     place.parameters(f'ffdhe{size}'))
    directory = place.ids + '/self-signed-rsa'
    os.mkdir(place.root + directory)
    place.output('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                 '-keyout', directory + '/key.pem', '-out',
                 directory + '/chain.pem', '-days', '3', '-subj',
                 '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost')
    for name in ('node.js', 'chromium.html'):
        shutil.copy(os.path.join(os.path.dirname(__file__), name), place.outer)
    for name in ('engine-client', 'engine-server'):
        shutil.copy(f'{place.build}/selftests/native/{name}', place.outer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('root')
    parser.add_argument('build')
    parser.add_argument('--write')
    parser.add_argument('--only', default='')
    parser.add_argument('--workers', type=int, default=4)
    parser.add_argument('peers', nargs='*')
    args = parser.parse_intermixed_args()
    place = Place(args.root, args.build)
    try:
        return run(place, args)
    finally:
        shutil.rmtree(place.outer, ignore_errors=True)


def run(place, args):
    prepare(place, args.build + '/selftests/engine/pki-tool')
    table = Table(place, args.peers, args.only)
    table.run(table.cells, args.workers)
    table.run(table.externals, args.workers)
    # The host's libcrypto may be without ML-KEM: the tree's is not.
    place.engine_inside = True
    table.run(table.groups, args.workers)
    if args.write:
        report.write(args.write, table)
    counts = table.counts
    print(f'{counts[LACK]} cells that a peer lacks')
    print(f'{counts[OK]} passed, {counts[FAIL]} failed')
    return 1 if counts[FAIL] or not counts[OK] else 0


if __name__ == '__main__':
    sys.exit(main())
