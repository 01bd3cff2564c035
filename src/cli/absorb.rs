//! `pipelab absorb`: a program that reads, or doesn't.

use std::{
    fs::File,
    io::{self, Read, Write},
    mem::ManuallyDrop,
    os::fd::FromRawFd,
    thread,
    time::Duration,
};

use super::{LARGEST_BUFFER, ignore, rename};

/// Read a descriptor: all of it, a part, at a pace, or not at all
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit status: 0 at the end of file or after --bytes; 1 if a call failed.")]
pub(super) struct Absorb {
    /// The descriptor
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..))]
    fd: i32,
    /// Stop after so many bytes; 0 reads nothing
    #[arg(long)]
    bytes: Option<u64>,
    /// Bytes that a read(2) asks for at most, up to 1 GiB
    #[arg(long, default_value_t = 65_536, value_parser = clap::value_parser!(u64).range(..=LARGEST_BUFFER))]
    piece: u64,
    /// Milliseconds to sleep before each read
    #[arg(long, default_value_t = 0)]
    every: u64,
    /// Then sit there, the descriptor open, until a signal comes
    #[arg(long)]
    hold: bool,
    /// Say how many bytes came, on standard output
    #[arg(long)]
    count: bool,
    /// Signals to ignore (SIGTERM)
    #[arg(long, value_name = "SIGNAL")]
    ignore: Vec<nix::sys::signal::Signal>,
}

impl Absorb {
    /// Reads. The exit status.
    pub(super) fn main(self) -> u8 {
        rename(c"absorb");
        ignore(&self.ignore);
        match self.read() {
            Ok(total) => {
                if self.count && writeln!(io::stdout(), "{total}").is_err() {
                    return 1;
                }
                if self.hold {
                    loop {
                        nix::unistd::pause();
                    }
                }
                0
            }
            Err(error) => {
                let _ = writeln!(io::stderr(), "absorb: descriptor {}: {error}", self.fd);
                1
            }
        }
    }

    fn read(&self) -> io::Result<u64> {
        // SAFETY: never closed here, so that whoever owns it keeps it.
        let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(self.fd) });
        let mut buffer = vec![0; self.piece.max(1) as usize];
        let mut total = 0;
        while let left @ 1.. = self.bytes.unwrap_or(u64::MAX) - total {
            if self.every > 0 {
                thread::sleep(Duration::from_millis(self.every));
            }
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            match file.read(&mut buffer[..most])? {
                0 => break,
                count => total += count as u64,
            }
        }
        Ok(total)
    }
}
