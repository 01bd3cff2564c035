public class Wait {
    public static void main(String[] args) throws Exception {
        new ProcessBuilder("cat").inheritIO().start().waitFor();
    }
}
