// SPDX-License-Identifier: MIT
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** Http413 PORT: answer every request with 413 before its body is read, and close. */
final class Http413 {
	public static void main(String[] arguments) throws Exception {
		byte[] page = "too large\n".repeat(20).getBytes();
		int port = Integer.parseInt(arguments[0]);
		HttpServer server = HttpServer.create(
			new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);

		server.createContext("/", exchange -> {
			exchange.getResponseHeaders().set("Connection", "close");
			exchange.sendResponseHeaders(413, page.length);
			exchange.getResponseBody().write(page);
			exchange.close();
		});
		server.start();
	}
}
