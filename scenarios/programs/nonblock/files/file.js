require("fs").writeFileSync(1, "x".repeat(100000));
