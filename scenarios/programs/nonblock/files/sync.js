require("fs").writeSync(1, "x".repeat(100000));
