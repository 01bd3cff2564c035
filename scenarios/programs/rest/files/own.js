// Waits for a child that has filled the socket between them: nobody listens for what it says.
require("child_process").spawn("yes", { stdio: ["ignore", "pipe", "inherit"] });
