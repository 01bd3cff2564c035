require("fs").openSync("log");
