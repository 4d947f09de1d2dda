// SPDX-License-Identifier: MIT
// http_413.js PORT: answer every request with 413 before its body is read, and close.
'use strict';
const http = require('http');

const page = 'too large\n'.repeat(20);

http.createServer((request, response) => {
	response.writeHead(413, {'Content-Length': page.length, Connection: 'close'});
	response.end(page);
}).listen(Number(process.argv[2]), '127.0.0.1');
