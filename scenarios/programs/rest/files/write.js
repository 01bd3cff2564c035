require("fs").writeSync(1, Buffer.alloc(100000));
