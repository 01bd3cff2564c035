public class Spin {
    public static void main(String[] args) {
        for (;;) {
        }
    }
}
