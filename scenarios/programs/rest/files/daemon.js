// Leaves behind a daemon, which a shell has forked once more, and which holds what it inherited.
require("child_process").spawnSync("setsid", ["sh", "-c", "cat log &"], { stdio: "inherit" });
