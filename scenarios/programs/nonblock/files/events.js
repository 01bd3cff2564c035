process.stdin.once("data", () => process.stdout.write("x".repeat(100000)));
