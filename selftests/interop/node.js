// SPDX-License-Identifier: MIT
// node.js ROLE PORT VERSION CIPHERS RESUME AUTH CA IDENTITY-DIR GROUPS DH
'use strict';
const tls = require('tls');
const fs = require('fs');
const constants = require('crypto').constants;

const [role, port, version, ciphers, resume, auth, ca, identity, groups, dh] =
	process.argv.slice(2);

const options = {
	minVersion: version, maxVersion: version, ciphers: ciphers,
	ca: fs.readFileSync(ca), ecdhCurve: groups,
	dhparam: fs.readFileSync(dh),
};

if (identity) {
	options.cert = fs.readFileSync(`${identity}/chain.pem`);
	options.key = fs.readFileSync(`${identity}/key.pem`);
}

function serve() {
	const sessions = new Map();

	options.requestCert = auth === 'mutual';
	if (resume === 'id')
		options.secureOptions = constants.SSL_OP_NO_TICKET;
	const server = tls.createServer(options, (socket) => {
		socket.on('error', (error) => console.log(error.message));
		socket.once('data', () => socket.end('node\n'));
	});
	server.on('newSession', (id, data, done) => {
		sessions.set(id.toString('hex'), data);
		done();
	});
	server.on('resumeSession', (id, done) =>
		done(null, sessions.get(id.toString('hex')) || null));
	server.on('tlsClientError', (error) => console.log(error.message));
	server.listen(port, '127.0.0.1');
}

function connect(left) {
	const socket = tls.connect(port, '127.0.0.1', options, () => {
		console.log('reused', socket.isSessionReused());
		socket.write('GET / HTTP/1.0\r\n\r\n');
	});

	socket.on('session', (session) => { options.session = session; });
	socket.on('data', (data) => process.stdout.write(data));
	socket.on('error', (error) => {
		console.log(error.message);
		process.exit(1);
	});
	socket.on('close', () => { if (left > 1) connect(left - 1); });
}

if (role === 'server') {
	serve();
} else {
	options.servername = 'localhost';
	connect(resume === 'full' ? 1 : 2);
}
