require("child_process").spawnSync("cat", { stdio: "inherit" });
