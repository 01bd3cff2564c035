public class Thread_ {
    public static void main(String[] args) throws Exception {
        Thread reader = new Thread(() -> {
            try {
                System.in.read();
            } catch (java.io.IOException error) {
            }
        });
        reader.start();
        reader.join();
    }
}
