// SPDX-License-Identifier: MIT
// cluster.js PORT: the primary accepts and hands each connection to one of two workers, which sends
// the body of the request back.
'use strict';
const cluster = require('cluster');
const http = require('http');

if (cluster.isPrimary) {
	cluster.fork();
	cluster.fork();
	process.on('SIGTERM', () => process.exit(0));
} else {
	http.createServer((request, response) => {
		const chunks = [];
		request.on('data', (chunk) => chunks.push(chunk));
		request.on('end', () => {
			const body = Buffer.concat(chunks);
			response.writeHead(200, {'Content-Length': body.length, Connection: 'close'});
			response.end(body);
		});
	}).listen(Number(process.argv[2]), '127.0.0.1');
}
