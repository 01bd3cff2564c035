//! `pipelab emit`: a program that writes, for scenarios with programs and for trying
//! things in a shell.

use std::{
    fs::File,
    io::{self, BufWriter, LineWriter, Write},
    mem::ManuallyDrop,
    os::fd::FromRawFd,
};

use nix::errno::Errno;

use super::{LARGEST_BUFFER, ignore, rename};

/// Write lines or bytes to a descriptor, in a chosen buffering
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: that of --exit; 1 if a call failed, which standard error then says. Like most programs, \
it dies of SIGPIPE.")]
pub(super) struct Emit {
    /// So many lines; without this and --bytes, lines without end
    #[arg(long)]
    lines: Option<u64>,
    /// So many bytes of the lines, the last one cut
    #[arg(long, conflicts_with = "lines")]
    bytes: Option<u64>,
    /// What a line holds
    #[arg(long, default_value = "Hello")]
    text: String,
    /// Begin each line with its number, from 1
    #[arg(long)]
    numbered: bool,
    /// The descriptor
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(i32).range(0..))]
    fd: i32,
    /// none: a write(2) a line; line: a buffer that a line feed flushes; or the size of a buffer in bytes, up
    /// to 1 GiB
    #[arg(long, default_value = "none", value_parser = buffering)]
    buffer: Buffering,
    /// The exit status after all is written
    #[arg(long, default_value_t = 0)]
    exit: u8,
    /// Signals to ignore (SIGTERM)
    #[arg(long, value_name = "SIGNAL")]
    ignore: Vec<nix::sys::signal::Signal>,
}

#[derive(Clone, Copy, Debug)]
enum Buffering {
    None,
    Line,
    Bytes(usize),
}

fn buffering(text: &str) -> Result<Buffering, String> {
    match text {
        "none" => Ok(Buffering::None),
        "line" => Ok(Buffering::Line),
        size => match size.parse::<u64>() {
            Ok(bytes) if bytes <= LARGEST_BUFFER => Ok(Buffering::Bytes(bytes as usize)),
            _ => Err("`none`, `line` or a number of bytes up to 1 GiB".into()),
        },
    }
}

impl Emit {
    /// Writes it all. The exit status.
    pub(super) fn main(self) -> u8 {
        rename(c"emit");
        ignore(&self.ignore);
        // SAFETY: never closed here, so that whoever owns it keeps it.
        let file = ManuallyDrop::new(unsafe { File::from_raw_fd(self.fd) });
        let result = match self.buffer {
            Buffering::None => self.write_all(&*file),
            Buffering::Line => self.write_all(LineWriter::new(&*file)),
            Buffering::Bytes(size) => self.write_all(BufWriter::with_capacity(size, &*file)),
        };
        match result {
            Ok(()) => self.exit,
            Err(error) => {
                let errno = error
                    .raw_os_error()
                    .map_or_else(|| error.to_string(), |code| format!("{:?}", Errno::from_raw(code)));
                // Standard error may be what failed.
                let _ = writeln!(io::stderr(), "emit: descriptor {}: {errno}", self.fd);
                1
            }
        }
    }

    fn write_all(&self, mut out: impl Write) -> io::Result<()> {
        let mut left = self.bytes.unwrap_or(u64::MAX);
        let mut line = Vec::new();
        for number in 1..=self.lines.unwrap_or(u64::MAX) {
            line.clear();
            if self.numbered {
                write!(line, "{number} ")?;
            }
            line.extend_from_slice(self.text.as_bytes());
            line.push(b'\n');
            line.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            if line.is_empty() {
                break;
            }
            out.write_all(&line)?;
            left -= line.len() as u64;
        }
        out.flush()
    }
}
