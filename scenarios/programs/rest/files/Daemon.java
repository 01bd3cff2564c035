// Leaves behind a daemon, which a shell has forked once more, and which holds what it inherited.
public class Daemon {
    public static void main(String[] args) throws Exception {
        new ProcessBuilder("setsid", "sh", "-c", "cat log &").inheritIO().start().waitFor();
    }
}
