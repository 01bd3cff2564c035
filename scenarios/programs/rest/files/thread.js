// The read is on a thread of libuv's pool, the loop in epoll.
require("fs").read(0, Buffer.alloc(1), 0, 1, null, () => {});
