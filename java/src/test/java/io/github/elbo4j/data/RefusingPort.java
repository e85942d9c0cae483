package io.github.elbo4j.data;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;

/** A port that is bound but not listened on: connections are refused, and nobody else can take it meanwhile. */
final class RefusingPort implements AutoCloseable {
    private final Socket socket = new Socket();

    RefusingPort() throws IOException {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    URI base() {
        return URI.create("http://127.0.0.1:" + socket.getLocalPort() + "/");
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
