// Waits for a child that has filled a pipe of theirs.
public class Own {
    public static void main(String[] args) throws Exception {
        new ProcessBuilder("yes").start().waitFor();
    }
}
