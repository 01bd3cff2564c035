require("fs").readSync(0, Buffer.alloc(1));
