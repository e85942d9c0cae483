package io.github.elbo4j.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** A web server of the loopback address, just enough of one: it serves pages by name, and some of them badly. */
final class TestServer implements AutoCloseable {
    /** Prefix of the names that are answered with half of their page. */
    static final String TRUNCATED = "truncated";

    /** Prefix of the names that are never answered. */
    static final String SILENT = "silent";

    private final ServerSocket socket;
    private final Map<String, byte[]> pages;
    private final AtomicInteger requests = new AtomicInteger();

    TestServer(Map<String, byte[]> pages) throws IOException {
        this.pages = Map.copyOf(pages);
        socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(this::serve);
    }

    URI base() {
        return URI.create("http://" + socket.getInetAddress().getHostAddress() + ":" + socket.getLocalPort() + "/");
    }

    int requests() {
        return requests.get();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private void serve() {
        while (true) {
            try {
                Socket connection = socket.accept();
                Thread.ofVirtual().start(() -> answer(connection));
            } catch (SocketException e) {
                return;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void answer(Socket connection) {
        try (connection) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.US_ASCII));
            String request = in.readLine();
            while (true) {
                String line = in.readLine();
                if (line == null || line.isEmpty()) {
                    break;
                }
            }
            requests.incrementAndGet();
            String name = request.split(" ", -1)[1].substring(1);
            if (name.startsWith(SILENT)) {
                // Until the client has gone.
                in.readLine();
                return;
            }
            byte[] page = pages.get(name);
            OutputStream out = connection.getOutputStream();
            String status = page == null ? "404 Not Found" : "200 OK";
            int length = page == null ? 0 : page.length;
            out.write(("HTTP/1.1 " + status + "\r\nContent-Length: " + length + "\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            if (page != null) {
                out.write(page, 0, name.startsWith(TRUNCATED) ? length / 2 : length);
            }
            out.flush();
        } catch (IOException e) {
            // The client has gone, as in a test of what it does after a timeout.
        }
    }
}
