public class Read {
    public static void main(String[] args) throws Exception {
        System.in.read();
    }
}
