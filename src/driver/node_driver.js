"use strict";
// pipelab's driver for Node.js 18 and later.
//
// It carries out one actor's steps, and says what Node told it. docs/wire.md is the protocol. It
// is started as
//
//     node -e SOURCE -- MODE [spawns] [sigpipe=default]
//
// with descriptor 3 for the conversation. Two rules explain its shape:
//
// 1. What a path leads to is opened, written and read with the calls of `fs` that wait (writeSync).
//    Node's main thread then sleeps in that call, and nothing happens behind the stage's back.
// 2. A child's streams are what child_process makes of them: sockets (net.Socket), which the event
//    loop reads ahead, feeds, and closes at the child's end, whatever step comes next. A step
//    that waits for one is answered from a callback, and further steps are taken meanwhile.
//    Most programs listen for `data` from the start (the mode `flowing`). Of who doesn't
//    (`paused`) Node throws away what wasn't read when the child has ended.

const { spawn } = require("child_process");
const fs = require("fs");
const net = require("net");
const os = require("os");

const PROTOCOL = 1;
const MODES = ["flowing", "paused"];
const STREAMS = ["stdin", "stdout", "stderr"];

// Channel name -> the descriptor of what was opened by a path, or a child's stream.
const ends = new Map();

// Channel name -> what came as `data` and no step has asked for (`flowing`).
const kept = new Map();

// Name -> ChildProcess of what was started.
const children = new Map();

// The answers. Each is the step's answer from behind its number to its end.

function ok(words = "") {
  return Buffer.from(`ok${words}\n`);
}

function data(read) {
  return Buffer.concat([Buffer.from(`ok data=${read.length}\n`), read]);
}

// For an exception; `done` is what came to pass before it.
function failed(error, done = "bytes=0", read = Buffer.alloc(0)) {
  const isSystems = error.code in os.constants.errno;
  const symbol = isSystems ? error.code : "-";
  // Node names its own errors by a code too, and the system's by their errno alone.
  const name = isSystems ? "" : ` error=${error.code || error.name}`;
  const message = String(error.message).split("\n").join(" ");
  return Buffer.concat([Buffer.from(`fail ${symbol} ${done}${name} message=${message}\n`), read]);
}

function failedRead(error, read) {
  return failed(error, read.length ? `data=${read.length}` : "bytes=0", read);
}

// Where the script is wrong, and no call was made.
function misused(what, how) {
  return Buffer.from(`fail - bytes=0 message=${what} ${how}\n`);
}

const UNSUPPORTED = Buffer.from("unsupported\n");

// What a path leads to.

function open(channel, access, blocking, path) {
  const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK } = fs.constants;
  const flags = { read: O_RDONLY, write: O_WRONLY, both: O_RDWR }[access];
  const fd = fs.openSync(path, blocking === "nonblock" ? flags | O_NONBLOCK : flags);
  ends.set(channel, fd);
  return ok(` fd=${fd}`);
}

function writeFile(fd, pieces) {
  let accepted = 0;
  for (const piece of pieces) {
    try {
      const count = fs.writeSync(fd, piece);
      accepted += count;
      // To go on behind a short write would leave a hole.
      if (count < piece.length) break;
    } catch (error) {
      return failed(error, `bytes=${accepted}`);
    }
  }
  return ok(` bytes=${accepted}`);
}

function readFile(fd, amount) {
  const parts = [];
  let missing = amount === "to-eof" ? Infinity : Number(amount);
  try {
    while (missing > 0) {
      const part = Buffer.alloc(Math.min(missing, 65536));
      const count = fs.readSync(fd, part);
      if (count === 0) break;
      parts.push(part.subarray(0, count));
      missing -= count;
    }
  } catch (error) {
    return failedRead(error, Buffer.concat(parts));
  }
  const read = Buffer.concat(parts);
  return read.length || amount === "0" ? data(read) : Buffer.from("eof\n");
}

// A child's streams.

async function writeStream(stream, pieces) {
  let accepted = 0;
  for (const piece of pieces) {
    // The callback comes when the kernel has taken all of it.
    const error = await new Promise((done) => stream.write(piece, done));
    if (error) return failed(error, `bytes=${accepted}`);
    accepted += piece.length;
  }
  return ok(` bytes=${accepted}`);
}

async function readStream(channel, stream, amount) {
  const parts = [];
  let missing = amount === "to-eof" ? Infinity : Number(amount);
  while (missing > 0) {
    const part = takeFrom(channel, stream, missing);
    if (part && part.length) {
      parts.push(part);
      missing -= part.length;
    } else if (stream.errored) {
      return failedRead(stream.errored, Buffer.concat(parts));
    } else if (stream.readableEnded || stream.destroyed) {
      break;
    } else {
      await anyOf(stream, [MODE === "flowing" ? "data" : "readable", "end", "error", "close"]);
    }
  }
  const read = Buffer.concat(parts);
  return read.length || amount === "0" ? data(read) : Buffer.from("eof\n");
}

// What is there, and at most so many bytes of it.
function takeFrom(channel, stream, most) {
  if (MODE === "flowing") {
    const all = kept.get(channel);
    kept.set(channel, all.subarray(Math.min(most, all.length)));
    return all.subarray(0, most);
  }
  // To ask for more than there is would raise the stream's mark, up to which it reads ahead.
  return stream.read(Math.min(most, stream.readableLength));
}

function listen(channel, stream) {
  kept.set(channel, Buffer.alloc(0));
  stream.on("data", (part) => kept.set(channel, Buffer.concat([kept.get(channel), part])));
}

async function closeStream(channel, stream) {
  ends.delete(channel);
  kept.delete(channel);
  const before = stream.errored;
  if (!stream.destroyed) {
    const closed = new Promise((done) => stream.once("close", done));
    // end() lets what is still buffered go first.
    if (channel.endsWith(".stdin")) stream.end();
    else stream.destroy();
    await closed;
  }
  return stream.errored && stream.errored !== before ? failed(stream.errored) : ok();
}

// Waits for the first of these events. No listener stays: one for `readable` changes what the
// stream does when its child ends.
function anyOf(emitter, names) {
  return new Promise((done) => {
    const seen = (name) => (value) => {
      for (const [other, listener] of listeners) emitter.removeListener(other, listener);
      done([name, value]);
    };
    const listeners = names.map((name) => [name, seen(name)]);
    for (const [name, listener] of listeners) emitter.on(name, listener);
  });
}

// Children.

async function start(name, stdin, stdout, stderr, count, length, payload) {
  const words = payload.toString().split("\0").slice(0, -1);
  const pairs = words.slice(Number(count)).map((word) => [
    word.slice(0, word.indexOf("=")),
    word.slice(word.indexOf("=") + 1),
  ]);
  // child_process has no word for 2>&1: another stream's number works for what is inherited.
  if (stderr === "stdout" && stdout === "pipe") return UNSUPPORTED;
  const stdio = [stdin, stdout, stderr === "stdout" ? 1 : stderr];
  const child = spawn(words[0], words.slice(1, Number(count)), { env: Object.fromEntries(pairs), stdio });
  // An error that nobody listens for would end Node. Who calls the stream is told of it too.
  const streams = STREAMS.filter((stream) => child[stream]);
  for (const stream of streams) child[stream].on("error", () => {});
  const [event, error] = await anyOf(child, ["spawn", "error"]);
  if (event === "error") return failed(error);
  children.set(name, child);
  const made = streams.map((stream) => {
    ends.set(`${name}.${stream}`, child[stream]);
    if (MODE === "flowing" && stream !== "stdin") listen(`${name}.${stream}`, child[stream]);
    return child[stream]._handle.fd;
  });
  return Buffer.from(`said bytes=${child.pid}${made.length ? ` made=${made}` : ""}\n`);
}

const hasEnded = (child) => child.exitCode !== null || child.signalCode !== null;

// How a child ended, in the wire's words and in Node's.
function ended(child) {
  if (child.signalCode !== null) return `killed=${child.signalCode},signalCode=${child.signalCode}`;
  return `exited=${child.exitCode},exitCode=${child.exitCode}`;
}

async function wait(name, blocking) {
  const child = children.get(name);
  if (!hasEnded(child)) {
    if (blocking === "nonblock") return Buffer.from("said words=running\n");
    await anyOf(child, ["exit"]);
  }
  return Buffer.from(`said words=${ended(child)}\n`);
}

// There is no such call but for programs that it starts itself (execFile); this is what its users
// write: end() with the input, `data` of both outputs, and the ends of all.
async function communicate(name, length, payload) {
  const child = children.get(name);
  const outputs = ["stdout", "stderr"].filter((stream) => ends.has(`${name}.${stream}`));
  const all = hasEnded(child) ? [] : [anyOf(child, ["exit"])];
  for (const stream of outputs) {
    if (MODE === "paused") listen(`${name}.${stream}`, child[stream]);
    all.push(closed(child[stream]));
  }
  let failure = null;
  if (ends.has(`${name}.stdin`)) {
    child.stdin.once("error", (error) => (failure = error));
    child.stdin.end(length === "none" ? undefined : payload);
    all.push(closed(child.stdin));
  }
  await Promise.all(all);
  const parts = outputs.map((stream) => kept.get(`${name}.${stream}`));
  for (const stream of STREAMS) {
    ends.delete(`${name}.${stream}`);
    kept.delete(`${name}.${stream}`);
  }
  if (failure) return failed(failure);
  const words = [ended(child), ...outputs.map((stream, at) => `${stream}=${parts[at].length}`)];
  const bytes = Buffer.concat(parts);
  const size = bytes.length ? ` data=${bytes.length}` : "";
  return Buffer.concat([Buffer.from(`said words=${words}${size}\n`), bytes]);
}

const closed = (stream) => (stream.closed ? undefined : new Promise((done) => stream.once("close", done)));

// The steps.

function carryOut(verb, words, payload) {
  if (["spawn", "wait", "communicate"].includes(verb)) {
    if (!SPAWNS) return UNSUPPORTED;
    if ((verb === "spawn") === children.has(words[0])) {
      return misused(words[0], verb === "spawn" ? "was started already" : "wasn't started");
    }
    return { spawn: start, wait, communicate }[verb](...words, payload);
  }
  if (!["open", "write", "flush", "read", "close"].includes(verb)) return UNSUPPORTED;
  const [channel, ...how] = words;
  if ((verb === "open") === ends.has(channel)) {
    return misused(channel, verb === "open" ? "is open already" : "isn't open");
  }
  if (verb === "open") return open(channel, ...how);
  const end = ends.get(channel);
  const isFile = typeof end === "number";
  // Node has no call for it, and none is needed: whoever was told that a write is done has
  // nothing left in Node.
  if (verb === "flush") return ok();
  if (verb === "close" && isFile) {
    ends.delete(channel);
    fs.closeSync(end);
    return ok();
  }
  if (verb === "close") return closeStream(channel, end);
  if (verb === "write") {
    const step = Math.max(Number(how[1]), 1);
    const pieces = [];
    // A write of nothing is a call too.
    for (let at = 0; at === 0 || at < payload.length; at += step) pieces.push(payload.subarray(at, at + step));
    return isFile ? writeFile(end, pieces) : writeStream(end, pieces);
  }
  // It can't ask what is in the kernel.
  if (how[0] === "available") return UNSUPPORTED;
  return isFile ? readFile(end, how[0]) : readStream(channel, end, how[0]);
}

// Which word of a step says how long its payload is.
const SIZES = { write: 3, spawn: 7, communicate: 3 };

// The steps of a batch: their words, and their payload.
function* parse(batch) {
  for (let at = 0; at < batch.length; ) {
    const end = batch.indexOf("\n", at);
    let words = batch.toString("utf8", at, end).split(" ");
    at = end + 1;
    // Its last word is a path, spaces and all.
    if (words[1] === "open") words = [...words.slice(0, 5), words.slice(5).join(" ")];
    const size = words[SIZES[words[1]]];
    const length = size === undefined || size === "none" ? 0 : Number(size);
    yield [words, batch.subarray(at, at + length)];
    at += length;
  }
}

// The steps of one batch wait for each other; the next batch comes when the stage wants it,
// also while a step of this one waits for its callback.
async function play(batch) {
  for (const [[id, verb, ...words], payload] of parse(batch)) {
    if (verb === "exit") process.exit(Number(words[0]));
    if (verb === "spin") for (;;);
    if (verb === "sleep") {
      setTimeout(() => {}, 86400000);
      return;
    }
    let answer;
    try {
      answer = await carryOut(verb, words, payload);
    } catch (error) {
      answer = failed(error);
    }
    control.write(Buffer.concat([Buffer.from(`${id} `), answer]));
  }
}

let inbox = Buffer.alloc(0);

function receive(part) {
  inbox = Buffer.concat([inbox, part]);
  for (;;) {
    const end = inbox.indexOf("\n");
    if (end < 0) return;
    const length = Number(inbox.toString("utf8", 0, end).split(" ")[2]);
    if (inbox.length < end + 1 + length) return;
    const batch = inbox.subarray(end + 1, end + 1 + length);
    inbox = inbox.subarray(end + 1 + length);
    play(batch);
  }
}

let MODE = MODES[0];
let SPAWNS = false;
for (const word of process.argv.slice(1)) {
  if (word === "spawns") SPAWNS = true;
  else if (MODES.includes(word)) MODE = word;
  else if (word === "sigpipe=default") {
    // Node ignores it. It gives a signal its default back when the last listener goes.
    process.on("SIGPIPE", () => {});
    process.removeAllListeners("SIGPIPE");
  } else {
    console.error(`no mode '${word}': there are ${MODES.join(", ")}`);
    process.exit(1);
  }
}

// A pipe for messages between processes is received from with recvmsg(2), any other is read from.
// net.Socket makes none of these by itself.
const { Pipe, constants } = process.binding("pipe_wrap");
const handle = new Pipe(constants.IPC);
handle.open(3);
const control = new net.Socket({ handle, readable: true, writable: true });
control.on("data", receive);
// The stage is gone, and nobody will count what is still to be written.
control.on("end", () => process.exit(0));
control.on("error", () => process.exit(0));
const { node } = process.versions;
control.write(`hello ${PROTOCOL} node ${node} watermark=${control.readableHighWaterMark} ahead\n`);
