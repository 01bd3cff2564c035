public class Write {
    public static void main(String[] args) throws Exception {
        System.out.write(new byte[100000]);
    }
}
