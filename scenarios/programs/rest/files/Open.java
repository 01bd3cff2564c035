public class Open {
    public static void main(String[] args) throws Exception {
        new java.io.FileInputStream("log");
    }
}
