# SPDX-License-Identifier: MIT
"""
switch.py PORT FIRST NEXT: carries what connects to PORT on to the port FIRST,
and every further connection to NEXT, so that a client that resumes by itself
meets another server.
"""
import socket
import sys
import threading


def carry(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main():
    port, target, following = map(int, sys.argv[1:])
    with socket.create_server(('127.0.0.1', port)) as listener:
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(('127.0.0.1', target))
            target = following
            for pair in (near, far), (far, near):
                threading.Thread(target=carry, args=pair, daemon=True).start()


if __name__ == '__main__':
    main()
